"""The network is cut and comes back: nothing typed, sent or said meanwhile is lost, and the panel says what is true."""

from __future__ import annotations

import re

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import People
from support.tcp_proxy import Proxy
from support.tenants import World


async def test_a_panel_that_was_cut_off_shows_what_it_missed(
    world: World, stack: Stack, people: People, network: Proxy
) -> None:
    visitor, conversation = await world.taken()
    panel = await people.panel()
    await panel.enter(f"http://127.0.0.1:{network.port}", world.alex)
    await panel.open(conversation)
    await visitor.say("Before the cut")
    await expect(panel.messages).to_contain_text("Before the cut")

    network.shut()
    await expect(panel.page.get_by_role("alert")).to_contain_text("Not connected")
    await expect(panel.connected).to_have_count(0)
    for number in range(1, 4):
        await visitor.say(f"During the cut {number}")
    _, another = await world.waiting("Somebody else")

    asked: list[str | None] = []
    panel.page.on("request", lambda request: asked.append(request.headers.get("last-event-id")))
    network.open()
    await expect(panel.connected).to_be_visible(timeout=20_000)
    await expect(panel.page.get_by_role("alert")).to_have_count(0)
    for number in range(1, 4):
        await expect(panel.messages.get_by_text(f"During the cut {number}", exact=True)).to_have_count(1)
    await panel.choose("Waiting")
    await panel.page.locator(f"a[href='#/chats/{another}']").click()
    await expect(panel.messages).to_contain_text("Somebody else")
    assert any(asked), "it is resumed by id"


async def test_a_reply_written_while_cut_off_is_sent_once_when_the_network_is_back(
    world: World, stack: Stack, people: People, network: Proxy
) -> None:
    visitor, conversation = await world.taken()
    panel = await people.panel()
    await panel.enter(f"http://127.0.0.1:{network.port}", world.alex)
    await panel.open(conversation)
    network.shut()
    await panel.say("Written offline, first")
    await panel.say("Written offline, second")
    await expect(panel.messages.get_by_text(re.compile("^Waiting to send"))).to_be_visible()
    network.open()
    await expect(panel.messages.get_by_text(re.compile("Sending|Waiting to send"))).to_have_count(0, timeout=25_000)
    history = (await visitor.get("/history")).ok()["messages"]
    said = [message["content"] for message in history if message["role"] == "operator"]
    assert said == ["Written offline, first", "Written offline, second"]


async def test_an_answer_that_was_lost_on_the_way_does_not_make_the_reply_come_twice(
    world: World, stack: Stack, people: People, network: Proxy
) -> None:
    visitor, conversation = await world.taken()
    panel = await people.panel()
    await panel.enter(stack.gateway_url, world.alex)
    await panel.open(conversation)
    tries = 0

    async def lose_the_first(route: object) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            await route.fetch()  # type: ignore[attr-defined]
            await route.abort("connectionreset")  # type: ignore[attr-defined]
        else:
            await route.continue_()  # type: ignore[attr-defined]

    await panel.page.route("**/operator/message", lose_the_first)
    await panel.say("Only once, please")
    await expect(panel.messages.get_by_text("Only once, please", exact=True)).to_have_count(1)
    await expect(panel.messages.get_by_text(re.compile("Sending|Waiting to send"))).to_have_count(0)
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["content"] for message in history].count("Only once, please") == 1


async def test_a_draft_outlives_another_chat_a_reload_and_a_logout(world: World, stack: Stack, people: People) -> None:
    _, first = await world.taken()
    _, second = await world.taken()
    panel = await people.panel()
    await panel.enter(stack.gateway_url, world.alex)
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
    await panel.enter(stack.gateway_url, world.alex)
    await panel.open(first)
    await expect(panel.reply).to_have_value("Half a sentence")


async def test_a_widget_that_was_cut_off_sends_what_it_kept_and_shows_what_it_missed(
    world: World, stack: Stack, people: People, network: Proxy
) -> None:
    (await world.alex.post("/operator/heartbeat", {"site_ids": [world.site_id]})).ok()
    widget = await people.widget()
    await widget.enter(f"http://127.0.0.1:{network.port}", world.site_key)
    await widget.say("I need a person")
    await widget.ask_for_person()
    await expect(widget.log).to_contain_text("Waiting for a person…")
    rows = (await world.alex.get("/operator/all-active-chats")).ok()["chats"]
    conversation = rows[0]["id"]

    network.shut()
    await expect(widget.page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
    await widget.say("Are you there?")
    (await world.alex.post(f"/operator/accept/{conversation}")).ok()
    await world.alex.say(conversation, "Here I am")
    network.open()
    await expect(widget.log).to_contain_text("Here I am", timeout=20_000)
    await expect(widget.page.get_by_text("Connection lost. Reconnecting…")).to_have_count(0)
    await expect(widget.log.get_by_text("Are you there?", exact=True)).to_have_count(1)
    await expect(widget.log).not_to_contain_text("Will be sent")
    await expect(widget.log).not_to_contain_text("Sending…")
    detail = (await world.alex.get(f"/operator/conversation/{conversation}")).ok()["conversation"]
    assert [message["content"] for message in detail["messages"]].count("Are you there?") == 1


async def test_a_visitor_finds_the_conversation_again_on_the_next_page(
    world: World, stack: Stack, people: People
) -> None:
    widget = await people.widget()
    await widget.enter(stack.gateway_url, world.site_key)
    await widget.say("What are your opening hours?")
    await expect(widget.log).to_contain_text("We are open from 9 to 5")
    await widget.page.goto(f"{stack.gateway_url}/demo?site_key={world.site_key}&page=2")
    await expect(widget.log).to_contain_text("What are your opening hours?")
    await expect(widget.log.get_by_text("We are open from 9 to 5, Monday to Friday.")).to_have_count(1)
