"""A site's forms: edited in the panel, answered in the widget on another origin, read in the conversation's details."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions, Widget
from support.shop import build_page, serve_pages
from support.tenants import TenantFixture
from support.wait import wait_until

STUB = "window.parley = window.parley || function () { (parley.q = parley.q || []).push(arguments); };"
ORDER = {"key": "order", "type": "text", "label": "Order number"}
TOPIC = {"key": "topic", "type": "select", "label": "Topic", "required": True, "options": ["Sales", "Support"]}


@pytest.fixture
async def site(tenant: TenantFixture) -> TenantFixture:
    """A tenant whose site may be used from every origin."""
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"domains": [], "any_origin": True})).ok()
    return tenant


def _page(stack: Stack, site_key: str, script: str = "") -> str:
    tag = f'<script async src="{stack.gateway_url}/widget.js" data-site-key="{site_key}"></script>'
    return build_page(f"<script>{STUB}{script}</script>{tag}")


async def _check(widget: Widget, artifacts: Path | None, name: str) -> None:
    await widget.wait_settled()
    await widget.screenshot(artifacts, name)
    assert not await widget.accessibility_violations()


async def test_a_form_is_edited_answered_and_read(
    site: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    panel, widget = await sessions.panel(), await sessions.widget()
    await panel.log_in(stack.gateway_url, site.owner)
    await panel.page.goto(f"{stack.gateway_url}/panel#/sites/{site.site_id}/forms")
    prechat = panel.page.get_by_role("group", name="Before the chat")
    await prechat.get_by_role("switch", name="Visitors answer this").check()
    await prechat.get_by_label("Title").fill("Before we begin")
    for _ in range(3):
        await prechat.get_by_role("button", name="Add a question").click()
    for required in await prechat.get_by_role("switch", name="Required").all():
        await required.check()
    await prechat.get_by_label("Type of answer").nth(2).select_option("Choice")
    await prechat.get_by_label("Question", exact=True).nth(2).fill("Topic")
    await prechat.get_by_label("Options").fill("Sales\nSupport")
    await panel.page.get_by_label("What visitors agree to").fill("I agree to the [policy](https://shop.test/privacy).")
    preview = panel.page.get_by_role("complementary", name="Preview")
    await expect(preview.get_by_role("heading", name="Before we begin")).to_be_visible()
    await panel.page.get_by_role("button", name="Save forms").click()
    await expect(panel.page.get_by_text("Version 1")).to_be_attached()
    await panel.screenshot(artifacts, "panel-forms")
    assert not await panel.accessibility_violations()
    assert await panel.horizontal_overflow() == 0

    page = widget.page
    refused: list[str] = []
    page.on("response", lambda response: refused.append(response.url) if response.status >= 400 else None)
    async with serve_pages({"/": _page(stack, site.site_key, 'parley("send", "Where is my order?");')}) as address:
        await page.goto(address)
        # The form opens by itself: the page's message waits for it.
        name, email = page.get_by_label("Your name"), page.get_by_label("Your e-mail")
        await expect(name).to_be_focused()
        await expect(widget.write).to_be_hidden()
        await expect(widget.log).to_contain_text("Will be sent when the form is filled in")
        await name.fill("Jane")
        await email.fill("jane")
        await page.get_by_role("button", name="Start chat").click()
        await expect(email).to_be_focused()
        await expect(email).to_have_accessible_description("Please enter a valid e-mail address.")
        await expect(page.get_by_label("Topic")).to_have_accessible_description("Please fill this in.")
        await _check(widget, artifacts, "widget-form-errors")
        await page.reload()
        await expect(name).to_have_value("Jane")
        await email.fill("jane@shop.test")
        await page.get_by_label("Topic").select_option("Support")
        await page.get_by_label("I agree to the policy").check()
        await page.get_by_role("button", name="Start chat").click()
        # What was written before is sent now.
        await expect(widget.write).to_be_visible()
        await expect(widget.log).to_contain_text("Where is my order?")
        await expect(widget.log).not_to_contain_text("when the form is filled in")
        assert refused == [], "nothing is sent that the server refuses"
        [chat] = await wait_until(lambda: _active_chats(site))
        await panel.open(chat["id"])
        details = panel.page.get_by_role("complementary", name="Visitor")
        await expect(details.get_by_text("Support", exact=True)).to_be_visible()
        await expect(details.get_by_text("Agreed to version 1")).to_be_visible()
        await expect(details.get_by_text("jane@shop.test")).to_be_visible()
        await panel.screenshot(artifacts, "panel-form-answers")
        assert not await panel.accessibility_violations()
        await page.reload()
        await expect(widget.write).to_be_visible()


async def test_a_message_is_left_while_nobody_is_there(
    site: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    offline = {"enabled": True, "replaces_chat": True, "title": "مرحبا", "fields": [{**ORDER, "label": "رقم الطلب"}]}
    (await site.owner.send("PUT", f"/sites/{site.site_id}/forms", {"offline": offline})).ok()
    widget = await sessions.widget(locale="ar", viewport={"width": 390, "height": 780})
    page = widget.page
    async with serve_pages({"/": _page(stack, site.site_key, 'parley("setTheme", "dark");')}) as address:
        await page.goto(address)
        await page.get_by_role("button", name="محادثة").click()
        await expect(page.get_by_label("رسالتك")).to_be_visible()
        await page.get_by_role("button", name="إرسال").click()
        await _check(widget, artifacts, "widget-offline-form-rtl-dark")
        await page.get_by_role("textbox", name="بريدك").fill("jane@shop.test")
        await page.get_by_label("رسالتك").fill("أين طلبي؟")
        await page.get_by_role("button", name="إرسال").click()
        await expect(widget.log).to_contain_text("لقد استلمنا رسالتك")
        await expect(widget.log).to_contain_text("أين طلبي؟")
    [chat] = (await site.alex.get("/operator/active-chats", site_id=site.site_id, status="pending")).ok()["chats"]
    assert (chat["visitor"]["email"], chat["last_visitor_message"]["preview"]) == ("jane@shop.test", "أين طلبي؟")


async def test_a_message_can_be_left_in_place_of_the_form_before_the_chat(
    site: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    forms = {"prechat": {"enabled": True, "fields": [TOPIC]}, "offline": {"enabled": True}}
    (await site.owner.send("PUT", f"/sites/{site.site_id}/forms", forms)).ok()
    widget = await sessions.widget()
    leave = widget.page.get_by_role("button", name="Leave a message")
    async with serve_pages({"/": _page(stack, site.site_key)}) as address:
        await widget.page.goto(address)
        await widget.page.get_by_role("button", name="Open chat").click()
        start = widget.page.get_by_role("button", name="Start chat")
        await expect(leave).to_have_count(1)
        await _check(widget, artifacts, "widget-form-or-message")
        # The form comes first, for the eye and for the keyboard.
        await start.focus()
        await widget.page.keyboard.press("Tab")
        await expect(leave).to_be_focused()
        await leave.press("Enter")
        await expect(widget.page.get_by_label("Your message")).to_be_visible()
        await expect(leave).to_have_count(0)
        await widget.page.get_by_role("button", name="Cancel").click()
        await expect(start).to_be_visible()


async def test_a_message_can_be_left_beside_the_chat(
    site: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    forms = {"offline": {"enabled": True, "confirmation": "We will be back.", "fields": [TOPIC]}}
    (await site.owner.send("PUT", f"/sites/{site.site_id}/forms", forms)).ok()
    widget = await sessions.widget()
    await widget.open(stack.gateway_url, site.site_key)
    await widget.send_message("What are your opening hours?")
    await expect(widget.log).to_contain_text("from 9 to 5")
    await widget.page.get_by_role("button", name="Leave a message").click()
    await expect(widget.write).to_be_hidden()
    await widget.page.get_by_role("button", name="Cancel").click()
    await expect(widget.write).to_be_visible()
    await widget.page.get_by_role("button", name="Leave a message").click()
    await widget.page.get_by_label("Your e-mail").fill("jane@shop.test")
    await widget.page.get_by_label("Topic").select_option("Sales")
    await widget.page.get_by_label("Your message").fill("Please call me")
    await widget.page.get_by_role("button", name="Send").click()
    await expect(widget.log).to_contain_text("Please call me")
    await expect(widget.log).to_contain_text("We will be back.")
    await expect(widget.write).to_be_visible()
    [chat] = await _active_chats(site)
    (await site.alex.post(f"/operator/accept/{chat['id']}")).ok()
    (await site.alex.post(f"/operator/close/{chat['id']}")).ok()
    await expect(widget.log).to_contain_text("This chat is closed")
    await widget.page.get_by_role("button", name="Leave a message").click()
    await expect(widget.page.get_by_label("Your message")).to_be_visible()


async def _active_chats(site: TenantFixture) -> list[dict[str, Any]]:
    chats: list[dict[str, Any]] = (await site.alex.get("/operator/all-active-chats", status="ai,pending")).ok()["chats"]
    return chats
