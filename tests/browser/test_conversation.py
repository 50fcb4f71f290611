"""A conversation in two browsers: the AI replies, an operator accepts, transfers, closes and reopens it."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Route, expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture


async def test_operator_accepts_a_handoff_and_closes_the_chat(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    panel, widget = await sessions.panel(), await sessions.widget()
    await panel.log_in(stack.gateway_url, tenant.alex)
    await widget.open(stack.gateway_url, tenant.site_key)

    await widget.send_message("What are your opening hours?")
    await expect(widget.log).to_contain_text("We are open from 9 to 5, Monday to Friday.", timeout=40_000)
    await panel.select_list("All")
    row = panel.page.get_by_role("link", name=re.compile(r"^Visitor \w{4}"))
    await expect(row).to_contain_text("AI: We are open")

    await widget.ask_for_person()
    await expect(widget.log).to_contain_text("Waiting for a person…")
    await expect(panel.page).to_have_title("(1) Parley")
    await panel.select_list("Waiting")
    await row.click()
    await expect(panel.messages).to_contain_text("Visitor asked for a human")
    await panel.page.keyboard.press("a")
    await expect(panel.messages).to_contain_text("You joined")
    await expect(panel.reply).to_be_focused()
    await expect(widget.page.get_by_role("heading", name="Alex")).to_be_visible()

    await panel.reply.press_sequentially("Hello, how can I")
    await expect(widget.log).to_contain_text("Alex is typing…")
    await panel.reply.press_sequentially(" help?\n")
    await expect(widget.log).to_contain_text("Hello, how can I help?")
    await expect(panel.messages.get_by_text("Read", exact=True)).to_be_attached()

    await widget.write.press_sequentially("Do you deliver")
    await expect(panel.messages).to_contain_text("is typing")
    await widget.write.press_sequentially(" abroad?\n")
    await expect(panel.messages).to_contain_text("Do you deliver abroad?")
    await expect(widget.log).to_contain_text("Seen")
    await panel.send_message("Yes, we do.")
    await expect(widget.log).to_contain_text("Yes, we do.")
    await expect(widget.log.get_by_text("Alex joined the chat")).to_have_count(1)

    await panel.page.get_by_role("button", name="Note", exact=True).click()
    note = panel.page.get_by_role("combobox", name="Private note")
    await note.fill("VIP customer")
    await note.press("Enter")
    await expect(panel.messages).to_contain_text("private note")

    await panel.page.get_by_role("button", name="Close chat").click()
    await panel.page.get_by_role("dialog").get_by_role("button", name="Close chat").click()
    await expect(panel.page.get_by_text("This chat is closed.")).to_be_visible()
    await expect(widget.log).to_contain_text("This chat is closed. Send a message to start a new one.")
    await widget.page.get_by_role("radio", name="5 of 5").check()
    await widget.page.get_by_role("button", name="Send rating").click()
    await expect(widget.log).to_contain_text("Thank you for your rating.")
    assert "VIP" not in await widget.log.inner_text(), "the visitor must not see a note"

    await panel.page.get_by_role("button", name="Reopen").click()
    await expect(panel.messages).to_contain_text("You reopened the chat")
    await expect(widget.page.get_by_role("heading", name="Alex")).to_be_visible()
    await expect(widget.log).not_to_contain_text("This chat is closed")
    await widget.send_message("One more question")
    await expect(panel.messages).to_contain_text("One more question")


async def test_one_of_two_concurrent_accepts_wins(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    _, conversation = await tenant.pending_conversation()
    panels = [await sessions.panel(), await sessions.panel()]
    for panel, operator in zip(panels, (tenant.alex, tenant.sam), strict=True):
        await panel.log_in(stack.gateway_url, operator)
        await panel.open(conversation)
    # Both requests wait until both operators have clicked.
    gate = asyncio.Event()

    async def delay_until_both(route: Route) -> None:
        await gate.wait()
        await route.continue_()

    for panel in panels:
        await panel.page.route("**/operator/accept/*", delay_until_both)
        await panel.page.get_by_role("button", name="Accept").click()
    gate.set()
    for panel in panels:
        await expect(panel.messages).to_contain_text(" joined")
    lost = [await panel.page.get_by_text("is handling this chat").count() for panel in panels]
    assert sorted(lost) == [0, 1], "exactly one operator is assigned"
    loser = panels[lost.index(1)]
    winner = "Sam" if lost.index(1) == 0 else "Alex"
    await expect(loser.page.get_by_role("status").filter(has_text=winner).first).to_be_visible()
    await expect(loser.page.get_by_role("button", name="Accept")).to_have_count(0)


async def test_chat_is_transferred_by_keyboard(tenant: TenantFixture, stack: Stack, sessions: BrowserSessions) -> None:
    alex, sam = await sessions.panel(), await sessions.panel()
    await alex.log_in(stack.gateway_url, tenant.alex)
    await sam.log_in(stack.gateway_url, tenant.sam)
    await sam.select_list("Mine")
    _, conversation = await tenant.assigned_conversation()
    await alex.open(conversation)
    await alex.page.keyboard.press("t")
    await alex.page.get_by_role("dialog").get_by_role("button", name="Sam").press("Enter")
    await expect(alex.messages).to_contain_text("You transferred this chat to Sam")
    await expect(sam.page.get_by_role("link", name=re.compile(r"^Visitor \w{4}"))).to_be_visible()
    await sam.open(conversation)
    await expect(sam.messages).to_contain_text("Alex transferred this chat to you")


async def test_a_canned_reply_is_inserted_where_it_is_typed(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    _, conversation = await tenant.assigned_conversation()
    body = {"shortcut": "hours", "text": "{{site.name}} is open 9 to 5, {{visitor.name|friend}}.", "scope": "all"}
    (await tenant.owner.post("/canned-replies", body)).ok(201)
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.open(conversation)

    await panel.reply.press_sequentially("Hello! /ho")
    await expect(panel.page.get_by_role("option", name="/hours")).to_be_visible()
    await panel.reply.press("Enter")
    await expect(panel.reply).to_have_value("Hello! Shop is open 9 to 5, friend.")
    await panel.reply.press("Control+z")
    await expect(panel.reply).to_have_value("Hello! /ho")
    [reply] = (await tenant.alex.get("/canned-replies")).ok()["canned_replies"]
    assert reply["use_count"] == 1


async def test_proactive_message_reaches_a_visitor_with_a_closed_widget(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    widget, panel = await sessions.widget(), await sessions.panel()
    async with widget.page.expect_response("**/pending-proactive*"):
        await widget.page.goto(f"{stack.gateway_url}/demo?site_key={tenant.site_key}")
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.page.get_by_role("link", name="Visitors").click()
    await panel.page.get_by_role("button", name="Start chat").click()
    await panel.page.get_by_role("textbox", name="Message").fill("Can I help you choose?")
    await panel.page.get_by_role("button", name="Send").click()
    await expect(panel.messages).to_contain_text("Can I help you choose?")
    await expect(widget.page.get_by_role("button", name="Can I help you choose?")).to_be_visible(timeout=3_000)
    await expect(widget.page.get_by_role("button", name="Open chat, 1 new message")).to_be_visible()
    await widget.page.get_by_role("button", name="Open chat, 1 new message").click()
    await expect(widget.log).to_contain_text("Can I help you choose?")
