"""The main use case through the gateway: the AI answers, an operator takes over, and nothing is lost."""

from __future__ import annotations

import asyncio

from parley_dev.stack import Stack
from support.api import ApiClient
from support.tenants import TenantFixture
from support.wait import wait_until


async def test_an_operator_takes_over_a_conversation_from_the_ai(tenant: TenantFixture) -> None:
    site = f"/sites/{tenant.site_id}"
    entry = {"question": "What are your opening hours?", "answer": "We are open from 9 to 5, Monday to Friday."}
    (await tenant.owner.post(f"{site}/chatbot/knowledge", entry)).ok(201)
    visitor = tenant.new_visitor()
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()

    async with tenant.alex.stream() as panel:
        ready = await panel.wait_for("ready")
        assert ready.data["data"]["sites"] == [tenant.site_id]

        # The AI answers from the site's knowledge, in chunks.
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

            # Of two concurrent accepts one succeeds; the other gets the holder.
            replies = await asyncio.gather(
                tenant.alex.post(f"/operator/accept/{conversation_id}"),
                tenant.sam.post(f"/operator/accept/{conversation_id}"),
            )
            assert sorted(reply.status for reply in replies) == [200, 409]
            winner, loser = (tenant.alex, tenant.sam) if replies[0].status == 200 else (tenant.sam, tenant.alex)
            rejected = next(reply for reply in replies if reply.status == 409)
            assert rejected.body["code"] == "conversation_held"
            assert rejected.body["operator"] == {"id": winner.id, "name": winner.name}
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

            # The AI does not answer any more.
            parts = [part async for part in visitor.stream_reply("I have a question")]
            assert [part["type"] for part in parts] == ["done"]
            assert parts[0]["meta"]["mode"] == "operator"

            (await winner.post(f"/operator/transfer/{conversation_id}", {"operator_id": loser.id})).ok()
            await widget.wait_for("conversation.transferred")
            (await loser.post(f"/operator/close/{conversation_id}")).ok()
            await widget.wait_for("conversation.closed")
            assert not any("VIP" in str(event.data) for event in widget.events), "visitors never receive notes"

    history = (await visitor.get("/history")).ok()
    assert [message["seq"] for message in history["messages"]] == [1, 2, 3, 4]
    assert [message["role"] for message in history["messages"]] == ["visitor", "ai", "operator", "visitor"]
    assert "VIP" not in str(history)
    shown = (await loser.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    assert [entry["action"] for entry in shown["history"]] == ["pending", "accepted", "transferred", "closed"]
    assert [note["content"] for note in shown["notes"]] == ["VIP customer"]
    assert (await tenant.alex.get("/operator/all-chat-counts")).ok()["active"] == 0


async def test_the_operator_list_shows_online_status_and_load(tenant: TenantFixture) -> None:
    _, conversation_id = await tenant.assigned_conversation()
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()

    async def online() -> dict[str, tuple[bool, int]]:
        operators = (await tenant.sam.get("/operator/operators", site_id=tenant.site_id)).ok()["operators"]
        return {one["name"]: (one["online"], one["active_chats"]) for one in operators}

    await wait_until(lambda: _is(online, {"Alex": (True, 1), "Sam": (False, 0), "Olivia Owner": (False, 0)}))
    body = {"site_id": tenant.site_id, "online": False}
    (await tenant.alex.post("/operator/set-status", body)).ok()
    await wait_until(lambda: _is(online, {"Alex": (False, 1), "Sam": (False, 0), "Olivia Owner": (False, 0)}))
    assert conversation_id


async def _is(probe: object, expected: object) -> bool:
    return bool(await probe() == expected)  # type: ignore[operator]


async def test_a_message_after_close_opens_a_conversation_linked_to_the_previous_one(
    tenant: TenantFixture,
) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    (await tenant.alex.post(f"/operator/close/{conversation_id}")).ok()
    again = await visitor.send_message("One more thing")
    assert again["conversation_id"] != conversation_id
    shown = (await tenant.alex.get(f"/operator/conversation/{again['conversation_id']}")).ok()["conversation"]
    assert shown["previous_id"] == conversation_id
    assert [earlier["id"] for earlier in shown["previous"]] == [conversation_id]


async def test_a_message_sent_three_times_concurrently_is_stored_once(tenant: TenantFixture) -> None:
    """T8: a visitor's message sent three times concurrently with one id is stored once, with one reply."""
    visitor = tenant.new_visitor()
    answers = await asyncio.gather(*(visitor.send_message("Hello there", message_id="m-1") for _ in range(3)))
    assert len({answer["conversation_id"] for answer in answers}) == 1
    assert len({answer["answer"] for answer in answers}) == 1, "each attempt gets the same reply"
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["role"] for message in history] == ["visitor", "ai"]


async def test_healthz_reports_all_five_services(api: ApiClient, stack: Stack) -> None:
    health = (await api.request("GET", "/healthz")).ok()
    assert set(health["services"]) == {"gateway", "chat", "presence", "notify", "translate"}
