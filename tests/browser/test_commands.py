"""The command bar: opens a chat, acts on it, inserts a canned reply, teaches the shortcuts."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture


async def test_operator_works_with_the_command_bar(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    await tenant.pending_conversation("Is my parcel lost?")
    reply = {"shortcut": "moment", "text": "one moment, I am looking into it.", "scope": "mine"}
    (await tenant.alex.post("/canned-replies", reply)).ok(201)
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.alex)
    keyboard = panel.page.keyboard
    bar = panel.page.get_by_role("dialog", name="Command bar")
    search = bar.get_by_role("combobox", name="Search chats, people, actions")
    selected = bar.get_by_role("option", selected=True)

    await panel.page.get_by_role("button", name="Commands", exact=True).click()
    await expect(search).to_be_focused()
    await keyboard.type("parcel")
    await expect(selected).to_contain_text("Is my parcel lost?")
    await keyboard.press("Enter")
    await expect(panel.messages).to_contain_text("Is my parcel lost?")

    await keyboard.press("Control+k")
    await expect(bar.get_by_role("group", name="In this chat").get_by_role("option", name="Accept")).to_be_visible()
    await expect(bar.get_by_role("option", name="Sam")).to_have_count(2)
    await panel.screenshot(artifacts, "panel-command-bar")
    assert not await panel.accessibility_violations()
    await keyboard.type("acc")
    await expect(selected).to_have_text("Accepta")
    await keyboard.press("Enter")
    await expect(panel.messages).to_contain_text("You joined")
    await expect(panel.reply).to_be_focused()

    await keyboard.type("Hello, ")
    await keyboard.press("Control+k")
    await keyboard.type("/mom")
    await expect(selected).to_contain_text("/moment")
    await keyboard.press("Enter")
    await expect(panel.reply).to_have_value("Hello, one moment, I am looking into it.")
    await expect(panel.reply).to_be_focused()
    await keyboard.press("Control+k")
    await keyboard.press("Escape")
    await expect(bar).to_have_count(0)
    await keyboard.type(" Bye")
    await expect(panel.reply).to_have_value("Hello, one moment, I am looking into it. Bye")

    await keyboard.press("Escape")
    await keyboard.press("?")
    shortcuts = panel.page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(shortcuts.get_by_text("Hand back to AI")).to_be_visible()
    await keyboard.press("Escape")
    await keyboard.press("g")
    await keyboard.press("v")
    await expect(panel.page.get_by_role("heading", name="Visitors")).to_be_visible()
