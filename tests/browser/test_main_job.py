"""The main job with two browsers at once: a visitor asks, the AI answers, a person takes over and sees it through."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Route, expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture


async def test_an_operator_takes_over_from_the_ai_and_closes(
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
    await expect(panel.messages).to_contain_text("A person was asked for")
    await panel.page.keyboard.press("a")
    await expect(panel.messages).to_contain_text("You took over")
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

    await panel.page.get_by_role("button", name="Note", exact=True).click()
    note = panel.page.get_by_role("combobox", name="Private note")
    await note.fill("VIP customer")
    await note.press("Enter")
    await expect(panel.messages).to_contain_text("private note")

    await panel.page.get_by_role("button", name="Close chat").click()
    await panel.page.get_by_role("dialog").get_by_role("button", name="Close chat").click()
    await expect(panel.page.get_by_text("This chat is closed.")).to_be_visible()
    await expect(widget.log).to_contain_text("This chat is closed. Write to begin a new one.")
    await widget.page.get_by_role("radio", name="5 of 5").check()
    await widget.page.get_by_role("button", name="Send rating").click()
    await expect(widget.log).to_contain_text("Thank you for your rating.")
    assert "VIP" not in await widget.log.inner_text(), "a note never reaches a visitor"


async def test_of_two_operators_who_accept_one_wins_and_the_other_is_told(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    _, conversation = await tenant.pending_conversation()
    panels = [await sessions.panel(), await sessions.panel()]
    for panel, operator in zip(panels, (tenant.alex, tenant.sam), strict=True):
        await panel.log_in(stack.gateway_url, operator)
        await panel.open(conversation)
    # Both press before either has heard of the other.
    gate = asyncio.Event()

    async def held(route: Route) -> None:
        await gate.wait()
        await route.continue_()

    for panel in panels:
        await panel.page.route("**/operator/accept/*", held)
        await panel.page.get_by_role("button", name="Accept").click()
    gate.set()
    for panel in panels:
        await expect(panel.messages).to_contain_text("took over")
    lost = [await panel.page.get_by_text("holds this chat").count() for panel in panels]
    assert sorted(lost) == [0, 1], "exactly one has it"
    loser = panels[lost.index(1)]
    winner = "Sam" if lost.index(1) == 0 else "Alex"
    await expect(loser.page.get_by_role("status").filter(has_text=winner).first).to_be_visible()
    await expect(loser.page.get_by_role("button", name="Accept")).to_have_count(0)


async def test_a_chat_is_transferred_by_keyboard_to_a_colleague_who_sees_it_at_once(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    alex, sam = await sessions.panel(), await sessions.panel()
    await alex.log_in(stack.gateway_url, tenant.alex)
    await sam.log_in(stack.gateway_url, tenant.sam)
    await sam.select_list("Mine")
    _, conversation = await tenant.assigned_conversation()
    await alex.open(conversation)
    await alex.page.keyboard.press("t")
    await alex.page.get_by_role("dialog").get_by_role("button", name="Sam").press("Enter")
    await expect(alex.messages).to_contain_text("You passed this to Sam")
    await expect(sam.page.get_by_role("link", name=re.compile(r"^Visitor \w{4}"))).to_be_visible()
    await sam.open(conversation)
    await expect(sam.messages).to_contain_text("Alex passed this to you")


async def test_a_visitor_online_is_greeted_before_opening_the_widget(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    widget, panel = await sessions.widget(), await sessions.panel()
    await widget.page.goto(f"{stack.gateway_url}/demo?site_key={tenant.site_key}")
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.page.get_by_role("link", name="Visitors").click()
    await panel.page.get_by_role("button", name="Say hello").click()
    await panel.page.get_by_role("textbox", name="Message").fill("Can I help you choose?")
    await panel.page.get_by_role("button", name="Send").click()
    await expect(panel.messages).to_contain_text("Can I help you choose?")
    await expect(widget.page.get_by_role("button", name="Can I help you choose?")).to_be_visible(timeout=40_000)
    await expect(widget.page.get_by_role("button", name="Open chat, 1 new")).to_be_visible()
    await widget.page.get_by_role("button", name="Open chat, 1 new").click()
    await expect(widget.log).to_contain_text("Can I help you choose?")
