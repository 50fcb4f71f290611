"""A11: a blocked visitor gets 403 on exactly the paths that the type of block names."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from parley.gateway.routes import Credential
from parley_dev.stack import Stack
from support.api import ApiClient, VisitorClient
from support.authorization_matrix import PDF, file_form, image_form, make_image
from support.identity import SiteServer
from support.routes import proxy_routes
from support.tenants import TenantFixture

WRITING = {
    *("stream", "email", "contact", "form", "offline-form"),
    *("upload-image", "upload-file", "rate", "typing", "handoff", "transcript/email"),
}
"""Paths that reach an operator or the AI, or store something."""

ALLOWED = {
    "history": "their own messages",
    "transcript": "their own messages",
    "operator-messages": "their own messages",
    "pending-proactive": "their own messages",
    "block-status": "reports the block",
    "config": "appearance of the widget",
    "read": "read receipts",
    "heartbeat": "presence; operators see who is blocked",
    "triggers": "conditions of the site's triggers",
    "triggers/show": "shows none, which a test of triggers shows",
    "triggers/opened": "counts nothing of a trigger that was not shown",
    "identify": "says who they are; the block stays",
    "events": "their own conversation",
    "end-session": "ends what they may do",
}
"""Paths that stay open for a blocked visitor, and why."""

BODIES: dict[str, dict[str, Any]] = {
    "stream": {"message": "Let me in"},
    "email": {"email": "jane@example.com"},
    "contact": {"name": "Jane"},
    "offline-form": {"message": "Let me in", "answers": {"email": "jane@example.com"}},
    "rate": {"score": 1},
    "read": {"seq": 1},
    "heartbeat": {"page": "https://shop.test/"},
    "triggers/show": {"trigger_ids": [1]},
    "triggers/opened": {"trigger_id": 1},
}


@pytest.fixture(scope="module")
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    tenant = await TenantFixture.create(api, stack, mongodb_uri)
    # Forms without a question: they prevent nothing, and can be answered.
    forms = {"prechat": {"enabled": True}, "offline": {"enabled": True}}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/forms", forms)).ok()
    return tenant


async def _statuses(tenant: TenantFixture, visitor: VisitorClient, conversation_id: int) -> dict[str, int]:
    """Call every visitor path, as an identified visitor. Returns the statuses by path."""
    statuses: dict[str, int] = {}
    server = await SiteServer.create(tenant.owner, tenant.site_id)
    token = server.sign(f"customer-{conversation_id}")
    visitor.session_id = (await visitor.post("/identify", token=token)).ok()["session_id"]
    # An address that has no limit yet.
    address = {"email": f"jane-{secrets.token_hex(6)}@example.com"}
    bodies = {**BODIES, "identify": {"token": token}, "transcript/email": address}
    for forward in proxy_routes(Credential.VISITOR):
        name = forward.path.removeprefix("/api/v1/chat/")
        if name == "events":
            async with tenant.api.http.get(tenant.api.base_url + forward.path, params=visitor.credentials) as stream:
                statuses[name] = stream.status
        elif name == "end-session":
            device = tenant.new_visitor()
            await server.identify(device, f"customer-{conversation_id}")
            statuses[name] = (await device.post(f"/{name}")).status
        elif name == "upload-image":
            form = image_form(make_image(), **visitor.credentials)
            statuses[name] = (await tenant.api.request("POST", forward.path, data=form)).status
        elif name == "upload-file":
            form = file_form(PDF, **visitor.credentials)
            statuses[name] = (await tenant.api.request("POST", forward.path, data=form)).status
        elif forward.method == "GET":
            statuses[name] = (await visitor.get(f"/{name}")).status
        else:
            statuses[name] = (await visitor.post(f"/{name}", **bodies.get(name, {}))).status
    return statuses


async def _block(tenant: TenantFixture, conversation_id: int, kind: str | None) -> None:
    body = {"blocked": kind is not None, **({"block_type": kind} if kind else {})}
    (await tenant.alex.post(f"/operator/conversation/{conversation_id}/block", body)).ok()


async def test_every_visitor_path_is_classified() -> None:
    """A11: every visitor path is either blocked or explicitly allowed."""
    names = {forward.path.removeprefix("/api/v1/chat/") for forward in proxy_routes(Credential.VISITOR)}
    assert names == WRITING | set(ALLOWED)


async def test_a_visitor_blocked_for_both_can_read_but_not_write(tenant: TenantFixture) -> None:
    """A11: a block for both refuses every path that writes, and only those."""
    visitor = tenant.new_visitor()
    conversation_id = (await visitor.send_message("Hello"))["conversation_id"]
    await _block(tenant, conversation_id, "both")
    statuses = await _statuses(tenant, visitor, conversation_id)
    assert {name for name, status in statuses.items() if status == 403} == WRITING
    assert {name for name, status in statuses.items() if status == 200} == set(ALLOWED)
    assert (await visitor.get("/block-status")).ok() == {"success": True, "blocked": True, "block_type": "both"}
    rejected = await visitor.post("/stream", message="Let me in")
    assert rejected.body["code"] == "visitor_blocked"
    history = (await visitor.get("/history")).ok()["messages"]
    assert "Let me in" not in [one["content"] for one in history]
    await _block(tenant, conversation_id, None)
    assert set((await _statuses(tenant, visitor, conversation_id)).values()) == {200}


async def test_a_visitor_blocked_for_operators_cannot_request_a_handoff(tenant: TenantFixture) -> None:
    """A11: a block for operators refuses the handoff and offline messages, and the AI still answers."""
    visitor = tenant.new_visitor()
    conversation_id = (await visitor.send_message("Hello"))["conversation_id"]
    await _block(tenant, conversation_id, "operator")
    statuses = await _statuses(tenant, visitor, conversation_id)
    assert {name for name, status in statuses.items() if status == 403} == {"handoff", "offline-form"}
    reply = await visitor.send_message("Give me a person please")
    assert reply["mode"] == "ai"
    assert reply["answer"], "the AI still answers"
    waiting = (await tenant.alex.get("/operator/active-chats", site_id=tenant.site_id)).ok()["chats"]
    assert conversation_id not in [chat["id"] for chat in waiting]


async def test_a_block_for_operators_applies_to_an_assigned_conversation(tenant: TenantFixture) -> None:
    """A11: a block for operators also applies while the conversation is assigned to one."""
    visitor, conversation_id = await tenant.assigned_conversation()
    await _block(tenant, conversation_id, "operator")
    shown = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    before = shown["last_seq"]
    reply = await visitor.post("/stream", message="Are you still there?")
    shown = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    if shown["mode"] == "operator":
        assert reply.status == 403
        assert shown["last_seq"] == before


async def test_a_visitor_blocked_for_the_ai_waits_for_an_operator(tenant: TenantFixture) -> None:
    """A11: a block for the AI sends the visitor's messages to the queue, and costs no token."""
    visitor = tenant.new_visitor()
    conversation_id = (await visitor.send_message("Hello"))["conversation_id"]
    await _block(tenant, conversation_id, "ai")
    parts = [part async for part in visitor.stream_reply("Tell me a long story")]
    assert [part["type"] for part in parts] == ["done"], "the AI does not answer"
    assert parts[0]["meta"]["mode"] == "pending", "the conversation waits for an operator instead"
    statuses = await _statuses(tenant, visitor, conversation_id)
    assert 403 not in statuses.values()


async def test_a_block_applies_to_the_next_conversation_and_to_no_other_visitor(tenant: TenantFixture) -> None:
    """A11: a block applies to the visitor's next conversation, and to no other visitor."""
    visitor, conversation_id = await tenant.assigned_conversation()
    await _block(tenant, conversation_id, "both")
    (await tenant.alex.post(f"/operator/close/{conversation_id}")).ok()
    assert (await visitor.post("/stream", message="Again")).status == 403
    other = tenant.new_visitor()
    assert (await other.send_message("Hello"))["mode"] == "ai"
