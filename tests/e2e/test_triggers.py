"""Triggers through the gateway: what the widget learns, what operators see, what a visitor may ask to have erased."""

from __future__ import annotations

from parley.common.auth.visitor_session import session_handle
from support.api import VisitorClient
from support.identity import SiteServer
from support.tenants import TenantFixture
from support.wait import wait_until

TRIGGER = {"name": "Pricing", "message": "Questions about our plans?", "enabled": True, "seconds": 3}
REPLIES = [{"label": "For two", "value": "Which one is for two?", "url": None}]


async def test_a_visitor_answers_a_trigger_and_asks_for_erasure(tenant: TenantFixture) -> None:
    """The conversation begins with what was shown; an identified visitor's other sessions are theirs too."""
    owner, visitor, page = tenant.owner, tenant.new_visitor(), "https://shop.test/pricing"
    path = f"/sites/{tenant.site_id}/triggers"
    assert (await visitor.post("/heartbeat", page=page)).ok()["triggers"] == ""
    trigger_id = (await owner.post(path, {**TRIGGER, "quick_replies": REPLIES})).ok(201)["trigger"]["id"]
    # The gateway learns of it by an event.
    await wait_until(lambda: _version(visitor, page), description="the heartbeat to name the triggers' version")
    (rule,) = (await visitor.get("/triggers")).ok()["triggers"]
    assert (rule["id"], rule["seconds"], rule["message"]) == (trigger_id, 3, None)
    shown = (await visitor.post("/triggers/show", trigger_ids=[trigger_id])).ok()["trigger"]
    assert shown == {"id": trigger_id, "message": TRIGGER["message"], "quick_replies": REPLIES}
    assert (await visitor.post("/triggers/show", trigger_ids=[trigger_id])).ok()["trigger"] is None
    server = await SiteServer.create(owner, tenant.site_id)
    token = server.sign(f"customer-{trigger_id}")
    visitor.session_id = (await visitor.post("/identify", token=token)).ok()["session_id"] or visitor.session_id
    sent = await visitor.send_message("Which one is for two?", trigger_id=trigger_id, message_id="m1", reply_to=1)
    again = await visitor.send_message("Which one is for two?", trigger_id=trigger_id, message_id="m1", reply_to=1)
    assert again["conversation_id"] == sent["conversation_id"]
    conversation = (await owner.get(f"/operator/conversation/{sent['conversation_id']}")).ok()["conversation"]
    first, second, *_ = conversation["messages"]
    assert (first["role"], first["content"], first["seq"]) == ("ai", TRIGGER["message"], 1)
    assert first["quick_replies"] == REPLIES
    assert (second["role"], second["content"], second["seq"]) == ("visitor", "Which one is for two?", 2)
    assert second["reply_to"] == 1
    counts = (await owner.get(f"/sites/{tenant.site_id}/trigger-counts")).ok()["counts"]
    assert [(row["shown"], row["opened"], row["answered"]) for row in counts] == [(1, 1, 1)]
    await _export_and_erase(tenant, conversation["visitor"]["session_id"], trigger_id)


async def test_who_was_only_shown_a_trigger_can_be_erased(tenant: TenantFixture) -> None:
    visitor = tenant.new_visitor()
    trigger_id = (await tenant.owner.post(f"/sites/{tenant.site_id}/triggers", TRIGGER)).ok(201)["trigger"]["id"]

    async def is_shown() -> bool:
        shown = (await visitor.post("/triggers/show", trigger_ids=[trigger_id])).ok()["trigger"]
        return shown is not None

    await wait_until(is_shown)
    await _export_and_erase(tenant, session_handle(tenant.site_id, visitor.session_id), trigger_id)


async def _version(visitor: VisitorClient, page: str) -> str:
    version: str = (await visitor.post("/heartbeat", page=page)).ok()["triggers"]
    return version


async def _export_and_erase(tenant: TenantFixture, handle: str, trigger_id: int) -> None:
    subject = {"site_id": tenant.site_id, "session_id": handle}
    export = (await tenant.owner.get("/operator/visitor/export", **subject)).ok()["export"]
    assert [(one["trigger_id"], one["message"]) for one in export["triggers"]] == [(trigger_id, TRIGGER["message"])]
    assert (await tenant.owner.post("/operator/visitor/erase", subject)).ok()["erased"]["triggers"] == 1
