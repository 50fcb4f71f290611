"""Operators see who else looks at a conversation and writes in it; visitors do not."""

from __future__ import annotations

from functools import partial

from support.sse import SseEvent
from support.tenants import TenantFixture


async def test_operators_of_the_site_see_who_views_and_writes(tenant: TenantFixture) -> None:
    visitor, conversation = await tenant.pending_conversation()
    path = f"/operator/conversation/{conversation}/viewing"
    other_site = (await tenant.add_site())["id"]
    outsider = await tenant.add_operator("Olga", site_id=other_site)
    async with tenant.sam.stream() as sam, visitor.events() as widget, outsider.stream() as outside:
        for stream in (sam, widget, outside):
            await stream.wait_for("ready")
        for state in ("viewing", "writing", "left"):
            (await tenant.alex.post(path, {"state": state})).ok()
            event = await sam.wait_for("conversation.viewers", partial(_has_state, state))
            assert event.data["data"]["operator"]["id"] == tenant.alex.id
            assert event.data["data"]["expires_in"] > 10
            assert event.data["conversation_id"] == conversation
            assert event.id is None or not event.id, "it is not kept, so a stream cannot resume at it"
        (await tenant.alex.post("/operator/typing", {"conversation_id": conversation})).ok()
        await widget.wait_for("typing")
        assert not widget.of_type("conversation.viewers")
        assert not outside.of_type("conversation.viewers")
    assert (await outsider.post(path, {"state": "viewing"})).status in (403, 404)
    invalid = await tenant.alex.post(path, {"state": "sleeping"})
    assert (invalid.status, list(invalid.body["errors"])) == (422, ["state"])


def _has_state(state: str, event: SseEvent) -> bool:
    return bool(event.data["data"]["state"] == state)
