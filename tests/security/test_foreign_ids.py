"""A2: ids of another tenant in bodies, lists and counts: 404, no partial write, no foreign row."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from parley.common.http import CallerType
from parley_dev.stack import Stack
from support.api import ApiClient, VisitorClient
from support.authorization_matrix import (
    TenantResources,
    image_form,
    is_resource_scoped,
    make_image,
    report_wrong_answer,
)
from support.routes import get_fields, public_endpoints
from support.tenants import TenantFixture
from support.wait import wait_until
from support.web_push import EXAMPLE_SUBSCRIPTION

CANARY = "canary-of-another-tenant"
REQUIRED_PARAMETERS: dict[str, dict[str, Any]] = {
    "/operator/search": {"q": CANARY},
    "/reports": {"from": "2026-01-01", "to": "2026-12-31", "group_by": "site"},
}


@dataclass(frozen=True, slots=True)
class OtherTenant:
    """Another tenant whose names all contain the canary."""

    tenant: TenantFixture
    target: TenantResources
    visitor: VisitorClient
    image_url: str


@pytest.fixture(scope="module")
async def other(stack: Stack, api: ApiClient, mongodb_uri: str) -> OtherTenant:
    tenant = await TenantFixture.create(api, stack, mongodb_uri)
    target = await TenantResources.create(tenant)
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"name": CANARY})).ok()
    visitor, conversation_id = await tenant.pending_conversation(CANARY)
    (await visitor.post("/contact", name=CANARY, email="jane@example.com")).ok()
    (await visitor.post("/heartbeat", page="https://shop.test/", title=CANARY)).ok()
    (await visitor.post("/rate", score=1, comment=CANARY)).ok()
    block = {"blocked": True, "block_type": "ai"}
    (await tenant.alex.post(f"/operator/conversation/{conversation_id}/block", block)).ok()
    form = image_form(make_image())
    uploaded = await api.request("POST", "/api/v1/operator/upload-image", token=tenant.alex.token, data=form)
    return OtherTenant(tenant, target, visitor, uploaded.ok()["url"])


async def test_a_foreign_operator_can_be_given_neither_conversations_nor_sites(
    tenant: TenantFixture, other: OtherTenant
) -> None:
    """A2: another tenant's operator cannot be given a conversation or access to a site."""
    _, own_id = await tenant.assigned_conversation()
    foreign_id = other.target.operator_id
    assert (await tenant.alex.post(f"/operator/transfer/{own_id}", {"operator_id": foreign_id})).status == 404
    shown = (await tenant.alex.get(f"/operator/conversation/{own_id}")).ok()["conversation"]
    assert shown["operator"]["id"] == tenant.alex.id
    path = f"/sites/{tenant.site_id}/team/{foreign_id}"
    assert (await tenant.owner.send("PUT", path, {"can_chat": True})).status == 404
    assert (await tenant.owner.send("DELETE", path)).status == 404


async def test_a_foreign_site_in_a_list_rejects_the_whole_request(tenant: TenantFixture, other: OtherTenant) -> None:
    """A2: a foreign site id in a list of sites rejects the whole request without a partial write."""
    mixed = [tenant.site_id, other.target.site_id]
    before = (await tenant.owner.get("/team")).ok()["team"]
    member = {"email": f"new@{tenant.name}.test", "name": "New", "site_ids": mixed}
    assert (await tenant.owner.post("/team", member)).status == 404
    assert (await tenant.owner.send("PUT", f"/team/{tenant.sam.id}", {"site_ids": mixed})).status == 404
    assert (await tenant.owner.get("/team")).ok()["team"] == before
    assert (await tenant.alex.post("/operator/heartbeat", {"site_ids": mixed})).status == 404
    assert (await tenant.alex.get("/operator/status")).ok()["online"] is False


async def test_a_foreign_knowledge_entry_cannot_be_changed_through_an_own_site(
    tenant: TenantFixture, other: OtherTenant
) -> None:
    """A2: another tenant's knowledge entry cannot be changed through the caller's own site."""
    path = f"/sites/{tenant.site_id}/chatbot/knowledge/{other.target.entry_id}"
    entry = {"question": "Whose?", "answer": "Mine."}
    assert (await tenant.owner.send("PUT", path, entry)).status == 404
    assert (await tenant.owner.send("DELETE", path)).status == 404
    known = (await other.tenant.owner.get(f"/sites/{other.target.site_id}/chatbot/knowledge")).ok()["knowledge"]
    assert [one["answer"] for one in known if one["id"] == other.target.entry_id] == ["We are."]


