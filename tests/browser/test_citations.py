"""The sources of an answer in Chromium, as the visitor and the operator see them; and an engine that keeps failing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Route, expect

from browser.test_screens import check_page
from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture
from support.wait import wait_until
from support.website import run_website

TITLE, ANSWER = "Can I return a tent?", "You can return a tent within thirty days if it was not used in the rain."


async def test_an_answer_names_the_page_that_it_is_from_and_the_cap_that_was_reached(
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
    capped = {"engine": "openai", "caps": {"site": 1, "when_reached": "builtin"}}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", capped)).ok()
    widget = await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message("Hello?")
    await expect(widget.log).to_contain_text("Hello from the model.")
    await widget.send_message(TITLE)
    await expect(widget.log).to_contain_text(ANSWER)
    await expect(widget.log).not_to_contain_text("limit")
    await _check_link(widget.log.locator(".sources"), body["url"])
    assert not await widget.accessibility_violations()
    await widget.screenshot(artifacts, "citation-widget")

    (chat,) = (await tenant.owner.get("/operator/all-active-chats", status="ai,pending")).ok()["chats"]
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.owner)
    await panel.page.goto(f"{stack.gateway_url}/panel#/chats/{chat['id']}")
    shown = panel.page.locator(".message-sources").filter(has_text="Sources:")
    await _check_link(shown, body["url"])
    await expect(panel.messages.get_by_text("the AI reached its limit of the day for this site")).to_have_count(1)
    await check_page(panel, artifacts, "citation-panel")


async def _check_link(sources: Locator, url: str) -> None:
    link = sources.get_by_role("link")
    await expect(link).to_have_attribute("href", url)
    await expect(link).to_have_attribute("rel", re.compile("^noopener noreferrer"))
    await expect(link).to_contain_text(TITLE)


async def test_the_settings_say_since_when_an_engine_fails(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    path = f"/sites/{tenant.site_id}/chatbot"
    change = {"engine": "openai", "fallbacks": [{"engine": "builtin"}]}
    (await tenant.owner.send("PUT", path, change)).ok()

    async def add_failure(route: Route) -> None:
        """The breaker opens after failures of a real endpoint, which component tests show."""
        response = await route.fetch()
        shown = await response.json()
        error = {"message": "The endpoint refused the key.", "code": "key_refused", "at": "2026-01-05T08:00:00Z"}
        failing = {"engine": "primary", "since": "2026-01-05T08:00:00Z", "error": error}
        shown["chatbot"]["failing_engines"] = [failing]
        await route.fulfill(response=response, json=shown)

    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.owner)
    await panel.page.route(f"**/api/v1{path}", add_failure)
    await panel.page.goto(f"{stack.gateway_url}/panel#/sites/{tenant.site_id}/assistant")
    notice = panel.page.get_by_role("status").filter(has_text="Engine 1 has failed since")
    await expect(notice).to_contain_text("The endpoint refused the key.")
    await check_page(panel, artifacts, "engine-failing")
