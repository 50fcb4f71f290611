"""Bulk actions: one thing done to many conversations, each answered by itself, and undone where nothing is newer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from parley.common.runtime.clock import to_rfc3339, utc_now
from support.api import OperatorClient
from support.tenants import TenantFixture
from support.wait import wait_until

BULK = "/operator/conversations/bulk"


async def _perform(operator: OperatorClient, action: str, ids: list[int], **fields: Any) -> dict[str, Any]:
    body = {"action": action, "conversation_ids": ids, **fields}
    done: dict[str, Any] = (await operator.post(BULK, body)).ok()
    assert [result["conversation_id"] for result in done["results"]] == ids
    return done


async def _undo(operator: OperatorClient, action_id: int) -> list[str | None]:
    undone = (await operator.post(f"{BULK}/{action_id}/undo")).ok()
    return [result["code"] for result in undone["results"]]


async def _get(operator: OperatorClient, conversation_id: int) -> dict[str, Any]:
    shown: dict[str, Any] = (await operator.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    return shown


async def test_closed_conversations_return_to_who_had_them(tenant: TenantFixture) -> None:
    alex, sam = tenant.alex, tenant.sam
    (_, own), (returning, left), (_, waiting) = [
        await tenant.assigned_conversation(),
        await tenant.assigned_conversation(),
        await tenant.pending_conversation(),
    ]
    _, of_sam = await tenant.pending_conversation()
    (await sam.post(f"/operator/accept/{of_sam}")).ok()
    waiting_since = (await _get(alex, waiting))["waiting_since"]

    done = await _perform(alex, "close", [own, left, waiting, of_sam, 10**9])
    assert [result["code"] for result in done["results"]] == [None, None, None, "conversation_held", "not_found"]
    assert (await _get(alex, own))["mode"] == "closed"
    await returning.send_message("One more thing")

    assert (await sam.post(f"{BULK}/{done['action_id']}/undo")).status == 404, "only who did it"
    assert await _undo(alex, done["action_id"]) == [None, "newer_conversation", None]
    restored = await _get(alex, own)
    assert (restored["mode"], restored["operator"]["id"]) == ("operator", alex.id)
    restored = await _get(alex, waiting)
    assert (restored["mode"], restored["waiting_since"]) == ("pending", waiting_since)
    assert (await _get(alex, of_sam))["operator"]["id"] == sam.id
    assert await _undo(alex, done["action_id"]) == ["changed_since", "newer_conversation", "changed_since"]
    audited = await tenant.owner.wait_for_audit(
        "conversation.restored", "conversation.restored", action="conversation.restored"
    )
    assert {entry["target"]["id"] for entry in audited} == {str(own), str(waiting)}


async def test_what_was_changed_since_is_not_overwritten(tenant: TenantFixture) -> None:
    alex, sam = tenant.alex, tenant.sam
    labels = [
        (await tenant.owner.post("/labels", {"name": name, "scope": "all"})).ok(201)["label"]["id"]
        for name in ("Bug", "VIP", "Spam")
    ]
    bug, vip, spam = labels
    _, first = await tenant.pending_conversation()
    visitor, second = await tenant.pending_conversation()
    (await alex.send("PUT", f"/operator/conversation/{first}/labels", {"labels": [bug]})).ok()

    labeled = await _perform(alex, "label", [first, second], label_ids=[bug, vip])
    (await sam.send("PUT", f"/operator/conversation/{second}/labels", {"labels": [vip, spam]})).ok()
    assert await _undo(alex, labeled["action_id"]) == [None, None]
    assert (await _get(alex, first))["labels"] == [bug], "which it had before"
    assert (await _get(alex, second))["labels"] == [spam], "which Sam gave"

    assigned = await _perform(alex, "assign", [first, second], operator_id=sam.id)
    (await sam.post(f"/operator/release/{first}")).ok()
    await visitor.send_message("Are you there?")
    assert await _undo(alex, assigned["action_id"]) == ["changed_since", None]
    assert (await _get(alex, first))["mode"] == "ai"
    assert (await _get(alex, second))["mode"] == "pending"

    until = to_rfc3339(utc_now() + timedelta(hours=1))
    snoozed = await _perform(alex, "snooze", [second], until=until)
    assert (await alex.get("/operator/all-active-chats")).ok()["chats"] == []
    assert [row["id"] for row in (await alex.get("/operator/all-active-chats", status="snoozed")).ok()["chats"]] == [
        second
    ]
    counts = (await alex.get("/operator/all-chat-counts")).ok()
    assert counts["pending"] == 0
    await visitor.send_message("Hello?")
    assert (await _get(alex, second))["snoozed_until"] is None
    assert await _undo(alex, snoozed["action_id"]) == ["changed_since"]
    assert (await _perform(alex, "unlabel", [second], label_ids=[bug]))["action_id"] is None, "nothing changed"


async def test_a_snooze_ends_by_itself(tenant: TenantFixture) -> None:
    _, conversation_id = await tenant.assigned_conversation()
    async with tenant.alex.stream() as stream:
        await stream.wait_for("ready")
        until = {"until": to_rfc3339(utc_now() + timedelta(seconds=1))}
        (await tenant.alex.send("PUT", f"/operator/conversation/{conversation_id}/snooze", until)).ok()
        woken = await stream.wait_for(
            "conversation.updated", lambda event: bool(event.data["data"]["reason"] == "woken")
        )
    assert woken.data["data"]["conversation"]["snoozed_until"] is None

    async def is_listed() -> bool:
        chats = (await tenant.alex.get("/operator/all-active-chats")).ok()["chats"]
        return [row["id"] for row in chats] == [conversation_id]

    await wait_until(is_listed)


async def test_a_bulk_action_is_validated(tenant: TenantFixture) -> None:
    _, conversation_id = await tenant.pending_conversation()
    one = {"conversation_ids": [conversation_id]}
    for body, field in (
        ({"action": "assign", **one}, "operator_id"),
        ({"action": "label", **one}, "label_ids"),
        ({"action": "snooze", **one}, "until"),
        ({"action": "explode", **one}, "action"),
        ({"action": "close", "conversation_ids": []}, "conversation_ids"),
        ({"action": "close", "conversation_ids": list(range(1, 202))}, "conversation_ids"),
    ):
        refused = await tenant.alex.post(BULK, body)
        assert refused.status in (400, 422)
        assert field in refused.body["errors"], refused.raw
    assert (await tenant.alex.post(BULK, {"action": "assign", "operator_id": 10**9, **one})).status == 404
