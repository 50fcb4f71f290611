"""A note that mentions operators: who may be mentioned, and where they find it."""

from __future__ import annotations

from typing import Any

from support.api import OperatorClient
from support.tenants import TenantFixture
from support.wait import wait_until


async def _mentions(operator: OperatorClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await operator.get("/operator/mentions")).ok()["mentions"]
    return found


async def test_a_mention_is_listed_until_it_is_read(tenant: TenantFixture) -> None:
    _, conversation = await tenant.assigned_conversation()
    body = {"conversation_id": conversation, "content": "@Sam, please look", "mentions": [tenant.sam.id]}
    async with tenant.sam.stream() as stream:
        await stream.wait_for("ready")
        note = (await tenant.alex.post("/operator/note", body)).ok()["note"]
        assert note["mentions"] == [tenant.sam.id]
        event = await stream.wait_for("note.created")
        assert event.data["data"]["note"]["mentions"] == [tenant.sam.id]
    await wait_until(lambda: _mentions(tenant.sam))
    [mention] = await _mentions(tenant.sam)
    assert (mention["conversation_id"], mention["note"]["content"]) == (conversation, "@Sam, please look")
    assert await _mentions(tenant.alex) == []
    (await tenant.alex.post(f"/operator/conversation/{conversation}/mentions/read")).ok()
    assert len(await _mentions(tenant.sam)) == 1, "each reads for themselves"
    (await tenant.sam.post(f"/operator/conversation/{conversation}/mentions/read")).ok()
    assert await _mentions(tenant.sam) == []
    shown = (await tenant.sam.get(f"/operator/conversation/{conversation}")).ok()["conversation"]["notes"]
    assert shown[-1]["mentions"] == [tenant.sam.id]


async def test_only_operators_who_may_see_the_chat_are_mentioned(tenant: TenantFixture) -> None:
    _, conversation = await tenant.assigned_conversation()
    other_site = (await tenant.add_site())["id"]
    outsider = await tenant.add_operator("Olga", site_id=other_site)
    for mentions in ([outsider.id], [tenant.sam.id, 2**52], [0], ["Sam"], [tenant.sam.id] * 21):
        body = {"conversation_id": conversation, "content": "@somebody", "mentions": mentions}
        refused = await tenant.alex.post("/operator/note", body)
        assert refused.status == 422, mentions
        assert next(iter(refused.body["errors"])).startswith("mentions")
    assert await _mentions(outsider) == []
