"""The network is cut and restored: no message or draft is lost, and the panel shows the connection state."""

from __future__ import annotations

import re

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tcp_proxy import TcpProxy
from support.tenants import TenantFixture
from support.wait import wait_until


async def test_reconnected_panel_shows_missed_messages(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, network: TcpProxy
) -> None:
    visitor, conversation = await tenant.assigned_conversation()
    panel = await sessions.panel()
    await panel.log_in(f"http://127.0.0.1:{network.port}", tenant.alex)
    await panel.open(conversation)
    await visitor.send_message("Before the cut")
    await expect(panel.messages).to_contain_text("Before the cut")

    network.disconnect()
    await expect(panel.page.get_by_role("alert")).to_contain_text("Not connected")
    await expect(panel.connected).to_have_count(0)
    for number in range(1, 4):
        await visitor.send_message(f"During the cut {number}")
    _, another = await tenant.pending_conversation("Somebody else")

    asked: list[str | None] = []
    panel.page.on("request", lambda request: asked.append(request.headers.get("last-event-id")))
    network.reconnect()
    await expect(panel.connected).to_be_visible(timeout=20_000)
    await expect(panel.page.get_by_role("alert")).to_have_count(0)
    for number in range(1, 4):
        await expect(panel.messages.get_by_text(f"During the cut {number}", exact=True)).to_have_count(1)
    await panel.select_list("Waiting")
    await panel.page.locator(f"a[href='#/chats/{another}']").click()
    await expect(panel.messages).to_contain_text("Somebody else")
    assert any(asked), "the stream must resume by Last-Event-ID"


async def test_reply_written_offline_is_sent_once_after_reconnecting(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, network: TcpProxy
) -> None:
    visitor, conversation = await tenant.assigned_conversation()
    panel = await sessions.panel()
    await panel.log_in(f"http://127.0.0.1:{network.port}", tenant.alex)
    await panel.open(conversation)
    network.disconnect()
    await panel.send_message("Written offline, first")
    await panel.send_message("Written offline, second")
    await expect(panel.messages.get_by_text(re.compile("^Waiting to send"))).to_be_visible()
    network.reconnect()
    await expect(panel.messages.get_by_text(re.compile("Sending|Waiting to send"))).to_have_count(0, timeout=25_000)
    history = (await visitor.get("/history")).ok()["messages"]
    said = [message["content"] for message in history if message["role"] == "operator"]
    assert said == ["Written offline, first", "Written offline, second"]


async def test_lost_response_does_not_duplicate_the_reply(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, network: TcpProxy
) -> None:
    visitor, conversation = await tenant.assigned_conversation()
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.open(conversation)
    tries = 0

    async def lose_first_response(route: object) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            await route.fetch()  # type: ignore[attr-defined]
            await route.abort("connectionreset")  # type: ignore[attr-defined]
        else:
            await route.continue_()  # type: ignore[attr-defined]

    await panel.page.route("**/operator/message", lose_first_response)
    await panel.send_message("Only once, please")
    await expect(panel.messages.get_by_text("Only once, please", exact=True)).to_have_count(1)
    await expect(panel.messages.get_by_text(re.compile("Sending|Waiting to send"))).to_have_count(0)
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["content"] for message in history].count("Only once, please") == 1


async def test_draft_survives_another_chat_a_reload_and_a_logout(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    _, first = await tenant.assigned_conversation()
    _, second = await tenant.assigned_conversation()
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.open(first)
    await panel.reply.fill("Half a sentence")
    await panel.open(second)
    await expect(panel.reply).to_have_value("")
    await panel.open(first)
    await expect(panel.reply).to_have_value("Half a sentence")
    await panel.page.reload()
    await expect(panel.reply).to_have_value("Half a sentence")
    await panel.page.get_by_role("button", name=re.compile("menu")).click()
    await panel.page.get_by_role("button", name="Log out").click()
    await expect(panel.page.get_by_role("heading", name="Log in")).to_be_visible()
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.open(first)
    await expect(panel.reply).to_have_value("Half a sentence")


async def test_reconnected_widget_sends_queued_and_shows_missed_messages(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, network: TcpProxy
) -> None:
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()
    widget = await sessions.widget()
    await widget.open(f"http://127.0.0.1:{network.port}", tenant.site_key)
    await widget.send_message("Where is my parcel?")
    await widget.ask_for_person()
    await expect(widget.log).to_contain_text("Waiting for a person…")
    rows = (await tenant.alex.get("/operator/all-active-chats")).ok()["chats"]
    conversation = rows[0]["id"]

    network.disconnect()
    await expect(widget.page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
    await widget.send_message("Are you there?")
    (await tenant.alex.post(f"/operator/accept/{conversation}")).ok()
    await tenant.alex.send_message(conversation, "Here I am")
    network.reconnect()
    await expect(widget.log).to_contain_text("Here I am", timeout=20_000)
    await expect(widget.page.get_by_text("Connection lost. Reconnecting…")).to_have_count(0)
    await expect(widget.log.get_by_text("Are you there?", exact=True)).to_have_count(1)
    await expect(widget.log).not_to_contain_text("Will be sent")
    await expect(widget.log).not_to_contain_text("Sending…")

    async def count_received() -> int:
        detail = (await tenant.alex.get(f"/operator/conversation/{conversation}")).ok()["conversation"]
        return [message["content"] for message in detail["messages"]].count("Are you there?")

    # A try that fails makes the message wait again: both notices may be absent in turn before it is received.
    assert await wait_until(count_received, timeout=20) == 1


async def test_conversation_continues_on_the_next_page(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    widget = await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message("What are your opening hours?")
    await expect(widget.log).to_contain_text("We are open from 9 to 5")
    await widget.page.goto(f"{stack.gateway_url}/demo?site_key={tenant.site_key}&page=2")
    await expect(widget.log).to_contain_text("What are your opening hours?")
    await expect(widget.log.get_by_text("We are open from 9 to 5, Monday to Friday.")).to_have_count(1)
