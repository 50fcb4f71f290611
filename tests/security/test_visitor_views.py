"""A18: nothing that operators know or write about a visitor is in any answer or event that the visitor gets."""

from __future__ import annotations

import json
import secrets
from typing import Any

import aiohttp

from parley.common.http import CallerType
from support.api import VisitorClient
from support.authorization_matrix import PDF, file_form
from support.identity import SiteServer
from support.routes import public_endpoints
from support.tenants import TenantFixture

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)

REQUESTS: dict[str, dict[str, Any]] = {
    "GET /api/v1/chat/history": {},
    "GET /api/v1/chat/transcript": {},
    "POST /api/v1/chat/transcript/email": {"email": "views@example.com"},
    "GET /api/v1/chat/operator-messages": {},
    "GET /api/v1/chat/pending-proactive": {},
    "GET /api/v1/chat/block-status": {},
    "GET /api/v1/chat/config": {},
    "POST /api/v1/chat/heartbeat": {"page": "https://shop.test/", "title": "Shop"},
    "POST /api/v1/chat/stream": {"message": "One more thing"},
    "POST /api/v1/chat/email": {"email": "given@example.com"},
    "POST /api/v1/chat/contact": {"phone": "+44 20 7946 0018"},
    "POST /api/v1/chat/form": {"lang": "en"},
    "POST /api/v1/chat/offline-form": {"message": "Are you there?", "answers": {"email": "given@example.com"}},
    "POST /api/v1/chat/rate": {"score": 4},
    "POST /api/v1/chat/read": {"seq": 1},
    "POST /api/v1/chat/typing": {},
    "POST /api/v1/chat/handoff": {},
    "POST /api/v1/chat/upload-image": {},
    "POST /api/v1/chat/upload-file": {},
    "POST /api/v1/chat/identify": {},
    "GET /api/v1/chat/triggers": {},
    "POST /api/v1/chat/triggers/show": {"trigger_ids": [1]},
    "POST /api/v1/chat/triggers/opened": {"trigger_id": 1},
    "GET /api/v1/chat/events": {},
    "POST /api/v1/chat/end-session": {},
}
"""Every endpoint of visitors, with the fields of a valid request. A new endpoint belongs here."""


async def _call(visitor: VisitorClient, endpoint: str, fields: dict[str, Any]) -> str:
    method, path = endpoint.split(" ")
    path = path.removeprefix("/api/v1/chat")
    if path == "/upload-image":
        form = aiohttp.FormData({**visitor.credentials})
        form.add_field("image", PIXEL, filename="a.png", content_type="image/png")
        response = await visitor.api.request("POST", f"/api/v1/chat{path}", data=form)
    elif path == "/upload-file":
        response = await visitor.api.request("POST", f"/api/v1/chat{path}", data=file_form(PDF, **visitor.credentials))
    elif method == "GET":
        response = await visitor.get(path, **fields)
    else:
        response = await visitor.post(path, **fields)
    assert response.status < 300, (endpoint, response.raw)
    return response.raw.decode()


async def test_no_answer_or_event_shows_what_operators_know(tenant: TenantFixture) -> None:
    """A18: canaries that operators leave in every field about a visitor occur nowhere in what the visitor gets."""
    routes = {one.name for one in public_endpoints() if one.route.caller_type is CallerType.VISITOR}
    assert routes == set(REQUESTS), "every endpoint of visitors is walked"
    canary = f"canary{secrets.token_hex(8)}"
    forms = {"prechat": {"enabled": True}, "offline": {"enabled": True}}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/forms", forms)).ok()
    visitor, conversation_id = await tenant.assigned_conversation()
    server = await SiteServer.create(tenant.owner, tenant.site_id)
    await server.identify(visitor, "customer-42", name="Jane Proved")
    own_token = server.sign("customer-42", attributes={"plan": canary})
    (await visitor.post("/contact", name="Jane Given", email="given@example.com")).ok()
    conversation = f"/operator/conversation/{conversation_id}"
    async with visitor.events() as events:
        await events.wait_for("ready")
        details = {
            "name": f"{canary} name",
            "email": f"{canary}@example.com",
            "phone": "+44 20 7946 0099",
            "info": {canary: "secret", "rating": canary},
        }
        (await tenant.alex.send("PUT", f"{conversation}/visitor", details)).ok()
        note = {"conversation_id": conversation_id, "content": canary}
        (await tenant.alex.post("/operator/note", note)).ok()
        (await tenant.alex.post(f"{conversation}/block", {"blocked": True, "block_type": "ai"})).ok()
        (await tenant.alex.send_message(conversation_id, "Hello Jane"))
        (await tenant.alex.post(f"/operator/transfer/{conversation_id}", {"operator_id": tenant.sam.id})).ok()
        seen = {
            endpoint: await _call(visitor, endpoint, fields or {"token": own_token})
            for endpoint, fields in REQUESTS.items()
            if not endpoint.endswith(("/events", "/end-session"))
        }
        (await tenant.sam.post(f"/operator/close/{conversation_id}")).ok()
        await events.wait_for("conversation.closed")
        seen["events"] = json.dumps([event.data for event in events.events])
        first = events.events[0].id
    async with visitor.events(last_event_id=first) as replayed:
        await replayed.wait_for("conversation.closed")
        seen["replayed events"] = json.dumps([event.data for event in replayed.events])
    seen["history after the close"] = await _call(visitor, "GET /api/v1/chat/history", {})
    seen["end of the session"] = await _call(visitor, "POST /api/v1/chat/end-session", {})
    assert not [where for where, text in seen.items() if canary in text or "7946 0099" in text]
    own = json.loads(seen["history after the close"])["visitor"]
    assert {name: own[name] for name in ("name", "email", "phone")} == {
        "name": "Jane Given",
        "email": "given@example.com",
        "phone": "+44 20 7946 0018",
    }
    assert set(own) == {"session_id", "name", "email", "phone", "language"}
    shown = json.loads(seen["history after the close"])["messages"][0]
    assert set(shown) == {
        *("id", "conversation_id", "seq", "role", "content", "image_url", "file"),
        *("sender", "message_id", "translation", "sources", "quick_replies", "reply_to"),
        *("confirmation", "created_at"),
    }


async def test_a_detail_that_an_operator_deletes_is_not_shown_again(tenant: TenantFixture) -> None:
    """A18: a contact detail that an operator deletes is gone for the visitor as well."""
    visitor, conversation_id = await tenant.assigned_conversation()
    (await visitor.post("/email", email="given@example.com")).ok()
    path = f"/operator/conversation/{conversation_id}/visitor"
    (await tenant.alex.send("PUT", path, {"email": None})).ok()
    assert (await visitor.get("/history")).ok()["visitor"]["email"] is None
