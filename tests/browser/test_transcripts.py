"""A chat is sent by e-mail: from the widget on another origin after its end, and from the panel."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.infrastructure import mail_directory
from support.mail_server import read_mails
from support.shop import build_page, serve_pages
from support.tenants import TenantFixture
from support.wait import wait_until


@pytest.fixture
async def site(tenant: TenantFixture) -> TenantFixture:
    """A tenant whose site may be used from every origin."""
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"domains": [], "any_origin": True})).ok()
    return tenant


async def test_a_visitor_and_an_operator_send_a_chat_by_mail(
    site: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    panel, widget = await sessions.panel(), await sessions.widget()
    await panel.log_in(stack.gateway_url, site.alex)
    page = widget.page
    tag = f'<script async src="{stack.gateway_url}/widget.js" data-site-key="{site.site_key}"></script>'
    address, second = (f"jane-{secrets.token_hex(6)}@example.com" for _ in range(2))
    async with serve_pages({"/": build_page(tag)}) as url:
        await page.goto(url)
        await page.get_by_role("button", name="Open chat").click()
        await widget.send_message("Give me a person please")
        [chat] = await wait_until(lambda: _waiting(site))
        (await site.alex.post(f"/operator/accept/{chat}")).ok()
        await site.alex.send_message(chat, "Here is your answer")
        (await site.alex.post(f"/operator/close/{chat}")).ok()
        await page.get_by_role("button", name="Send this chat by e-mail").click()
        email = page.get_by_label("Your e-mail")
        await expect(email).to_be_focused()
        await email.fill("jane..doe@example.com")
        await page.get_by_role("button", name="Send", exact=True).first.click()
        await expect(page.get_by_role("alert")).to_have_text("Please enter a valid e-mail address.")
        await email.fill(address)
        await widget.screenshot(artifacts, "widget-transcript-email")
        assert not await widget.accessibility_violations()
        await email.press("Enter")
        await expect(page.get_by_text(f"The chat is on its way to {address}.")).to_be_visible()
        await widget.screenshot(artifacts, "widget-transcript-sent")
    mails = await wait_until(lambda: read_mails(mail_directory(stack), address), description="the visitor's mail")
    assert "Here is your answer" in mails[0].text

    await panel.open(chat)
    details = panel.page.get_by_role("complementary", name="Visitor")
    await details.get_by_role("button", name="Send chat by e-mail").click()
    dialog = panel.page.get_by_role("dialog")
    await dialog.get_by_label("E-mail address").fill(second)
    await panel.screenshot(artifacts, "panel-transcript-dialog")
    assert not await panel.accessibility_violations()
    await dialog.get_by_role("button", name="Send").click()
    await expect(panel.page.get_by_text("The chat is on its way.")).to_be_visible()
    await expect(dialog).to_be_hidden()
    await wait_until(lambda: read_mails(mail_directory(stack), second), description="the operator's mail")
    await panel.page.reload()
    await expect(panel.page.get_by_text("The chat was sent by e-mail")).to_have_count(2)
    await panel.screenshot(artifacts, "panel-transcript-history")


async def _waiting(site: TenantFixture) -> list[int]:
    chats = (await site.alex.get("/operator/active-chats", site_id=site.site_id, status="pending")).ok()["chats"]
    return [chat["id"] for chat in chats]