async def test_a_foreign_tool_cannot_be_reached_through_an_own_site(tenant: TenantFixture, other: OtherTenant) -> None:
    """A2: another tenant's tool cannot be changed or called through the caller's own site."""
    path = f"/sites/{tenant.site_id}/chatbot/tools/{other.target.tool_id}"
    body = {"name": "mine", "title": "Mine", "description": "Mine.", "url": "https://1.1.1.1/mine"}
    assert (await tenant.owner.send("PUT", path, body)).status == 404
    for at in ("secret", "try"):
        assert (await tenant.owner.post(f"{path}/{at}", {})).status == 404
    assert (await tenant.owner.send("DELETE", path)).status == 404
    known = (await other.tenant.owner.get(f"/sites/{other.target.site_id}/chatbot/tools")).ok()["tools"]
    assert [tool["name"] for tool in known if tool["id"] == other.target.tool_id] == ["stock"]


async def test_a_foreign_mcp_server_cannot_be_reached_through_an_own_site(
    tenant: TenantFixture, other: OtherTenant
) -> None:
    """A2: another tenant's MCP server cannot be changed or called through the caller's own site."""
    path = f"/sites/{tenant.site_id}/chatbot/mcp-servers/{other.target.server_id}"
    assert (await tenant.owner.send("PUT", path, {"name": "mine", "url": "https://1.1.1.1/mcp"})).status == 404
    assert (await tenant.owner.send("PUT", f"{path}/tools", {"tools": []})).status == 404
    shown = {"name": "stock", "fingerprint": "0" * 64}
    for at, body in (("secret", {}), ("check", {}), ("try", shown)):
        assert (await tenant.owner.post(f"{path}/{at}", body)).status == 404
    assert (await tenant.owner.send("DELETE", path)).status == 404
    known = (await other.tenant.owner.get(f"/sites/{other.target.site_id}/chatbot/mcp-servers")).ok()["servers"]
    assert [server["name"] for server in known if server["id"] == other.target.server_id] == ["shop"]


async def test_a_foreign_answer_test_or_run_cannot_be_reached_through_an_own_site(
    tenant: TenantFixture, other: OtherTenant
) -> None:
    """A2: another tenant's answer test, run and chat cannot be reached through the caller's own site."""
    path, target = f"/sites/{tenant.site_id}/chatbot/tests", other.target
    changed = await tenant.owner.send("PUT", f"{path}/{target.test_id}", {"question": "Why?"})
    assert (changed.status, changed.body["code"]) == (404, "not_found")
    assert (await tenant.owner.send("DELETE", f"{path}/{target.test_id}")).status == 404
    for name in ("", "/results", "/replays"):
        assert (await tenant.owner.get(f"{path}/runs/{target.run_id}{name}")).status == 404
    assert (await tenant.owner.post(f"{path}/runs/{target.run_id}/cancel", {})).status == 404
    body = {"question": "Why?", "conversation_id": target.conversation_id}
    assert (await tenant.owner.post(path, body)).status == 404


async def test_a_foreign_gap_cannot_be_reached_through_an_own_site(tenant: TenantFixture, other: OtherTenant) -> None:
    """A2: another tenant's gap of knowledge cannot be read, closed or made an entry through the caller's own site."""
    path = f"/sites/{tenant.site_id}/knowledge-gaps/{other.target.gap_id}"
    for method, target, body in (
        ("GET", path, None),
        ("PUT", path, {"state": "dismissed"}),
        ("POST", f"{path}/entry", {"question": "Why?", "answer": "Because."}),
    ):
        assert (await tenant.owner.send(method, target, body)).status == 404
    listed = (await other.tenant.owner.get(f"/sites/{other.target.site_id}/knowledge-gaps")).ok()["gaps"]
    assert other.target.gap_id in [gap["id"] for gap in listed]
    assert (await tenant.owner.get(f"/sites/{tenant.site_id}/chatbot/knowledge")).ok()["knowledge"] == []


