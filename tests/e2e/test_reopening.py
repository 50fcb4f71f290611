"""Reopening a closed conversation: who may, what the visitor gets, and what a newer conversation changes."""

from __future__ import annotations

import asyncio

from support.tenants import TenantFixture


async def test_a_closed_conversation_goes_on_for_operator_and_visitor(tenant: TenantFixture) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    reopen = f"/operator/conversation/{conversation_id}/reopen"
    assert (await tenant.sam.post(reopen)).body["code"] == "conversation_held"
    async with visitor.events() as widget:
        (await tenant.alex.post(f"/operator/close/{conversation_id}")).ok()
        await widget.wait_for("conversation.closed")
        reopened = (await tenant.sam.post(reopen)).ok()["conversation"]
        assert (reopened["mode"], reopened["operator"]["name"]) == ("operator", "Sam")
        event = (await widget.wait_for("conversation.reopened")).data
        assert (event["data"]["mode"], event["data"]["operator"]["name"]) == ("operator", "Sam")
        assert "conversation" not in event["data"]
    (await tenant.sam.post(reopen)).ok()
    await tenant.sam.send_message(conversation_id, "One more thing")
    # A widget that saw the chat closed does not connect on its next page: it asks.
    unread = (await visitor.get("/pending-proactive")).ok()["messages"]
    assert [message["content"] for message in unread] == ["One more thing"]
    assert (await visitor.send_message("Thank you"))["conversation_id"] == conversation_id
    shown = (await tenant.sam.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    assert [entry["action"] for entry in shown["history"]] == ["pending", "accepted", "closed", "reopened"]
    await tenant.owner.wait_for_audit("conversation.reopened", "conversation.closed")


async def test_only_a_visitors_latest_conversation_can_be_reopened(tenant: TenantFixture) -> None:
    visitor, older = await tenant.assigned_conversation()
    (await tenant.alex.post(f"/operator/close/{older}")).ok()
    newer = (await visitor.send_message("A new question"))["conversation_id"]
    refused = await tenant.alex.post(f"/operator/conversation/{older}/reopen")
    assert (refused.status, refused.body["code"]) == (409, "newer_conversation")
    assert refused.body["conversation_id"] == newer
    (await tenant.alex.post(f"/operator/close/{newer}")).ok()
    refused = await tenant.alex.post(f"/operator/conversation/{older}/reopen")
    assert refused.status == 409, "the visitor sees only the newer one"
    (await tenant.alex.post(f"/operator/conversation/{newer}/reopen")).ok()
    refused = await tenant.alex.post("/operator/conversation/999999999/reopen")
    assert refused.status == 404


async def test_of_two_operators_who_reopen_at_once_one_has_it(tenant: TenantFixture) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    (await tenant.alex.post(f"/operator/close/{conversation_id}")).ok()
    reopen = f"/operator/conversation/{conversation_id}/reopen"
    responses = await asyncio.gather(tenant.alex.post(reopen), tenant.sam.post(reopen))
    assert sorted(response.status for response in responses) == [200, 409]
    shown = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    assert [entry["action"] for entry in shown["history"]].count("reopened") == 1
    assert (await visitor.get("/history")).ok()["mode"] == "operator"
