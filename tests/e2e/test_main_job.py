"""The main job, through the gateway, with real processes: the AI answers, a person takes over, nothing is lost."""

from __future__ import annotations

import asyncio

from parley_dev.stack import Stack
from support.api import Api
from support.tenants import World
from support.wait import until


async def test_a_conversation_is_taken_over_from_the_ai_end_to_end(world: World) -> None:
    site = f"/sites/{world.site_id}"
    entry = {"question": "What are your opening hours?", "answer": "We are open from 9 to 5, Monday to Friday."}
    (await world.owner.post(f"{site}/chatbot/knowledge", entry)).ok(201)
    visitor = world.visitor()
    (await world.alex.post("/operator/heartbeat", {"site_ids": [world.site_id]})).ok()

    async with world.alex.stream() as panel:
        ready = await panel.wait("ready")
        assert ready.data["data"]["sites"] == [world.site_id]

        # The AI answers from what the site knows, in pieces.
        parts = [part async for part in visitor.parts("What are your opening hours?")]
        assert len(parts) > 2, "the answer streams"
        assert "".join(part["content"] for part in parts[:-1]) == entry["answer"]
        assert parts[-1]["meta"]["mode"] == "ai"
        conversation_id = parts[-1]["meta"]["conversation_id"]
        first = await panel.wait("message.created", lambda e: e.data["data"]["role"] == "visitor")
        assert first.data["data"]["content"] == "What are your opening hours?"
        await panel.wait("message.created", lambda e: e.data["data"]["role"] == "ai")

        async with visitor.events() as widget:
            await widget.wait("ready")
            assert (await visitor.post("/handoff")).ok()["mode"] == "pending"
            await panel.wait("conversation.pending")
            assert (await world.alex.get("/operator/all-chat-counts")).ok()["pending"] == 1

            # Two at once: one wins, the other is told who did.
            replies = await asyncio.gather(
                world.alex.post(f"/operator/accept/{conversation_id}"),
                world.sam.post(f"/operator/accept/{conversation_id}"),
            )
            assert sorted(reply.status for reply in replies) == [200, 409]
            winner, loser = (world.alex, world.sam) if replies[0].status == 200 else (world.sam, world.alex)
            refused = next(reply for reply in replies if reply.status == 409)
            assert refused.body["code"] == "conversation_held"
            assert refused.body["operator"] == {"id": winner.id, "name": winner.name}
            accepted = await widget.wait("conversation.accepted")
            assert accepted.data["data"] == {"mode": "operator", "operator": {"id": winner.id, "name": winner.name}}

            (await winner.post("/operator/typing", {"conversation_id": conversation_id})).ok()
            typing = await widget.wait("typing")
            assert typing.data["data"]["name"] == winner.name
            sent = await winner.say(conversation_id, "Hi, how can I help?")
            seen = await widget.wait("message.created", lambda e: e.data["data"]["role"] == "operator")
            assert seen.data["data"]["id"] == sent["id"]
            note = {"conversation_id": conversation_id, "content": "VIP customer"}
            (await winner.post("/operator/note", note)).ok()
            await panel.wait("note.created")

            # The AI is silent now.
            quiet = [part async for part in visitor.parts("I have a question")]
            assert [part["type"] for part in quiet] == ["done"]
            assert quiet[0]["meta"]["mode"] == "operator"

            (await winner.post(f"/operator/transfer/{conversation_id}", {"operator_id": loser.id})).ok()
            await widget.wait("conversation.transferred")
            (await loser.post(f"/operator/close/{conversation_id}")).ok()
            await widget.wait("conversation.closed")
            assert not any("VIP" in str(event.data) for event in widget.seen), "a note never reaches a visitor"

    history = (await visitor.get("/history")).ok()
    assert [message["seq"] for message in history["messages"]] == [1, 2, 3, 4]
    assert [message["role"] for message in history["messages"]] == ["visitor", "ai", "operator", "visitor"]
    assert "VIP" not in str(history)
    shown = (await loser.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    assert [entry["action"] for entry in shown["history"]] == ["pending", "accepted", "transferred", "closed"]
    assert [note["content"] for note in shown["notes"]] == ["VIP customer"]
    assert (await world.alex.get("/operator/all-chat-counts")).ok()["active"] == 0


async def test_the_transfer_list_shows_who_is_there(world: World) -> None:
    _, conversation_id = await world.taken()
    (await world.alex.post("/operator/heartbeat", {"site_ids": [world.site_id]})).ok()

    async def online() -> dict[str, tuple[bool, int]]:
        found = (await world.sam.get("/operator/operators", site_id=world.site_id)).ok()["operators"]
        return {one["name"]: (one["online"], one["active_chats"]) for one in found}

    await until(lambda: _is(online, {"Alex": (True, 1), "Sam": (False, 0), "Olivia Owner": (False, 0)}))
    body = {"site_id": world.site_id, "online": False}
    (await world.alex.post("/operator/set-status", body)).ok()
    await until(lambda: _is(online, {"Alex": (False, 1), "Sam": (False, 0), "Olivia Owner": (False, 0)}))
    assert conversation_id


async def _is(probe: object, expected: object) -> bool:
    return bool(await probe() == expected)  # type: ignore[operator]


async def test_a_visitor_who_writes_after_a_close_opens_a_conversation_that_knows_the_last(world: World) -> None:
    visitor, conversation_id = await world.taken()
    (await world.alex.post(f"/operator/close/{conversation_id}")).ok()
    again = await visitor.say("One more thing")
    assert again["conversation_id"] != conversation_id
    shown = (await world.alex.get(f"/operator/conversation/{again['conversation_id']}")).ok()["conversation"]
    assert shown["previous_id"] == conversation_id
    assert [earlier["id"] for earlier in shown["previous"]] == [conversation_id]


async def test_the_same_message_sent_three_times_at_once_is_said_once(world: World) -> None:
    visitor = world.visitor()
    answers = await asyncio.gather(*(visitor.say("Hello there", message_id="m-1") for _ in range(3)))
    assert len({answer["conversation_id"] for answer in answers}) == 1
    assert len({answer["answer"] for answer in answers}) == 1, "each try gets the same answer"
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["role"] for message in history] == ["visitor", "ai"]


async def test_healthz_says_that_all_five_are_ready(api: Api, stack: Stack) -> None:
    found = (await api.call("GET", "/healthz")).ok()
    assert set(found["services"]) == {"gateway", "chat", "presence", "notify", "translate"}
