"""The sources of an answer in Chromium, as the visitor and the operator see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Locator, expect

from browser.test_screens import check_page
from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture
from support.wait import wait_until
from support.website import run_website

TITLE, ANSWER = "Can I return a tent?", "You can return a tent within thirty days if it was not used in the rain."


async def test_an_answer_names_the_page_that_it_is_from(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    sources = f"/sites/{tenant.site_id}/knowledge/sources"
    async with run_website() as website:
        website.add("/returns", TITLE, ANSWER)
        body = {"kind": "web_page", "name": "Returns", "url": f"{website.url}/returns"}
        source_id = (await tenant.owner.post(sources, body)).ok(201)["source"]["id"]

        async def is_read() -> bool:
            source: dict[str, Any] = (await tenant.owner.get(f"{sources}/{source_id}")).ok()["source"]
            return bool(source["documents"]["ready"] == 1)

        await wait_until(is_read, timeout=60, description="the page is read")
    widget = await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message(TITLE)
    await expect(widget.log).to_contain_text(ANSWER)
    await _check_link(widget.log.locator(".sources"), body["url"])
    assert not await widget.accessibility_violations()
    await widget.screenshot(artifacts, "citation-widget")

    (chat,) = (await tenant.owner.get("/operator/all-active-chats", status="ai,pending")).ok()["chats"]
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.owner)
    await panel.page.goto(f"{stack.gateway_url}/panel#/chats/{chat['id']}")
    shown = panel.page.locator(".message-sources")
    await expect(shown).to_contain_text("Sources:")
    await _check_link(shown, body["url"])
    await check_page(panel, artifacts, "citation-panel")


async def _check_link(sources: Locator, url: str) -> None:
    link = sources.get_by_role("link")
    await expect(link).to_have_attribute("href", url)
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    await expect(link).to_contain_text(TITLE)
