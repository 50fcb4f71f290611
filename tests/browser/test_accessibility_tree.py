"""The chat as assistive technology reads it, from Chromium's accessibility tree, and with the keyboard alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

from playwright.async_api import FileChooser, Locator, Page, expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture

MAX_STOPS = 60
"""More than a page of the demo and the open chat have together."""

ATTACH = re.compile("^Send (a file|an image)$")
CONTROLS = ("button", "link", "textbox", "combobox", "checkbox", "radio")


class AccessibilityTree:
    """What is not ignored, in reading order."""

    def __init__(self, nodes: list[dict[str, Any]]) -> None:
        self._nodes = {node["nodeId"]: node for node in nodes}
        self._root = nodes[0]["nodeId"]

    @classmethod
    async def of(cls, page: Page) -> AccessibilityTree:
        session = await page.context.new_cdp_session(page)
        tree = await session.send("Accessibility.getFullAXTree")
        await session.detach()
        return cls(tree["nodes"])

    def within(self, role: str) -> list[str]:
        """Return "role name" of each node below the first one of a role; texts without their role."""
        top = next(node for node in self._walk(self._root) if _value(node, "role") == role)
        described = []
        for node in self._walk(top["nodeId"]):
            kind, name = _value(node, "role"), _value(node, "name")
            if kind == "StaticText":
                described.append(name)
            elif (name or kind in CONTROLS) and kind != "InlineTextBox":
                described.append(f"{kind} “{name}”")
        return described

    def properties(self, role: str) -> dict[str, Any]:
        """Return the properties of the first node of a role."""
        node = next(node for node in self._walk(self._root) if _value(node, "role") == role)
        return {one["name"]: one["value"].get("value") for one in node.get("properties", ())}

    def _walk(self, node_id: str) -> Iterator[dict[str, Any]]:
        node = self._nodes.get(node_id)
        if node is None:
            return
        if not node.get("ignored"):
            yield node
        for child in node.get("childIds", ()):
            yield from self._walk(child)


def _value(node: dict[str, Any], name: str) -> str:
    return str(node.get(name, {}).get("value", ""))


async def press_until_focused(page: Page, key: str, target: Locator) -> None:
    for _ in range(MAX_STOPS):
        if await target.evaluate("(element) => element.getRootNode().activeElement === element"):
            return
        await page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead to {target}")


async def test_the_open_chat_is_read_in_its_order_and_says_who_wrote(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    site = f"/sites/{tenant.site_id}"
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()
    bot = {"name": "Tea shop", "welcome": "Ask us about tea."}
    (await tenant.owner.send("PUT", f"{site}/chatbot", bot)).ok()
    widget = await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message("What are your opening hours?")
    await expect(widget.log).to_contain_text("We are open from 9 to 5")
    await widget.ask_for_person()
    await expect(widget.log).to_contain_text("Waiting for a person…")
    conversation = (await tenant.alex.get("/operator/all-active-chats")).ok()["chats"][0]["id"]
    (await tenant.alex.post(f"/operator/accept/{conversation}")).ok()
    replies = [{"label": "Yes"}, {"label": "Prices", "url": "https://shop.test/prices"}]
    message = {"conversation_id": conversation, "content": "Is it about an order?", "quick_replies": replies}
    (await tenant.alex.post("/operator/message", message)).ok()
    await expect(widget.page.get_by_role("group", name="Suggested answers")).to_be_visible()

    tree = await AccessibilityTree.of(widget.page)
    read = tree.within("dialog")
    order = [
        "dialog “Tea shop”",
        "heading “Alex”",
        "Support team",
        "button “Sound of new messages”",
        "button “End chat on this device”",
        "button “Close chat”",
        "log “Chat”",
        "AI assistant",
        "Ask us about tea.",
        "You",
        "What are your opening hours?",
        "AI assistant",
        "We are open from 9 to 5, Monday to Friday.",
        "Alex joined the chat",
        "Alex",
        "Is it about an order?",
        "group “Suggested answers”",
        "button “Yes”",
        "link “Prices”",
        "textbox “Write a message…”",
        "button “Send”",
    ]
    position = 0
    for expected in order:
        assert expected in read[position:], (expected, read[position:])
        position = read.index(expected, position) + 1
    assert not [text for text in read if text.endswith("“”")], "each control has a name"
    assert tree.properties("log")["live"] == "polite", "what comes is announced"


async def test_the_keyboard_alone_leads_through_a_chat(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()
    fields = [{"key": "name", "type": "name", "required": True}]
    forms = {"prechat": {"enabled": True, "fields": fields}}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/forms", forms)).ok()
    widget = await sessions.widget()
    page, button = widget.page, widget.page.get_by_role("button", name="Open chat")
    # From the beginning: the browser would need a moment to pass on a dialog that is expected just before it opens.
    chooser: asyncio.Future[FileChooser] = asyncio.get_running_loop().create_future()
    page.once("filechooser", lambda opened: chooser.set_result(opened))  # noqa: PLW0108  # Playwright wraps no built-in method.
    await page.goto(f"{stack.gateway_url}/demo?site_key={tenant.site_key}")
    await expect(button).to_be_visible()
    await press_until_focused(page, "Tab", button)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Your name")).to_be_focused()
    await page.keyboard.type("Jane")
    await press_until_focused(page, "Tab", page.get_by_role("button", name="Start chat"))
    await page.keyboard.press("Enter")
    await expect(widget.write).to_be_focused()
    await page.keyboard.type("I need help")
    await page.keyboard.press("Enter")

    person = page.get_by_role("button", name="Talk to a person")
    await expect(person).to_be_visible()
    await press_until_focused(page, "Shift+Tab", person)
    await page.keyboard.press("Enter")
    await expect(widget.log).to_contain_text("Waiting for a person…")
    conversation = (await tenant.alex.get("/operator/all-active-chats")).ok()["chats"][0]["id"]
    (await tenant.alex.post(f"/operator/accept/{conversation}")).ok()
    message = {"conversation_id": conversation, "content": "About an order?", "quick_replies": [{"label": "Yes"}]}
    (await tenant.alex.post("/operator/message", message)).ok()
    reply = page.get_by_role("button", name="Yes", exact=True)
    await expect(reply).to_be_visible()
    await press_until_focused(page, "Tab", reply)
    await page.keyboard.press("Enter")
    await expect(reply).to_have_count(0)
    await expect(widget.log).to_be_focused()

    await press_until_focused(page, "Tab", page.get_by_role("button", name=ATTACH))
    await page.keyboard.press("Enter")
    await asyncio.wait_for(chooser, 10)
    end = page.get_by_role("button", name="End chat on this device")
    await press_until_focused(page, "Shift+Tab", end)
    await page.keyboard.press("Enter")
    await press_until_focused(page, "Tab", page.get_by_role("button", name="Cancel"))
    await page.keyboard.press("Enter")
    await press_until_focused(page, "Tab", widget.write)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(button).to_be_focused()
