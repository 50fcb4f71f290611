"""A11: a blocked visitor is refused on exactly the paths that the kind of block names."""

from __future__ import annotations

from typing import Any

import pytest

from parley.gateway.routes import Credential
from parley_dev.stack import Stack
from support.api import ApiClient, VisitorClient
from support.authorization_matrix import image_form, make_image
from support.routes import proxy_routes
from support.tenants import TenantFixture

WRITING = {"stream", "email", "contact", "upload-image", "rate", "typing", "handoff"}
"""What reaches somebody, or leaves something with us."""

FREE = {
    "history": "their own words",
    "operator-messages": "their own words",
    "pending-proactive": "their own words",
    "block-status": "tells that they are blocked",
    "config": "how the widget looks",
    "read": "what they have seen",
    "heartbeat": "that they are there; operators see who is blocked",
    "events": "their own conversation",
}
"""What a blocked visitor may go on with, and why."""

BODIES: dict[str, dict[str, Any]] = {
    "stream": {"message": "Let me in"},
    "email": {"email": "jane@example.com"},
    "contact": {"name": "Jane"},
    "rate": {"score": 1},
    "read": {"seq": 1},
    "heartbeat": {"page": "https://shop.test/"},
}


@pytest.fixture(scope="module")
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    return await TenantFixture.create(api, stack, mongodb_uri)


async def _statuses(tenant: TenantFixture, visitor: VisitorClient) -> dict[str, int]:
    """What every path of a visitor answers."""
    found: dict[str, int] = {}
    for forward in proxy_routes(Credential.VISITOR):
        name = forward.path.rpartition("/")[2]
        if name == "events":
            async with tenant.api.http.get(tenant.api.base_url + forward.path, params=visitor.credentials) as stream:
                found[name] = stream.status
        elif name == "upload-image":
            form = image_form(make_image(), **visitor.credentials)
            found[name] = (await tenant.api.request("POST", forward.path, data=form)).status
        elif forward.method == "GET":
            found[name] = (await visitor.get(f"/{name}")).status
        else:
            found[name] = (await visitor.post(f"/{name}", **BODIES.get(name, {}))).status
    return found


async def _block(tenant: TenantFixture, conversation_id: int, kind: str | None) -> None:
    body = {"blocked": kind is not None, **({"block_type": kind} if kind else {})}
    (await tenant.alex.post(f"/operator/conversation/{conversation_id}/block", body)).ok()


async def test_every_path_is_one_or_the_other() -> None:
    names = {forward.path.rpartition("/")[2] for forward in proxy_routes(Credential.VISITOR)}
    assert names == WRITING | set(FREE)


async def test_blocked_for_both_can_write_nowhere_and_read_on(tenant: TenantFixture) -> None:
    visitor = tenant.new_visitor()
    conversation_id = (await visitor.send_message("Hello"))["conversation_id"]
    await _block(tenant, conversation_id, "both")
    found = await _statuses(tenant, visitor)
    assert {name for name, status in found.items() if status == 403} == WRITING
    assert {name for name, status in found.items() if status == 200} == set(FREE)
    assert (await visitor.get("/block-status")).ok() == {"success": True, "blocked": True, "block_type": "both"}
    refused = await visitor.post("/stream", message="Let me in")
    assert refused.body["code"] == "visitor_blocked"
    history = (await visitor.get("/history")).ok()["messages"]
    assert "Let me in" not in [one["content"] for one in history]
    await _block(tenant, conversation_id, None)
    assert set((await _statuses(tenant, visitor)).values()) == {200}


async def test_blocked_for_operators_never_reaches_one(tenant: TenantFixture) -> None:
    visitor = tenant.new_visitor()
    conversation_id = (await visitor.send_message("Hello"))["conversation_id"]
    await _block(tenant, conversation_id, "operator")
    found = await _statuses(tenant, visitor)
    assert {name for name, status in found.items() if status == 403} == {"handoff"}
    said = await visitor.send_message("Give me a person please")
    assert said["mode"] == "ai"
    assert said["answer"], "the AI goes on answering"
    waiting = (await tenant.alex.get("/operator/active-chats", site_id=tenant.site_id)).ok()["chats"]
    assert conversation_id not in [chat["id"] for chat in waiting]


async def test_blocked_for_operators_while_held_is_cut_off_from_them(tenant: TenantFixture) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    await _block(tenant, conversation_id, "operator")
    shown = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    before = shown["last_seq"]
    reply = await visitor.post("/stream", message="Are you still there?")
    shown = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    if shown["mode"] == "operator":
        assert reply.status == 403
        assert shown["last_seq"] == before


async def test_blocked_for_the_ai_never_costs_a_token(tenant: TenantFixture) -> None:
    visitor = tenant.new_visitor()
    conversation_id = (await visitor.send_message("Hello"))["conversation_id"]
    await _block(tenant, conversation_id, "ai")
    parts = [part async for part in visitor.stream_reply("Tell me a long story")]
    assert [part["type"] for part in parts] == ["done"], "no AI says a word"
    assert parts[0]["meta"]["mode"] == "pending", "a person is awaited instead"
    found = await _statuses(tenant, visitor)
    assert 403 not in found.values()


async def test_a_block_holds_in_the_next_conversation_and_not_for_others(tenant: TenantFixture) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    await _block(tenant, conversation_id, "both")
    (await tenant.alex.post(f"/operator/close/{conversation_id}")).ok()
    assert (await visitor.post("/stream", message="Again")).status == 403
    other = tenant.new_visitor()
    assert (await other.send_message("Hello"))["mode"] == "ai"
