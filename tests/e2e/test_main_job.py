"""The main job, through the gateway, with real processes: the AI answers, a person takes over, nothing is lost."""

from __future__ import annotations

import asyncio

from parley_dev.stack import Stack
from support.api import ApiClient
from support.tenants import TenantFixture
from support.wait import wait_until


async def test_a_conversation_is_taken_over_from_the_ai_end_to_end(tenant: TenantFixture) -> None:
    site = f"/sites/{tenant.site_id}"
    entry = {"question": "What are your opening hours?", "answer": "We are open from 9 to 5, Monday to Friday."}
    (await tenant.owner.post(f"{site}/chatbot/knowledge", entry)).ok(201)
    visitor = tenant.new_visitor()
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()

    async with tenant.alex.stream() as panel:
        ready = await panel.wait_for("ready")
        assert ready.data["data"]["sites"] == [tenant.site_id]

        # The AI answers from what the site knows, in pieces.
        parts = [part async for part in visitor.stream_reply("What are your opening hours?")]
        assert len(parts) > 2, "the answer streams"
        assert "".join(part["content"] for part in parts[:-1]) == entry["answer"]
        assert parts[-1]["meta"]["mode"] == "ai"
        conversation_id = parts[-1]["meta"]["conversation_id"]
        first = await panel.wait_for("message.created", lambda e: e.data["data"]["role"] == "visitor")
        assert first.data["data"]["content"] == "What are your opening hours?"
        await panel.wait_for("message.created", lambda e: e.data["data"]["role"] == "ai")

        async with visitor.events() as widget:
            await widget.wait_for("ready")
            assert (await visitor.post("/handoff")).ok()["mode"] == "pending"
            await panel.wait_for("conversation.pending")
            assert (await tenant.alex.get("/operator/all-chat-counts")).ok()["pending"] == 1

            # Two at once: one wins, the other is told who did.
            replies = await asyncio.gather(
                tenant.alex.post(f"/operator/accept/{conversation_id}"),
                tenant.sam.post(f"/operator/accept/{conversation_id}"),
            )
            assert sorted(reply.status for reply in replies) == [200, 409]
            winner, loser = (tenant.alex, tenant.sam) if replies[0].status == 200 else (tenant.sam, tenant.alex)
            refused = next(reply for reply in replies if reply.status == 409)
            assert refused.body["code"] == "conversation_held"
            assert refused.body["operator"] == {"id": winner.id, "name": winner.name}
            accepted = await widget.wait_for("conversation.accepted")
            assert accepted.data["data"] == {"mode": "operator", "operator": {"id": winner.id, "name": winner.name}}

            (await winner.post("/operator/typing", {"conversation_id": conversation_id})).ok()
            typing = await widget.wait_for("typing")
            assert typing.data["data"]["name"] == winner.name
            sent = await winner.send_message(conversation_id, "Hi, how can I help?")
            seen = await widget.wait_for("message.created", lambda e: e.data["data"]["role"] == "operator")
            assert seen.data["data"]["id"] == sent["id"]
            note = {"conversation_id": conversation_id, "content": "VIP customer"}
            (await winner.post("/operator/note", note)).ok()
            await panel.wait_for("note.created")

            # The AI is silent now.
            quiet = [part async for part in visitor.stream_reply("I have a question")]
            assert [part["type"] for part in quiet] == ["done"]
            assert quiet[0]["meta"]["mode"] == "operator"

            (await winner.post(f"/operator/transfer/{conversation_id}", {"operator_id": loser.id})).ok()
            await widget.wait_for("conversation.transferred")
            (await loser.post(f"/operator/close/{conversation_id}")).ok()
            await widget.wait_for("conversation.closed")
            assert not any("VIP" in str(event.data) for event in widget.events), "a note never reaches a visitor"

    history = (await visitor.get("/history")).ok()
    assert [message["seq"] for message in history["messages"]] == [1, 2, 3, 4]
    assert [message["role"] for message in history["messages"]] == ["visitor", "ai", "operator", "visitor"]
    assert "VIP" not in str(history)
    shown = (await loser.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    assert [entry["action"] for entry in shown["history"]] == ["pending", "accepted", "transferred", "closed"]
    assert [note["content"] for note in shown["notes"]] == ["VIP customer"]
    assert (await tenant.alex.get("/operator/all-chat-counts")).ok()["active"] == 0


async def test_the_transfer_list_shows_who_is_there(tenant: TenantFixture) -> None:
    _, conversation_id = await tenant.assigned_conversation()
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()

    async def online() -> dict[str, tuple[bool, int]]:
        found = (await tenant.sam.get("/operator/operators", site_id=tenant.site_id)).ok()["operators"]
        return {one["name"]: (one["online"], one["active_chats"]) for one in found}

    await wait_until(lambda: _is(online, {"Alex": (True, 1), "Sam": (False, 0), "Olivia Owner": (False, 0)}))
    body = {"site_id": tenant.site_id, "online": False}
    (await tenant.alex.post("/operator/set-status", body)).ok()
    await wait_until(lambda: _is(online, {"Alex": (False, 1), "Sam": (False, 0), "Olivia Owner": (False, 0)}))
    assert conversation_id


async def _is(probe: object, expected: object) -> bool:
    return bool(await probe() == expected)  # type: ignore[operator]


async def test_a_visitor_who_writes_after_a_close_opens_a_conversation_that_knows_the_last(
    tenant: TenantFixture,
) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    (await tenant.alex.post(f"/operator/close/{conversation_id}")).ok()
    again = await visitor.send_message("One more thing")
    assert again["conversation_id"] != conversation_id
    shown = (await tenant.alex.get(f"/operator/conversation/{again['conversation_id']}")).ok()["conversation"]
    assert shown["previous_id"] == conversation_id
    assert [earlier["id"] for earlier in shown["previous"]] == [conversation_id]


async def test_the_same_message_sent_three_times_at_once_is_said_once(tenant: TenantFixture) -> None:
    visitor = tenant.new_visitor()
    answers = await asyncio.gather(*(visitor.send_message("Hello there", message_id="m-1") for _ in range(3)))
    assert len({answer["conversation_id"] for answer in answers}) == 1
    assert len({answer["answer"] for answer in answers}) == 1, "each try gets the same answer"
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["role"] for message in history] == ["visitor", "ai"]


async def test_healthz_says_that_all_five_are_ready(api: ApiClient, stack: Stack) -> None:
    found = (await api.request("GET", "/healthz")).ok()
    assert set(found["services"]) == {"gateway", "chat", "presence", "notify", "translate"}