async def test_a_foreign_correction_or_answer_cannot_be_reached_through_an_own_site(
    tenant: TenantFixture, other: OtherTenant
) -> None:
    """A2: another tenant's correction, its chats and its answers are not found through the caller's own site."""
    site, target = f"/sites/{tenant.site_id}", other.target
    one, answer = f"{site}/corrections/{target.correction_id}", {"conversation_id": target.conversation_id, "seq": 2}
    entry = {"question": "Why?", "answer": "Because."}
    for method, path, body in (
        ("GET", f"{one}/conversations", None),
        ("POST", f"{one}/apply", entry),
        ("POST", f"{site}/corrections", {**answer, "right_answer": "Mine."}),
    ):
        assert (await tenant.owner.send(method, path, body)).status == 404
    assert (await tenant.owner.get(f"{site}/cited-passages", **answer)).status == 404
    own = await report_wrong_answer(*await _know(tenant))
    foreign = {**entry, "entry_id": target.entry_id}
    assert (await tenant.owner.post(f"{site}/corrections/{own}/apply", foreign)).status == 404


async def _know(tenant: TenantFixture) -> tuple[TenantFixture, str]:
    """Add an entry; returns its question."""
    entry = {"question": "Are you open?", "answer": "We are."}
    (await tenant.owner.post(f"/sites/{tenant.site_id}/chatbot/knowledge", entry)).ok(201)
    return tenant, entry["question"]


async def test_a_foreign_knowledge_source_cannot_be_reached_through_an_own_site(
    tenant: TenantFixture, other: OtherTenant
) -> None:
    """A2: another tenant's knowledge source and its documents cannot be reached through the caller's own site."""
    path = f"/sites/{tenant.site_id}/knowledge/sources/{other.target.source_id}"
    document = f"{path}/documents/{other.target.document_id}"
    for method, target, body in (
        ("GET", path, None),
        ("PUT", path, {"name": "Mine"}),
        ("POST", f"{path}/sync", {}),
        ("GET", f"{path}/documents", None),
        ("PUT", document, {"enabled": False}),
        ("POST", f"{document}/approve", {}),
        ("DELETE", document, None),
        ("DELETE", path, None),
    ):
        assert (await tenant.owner.send(method, target, body)).status == 404, target
    own = (await tenant.owner.post(f"/sites/{tenant.site_id}/knowledge/sources", {"kind": "file", "name": "Own"})).ok(
        201
    )
    mixed = f"/sites/{tenant.site_id}/knowledge/sources/{own['source']['id']}/documents/{other.target.document_id}"
    assert (await tenant.owner.send("PUT", mixed, {"enabled": False})).status == 404


async def test_a_foreign_visitor_cannot_be_contacted_through_an_own_site(
    tenant: TenantFixture, other: OtherTenant
) -> None:
    """A2: another tenant's visitor cannot be contacted through the caller's own site."""
    body = {"site_id": tenant.site_id, "session_id": other.target.session_id, "content": "Psst"}
    assert (await tenant.alex.post("/operator/proactive-message", body)).status == 404


async def test_a_foreign_image_cannot_be_sent(tenant: TenantFixture, other: OtherTenant) -> None:
    """A2: another tenant's image is rejected in messages."""
    visitor, own_id = await tenant.assigned_conversation()
    body = {"conversation_id": own_id, "content": "", "image_url": other.image_url}
    rejected = await tenant.alex.post("/operator/message", body)
    assert rejected.status == 422
    assert "image_url" in rejected.body["errors"]
    assert (await visitor.post("/stream", message="Look", image_url=other.image_url)).status == 422


@pytest.fixture
async def tokens(stack: Stack, mongodb_uri: str) -> AsyncIterator[Any]:
    prefix = stack.environment("notify")["PARLEY_DATABASE_PREFIX"]
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        yield client[f"{prefix}_notify"]["push_tokens"]


async def test_a_foreign_device_cannot_be_removed(tenant: TenantFixture, other: OtherTenant, tokens: Any) -> None:
    """A2: another tenant's push device cannot be removed."""
    device = {"token": "their-device-" + "d" * 120}
    owner = {"operator_id": other.tenant.alex.id}
    (await other.tenant.alex.post("/operator/fcm-token", device)).ok()
    (await tenant.alex.send("DELETE", "/operator/fcm-token", device)).ok()
    (await tenant.alex.send("DELETE", "/operator/fcm-token")).ok()
    assert await tokens.count_documents(owner) == 1
    (await other.tenant.alex.send("DELETE", "/operator/fcm-token", device)).ok()
    assert await tokens.count_documents(owner) == 0


