"""Conversations of an operator who loses access are requeued; a rating belongs to the conversation it was given for."""

from __future__ import annotations

from typing import Any

import pytest

from support.tenants import TenantFixture
from support.wait import wait_until


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("suspended", "operator_suspended"),
        ("removed", "operator_removed"),
        ("demoted", "operator_lost_access"),
        ("taken off the site", "operator_lost_access"),
        ("moved to other sites", "operator_lost_access"),
    ],
)
async def test_the_chats_of_an_operator_who_loses_access_return_to_the_queue(
    tenant: TenantFixture, how: str, reason: str
) -> None:
    answered_visitor, answered = await tenant.assigned_conversation()
    await tenant.alex.send_message(answered, "Hello")
    unread_visitor, unread = await tenant.assigned_conversation()
    await unread_visitor.send_message("Are you there?")
    member = f"/team/{tenant.alex.id}"
    on_site = f"/sites/{tenant.site_id}/team/{tenant.alex.id}"
    async with tenant.sam.stream() as stream:
        await stream.wait_for("ready")
        match how:
            case "suspended":
                (await tenant.owner.send("PUT", member, {"suspended": True})).ok()
            case "removed":
                (await tenant.owner.send("DELETE", member)).ok()
            case "demoted":
                (await tenant.owner.send("PUT", on_site, {"can_view_conversations": True})).ok()
            case "taken off the site":
                (await tenant.owner.send("DELETE", on_site)).ok()
            case "moved to other sites":
                (await tenant.owner.send("PUT", member, {"site_ids": []})).ok()
        for conversation_id in (answered, unread):
            event = await stream.wait_for(
                "conversation.pending",
                lambda event, wanted=conversation_id: event.data["conversation_id"] == wanted,  # type: ignore[misc]
            )
            assert (event.data["data"]["mode"], event.data["data"]["reason"]) == ("pending", reason)
    shown = (await tenant.sam.get(f"/operator/conversation/{answered}")).ok()["conversation"]
    assert (shown["mode"], shown["operator"]) == ("pending", None)
    assert shown["waiting_since"]
    assert shown["history"][-1]["action"] == reason
    assert shown["history"][-1]["by"]["id"] == tenant.alex.id
    history = (await answered_visitor.get("/history")).ok()
    assert (history["mode"], history["operator"]) == ("pending", None)


async def test_another_change_of_an_operator_takes_no_chat_away(tenant: TenantFixture) -> None:
    _, conversation_id = await tenant.assigned_conversation()
    _, lost = await tenant.assigned_conversation()
    other = await tenant.add_site()
    (await tenant.owner.send("PUT", f"/sites/{other['id']}/team/{tenant.alex.id}", {"can_chat": True})).ok()
    (await tenant.alex.send("PUT", "/auth/me", {"name": "Alexandra"})).ok()
    (await tenant.alex.post(f"/operator/transfer/{lost}", {"operator_id": tenant.sam.id})).ok()
    (await tenant.owner.send("DELETE", f"/team/{tenant.sam.id}")).ok()

    async def is_returned() -> bool:
        shown = (await tenant.alex.get(f"/operator/conversation/{lost}")).ok()["conversation"]
        return bool(shown["mode"] == "pending")

    await wait_until(is_returned)
    shown = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    assert shown["operator"]["id"] == tenant.alex.id


async def test_a_rating_belongs_to_the_conversation_that_it_names(tenant: TenantFixture) -> None:
    visitor, first = await tenant.assigned_conversation()
    (await tenant.alex.post(f"/operator/close/{first}")).ok()
    second = (await visitor.send_message("One more question"))["conversation_id"]
    assert second != first
    (await visitor.post("/rate", score=5, conversation_id=first)).ok()
    assert await _ratings(tenant, first, second) == [5, None]
    (await visitor.post("/rate", score=2)).ok()
    assert await _ratings(tenant, first, second) == [5, 2]
    stranger = tenant.new_visitor()
    await stranger.send_message("Hello")
    assert (await stranger.post("/rate", score=1, conversation_id=first)).status == 404
    assert await _ratings(tenant, first, second) == [5, 2]


async def _ratings(tenant: TenantFixture, *conversation_ids: int) -> list[Any]:
    responses = [await tenant.alex.get(f"/operator/conversation/{one}") for one in conversation_ids]
    return [response.ok()["conversation"]["rating"] for response in responses]