async def test_a_foreign_subscription_is_not_listed_tested_or_removed(
    tenant: TenantFixture, other: OtherTenant, tokens: Any
) -> None:
    """A2: another tenant's push subscription is neither shown, nor tested, nor removed."""
    subscription = {**EXAMPLE_SUBSCRIPTION, "endpoint": f"https://push.invalid/{secrets.token_hex(8)}"}
    owner = {"operator_id": other.tenant.alex.id, "keys": {"$ne": None}}
    device_id = (await other.tenant.alex.post("/operator/push-subscription", subscription)).ok()["device_id"]
    assert (await tenant.alex.get("/operator/push-device")).ok()["devices"] == []
    assert (await tenant.alex.post("/operator/push-device/test", {"device_id": device_id})).status == 404
    (await tenant.alex.send("DELETE", f"/operator/push-device?device_id={device_id}")).ok()
    (await tenant.alex.send("DELETE", "/operator/push-subscription", {"endpoint": subscription["endpoint"]})).ok()
    assert await tokens.count_documents(owner) == 1
    (await other.tenant.alex.send("DELETE", f"/operator/push-device?device_id={device_id}")).ok()
    assert await tokens.count_documents(owner) == 0


async def test_a_foreign_session_cannot_be_read_with_an_own_site_key(tenant: TenantFixture, other: OtherTenant) -> None:
    """A2: another tenant's session cannot be read with an own site key."""
    attacker = tenant.api.visitor(tenant.site_key, other.visitor.session_id)
    assert (await attacker.get("/history")).status == 404
    assert (await attacker.get("/transcript")).status == 404
    assert (await attacker.post("/transcript/email", email="attacker@example.com")).status == 404
    assert (await attacker.get("/operator-messages")).status == 404
    assert CANARY not in (await attacker.get("/block-status")).raw.decode()


async def test_lists_and_counts_contain_no_foreign_rows(tenant: TenantFixture, other: OtherTenant) -> None:
    """A2: lists and counts contain no foreign row, also with the other tenant's cursor."""
    await tenant.pending_conversation()

    async def is_listed() -> bool:
        return CANARY in (await other.tenant.alex.get("/operator/all-online-visitors")).raw.decode()

    await wait_until(is_listed)
    site_ids = {"site_id": tenant.site_id}
    checked: list[str] = []
    for public in public_endpoints():
        route = public.route
        if (
            route.method != "GET"
            or route.caller_type is not CallerType.OPERATOR
            or route.response_media_type != "application/json"
        ):
            continue
        if "{" in route.path.replace("{site_id}", ""):
            continue
        if {"session_id", "conversation_id"} & set(get_fields(route.query)):
            continue  # It is about one visitor or chat, not a list.
        path = route.path.removeprefix("/api/v1")
        query = {
            **(site_ids if is_resource_scoped(public) and "{" not in path else {}),
            **REQUIRED_PARAMETERS.get(path, {}),
        }
        for cursor in (None, await _cursor_of_other_tenant(other, path, query)):
            own_path = path.replace("{site_id}", str(tenant.site_id))
            reply = await tenant.owner.get(own_path, **query, **({"cursor": cursor} if cursor else {}))
            checked.append(path)
            assert reply.status == 200, (path, reply.raw)
            assert CANARY not in reply.raw.decode(), path
            assert other.tenant.name not in reply.raw.decode(), path
    assert len(checked) > 15
    counts = (await tenant.owner.get("/operator/all-chat-counts")).ok()
    assert counts["sites"] == {str(tenant.site_id): {"pending": 1, "active": 0}}


async def _cursor_of_other_tenant(other: OtherTenant, path: str, query: dict[str, Any]) -> str | None:
    """Return the cursor of the other tenant's next page."""
    path = path.replace("{site_id}", str(other.target.site_id))
    if "site_id" in query:
        query = {**query, "site_id": other.target.site_id}
    page = await other.tenant.owner.get(path, **{**query, "limit": 1})
    cursor = page.body.get("next_cursor")
    return str(cursor) if cursor else None
