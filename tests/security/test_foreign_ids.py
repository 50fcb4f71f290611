"""A2: ids of another tenant in bodies, lists and counts: 404, nothing half done, no foreign row."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from parley.common.http import CallerType
from parley_dev.stack import Stack
from support.api import ApiClient, VisitorClient
from support.authorization_matrix import TenantResources, image_form, is_resource_scoped, make_image
from support.routes import fields_of, public_endpoints
from support.tenants import TenantFixture
from support.wait import wait_until

CANARY = "canary-of-another-tenant"


@dataclass(frozen=True, slots=True)
class Other:
    """Another tenant, whose every name is a canary."""

    tenant: TenantFixture
    target: TenantResources
    visitor: VisitorClient
    image_url: str


@pytest.fixture(scope="module")
async def theirs(stack: Stack, api: ApiClient, mongodb_uri: str) -> Other:
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
    return Other(tenant, target, visitor, uploaded.ok()["url"])


async def test_a_foreign_operator_gets_no_conversation_and_no_place_on_a_site(
    tenant: TenantFixture, theirs: Other
) -> None:
    _, mine = await tenant.assigned_conversation()
    foreign = theirs.target.operator_id
    assert (await tenant.alex.post(f"/operator/transfer/{mine}", {"operator_id": foreign})).status == 404
    shown = (await tenant.alex.get(f"/operator/conversation/{mine}")).ok()["conversation"]
    assert shown["operator"]["id"] == tenant.alex.id
    place = f"/sites/{tenant.site_id}/team/{foreign}"
    assert (await tenant.owner.send("PUT", place, {"can_chat": True})).status == 404
    assert (await tenant.owner.send("DELETE", place)).status == 404


async def test_a_foreign_site_among_ones_own_makes_the_whole_fail(tenant: TenantFixture, theirs: Other) -> None:
    mixed = [tenant.site_id, theirs.target.site_id]
    before = (await tenant.owner.get("/team")).ok()["team"]
    member = {"email": f"new@{tenant.name}.test", "name": "New", "site_ids": mixed}
    assert (await tenant.owner.post("/team", member)).status == 404
    assert (await tenant.owner.send("PUT", f"/team/{tenant.sam.id}", {"site_ids": mixed})).status == 404
    assert (await tenant.owner.get("/team")).ok()["team"] == before
    assert (await tenant.alex.post("/operator/heartbeat", {"site_ids": mixed})).status == 404
    assert (await tenant.alex.get("/operator/status")).ok()["online"] is False


async def test_a_foreign_entry_is_not_changed_through_ones_own_site(tenant: TenantFixture, theirs: Other) -> None:
    path = f"/sites/{tenant.site_id}/chatbot/knowledge/{theirs.target.entry_id}"
    entry = {"question": "Whose?", "answer": "Mine."}
    assert (await tenant.owner.send("PUT", path, entry)).status == 404
    assert (await tenant.owner.send("DELETE", path)).status == 404
    known = (await theirs.tenant.owner.get(f"/sites/{theirs.target.site_id}/chatbot/knowledge")).ok()["knowledge"]
    assert [one["answer"] for one in known if one["id"] == theirs.target.entry_id] == ["We are."]


async def test_a_foreign_visitor_cannot_be_reached_through_ones_own_site(tenant: TenantFixture, theirs: Other) -> None:
    body = {"site_id": tenant.site_id, "session_id": theirs.target.session_id, "content": "Psst"}
    assert (await tenant.alex.post("/operator/proactive-message", body)).status == 404


async def test_a_foreign_image_cannot_be_shown_as_ones_own(tenant: TenantFixture, theirs: Other) -> None:
    visitor, mine = await tenant.assigned_conversation()
    body = {"conversation_id": mine, "content": "", "image_url": theirs.image_url}
    refused = await tenant.alex.post("/operator/message", body)
    assert refused.status == 422
    assert "image_url" in refused.body["errors"]
    assert (await visitor.post("/stream", message="Look", image_url=theirs.image_url)).status == 422


@pytest.fixture
async def tokens(stack: Stack, mongodb_uri: str) -> AsyncIterator[Any]:
    prefix = stack.environment("notify")["PARLEY_DATABASE_PREFIX"]
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        yield client[f"{prefix}_notify"]["push_tokens"]


async def test_a_foreign_device_cannot_be_taken_off(tenant: TenantFixture, theirs: Other, tokens: Any) -> None:
    device = {"token": "their-device-" + "d" * 120}
    owner = {"operator_id": theirs.tenant.alex.id}
    (await theirs.tenant.alex.post("/operator/fcm-token", device)).ok()
    (await tenant.alex.send("DELETE", "/operator/fcm-token", device)).ok()
    (await tenant.alex.send("DELETE", "/operator/fcm-token")).ok()
    assert await tokens.count_documents(owner) == 1
    (await theirs.tenant.alex.send("DELETE", "/operator/fcm-token", device)).ok()
    assert await tokens.count_documents(owner) == 0


async def test_a_foreign_session_is_not_read_with_ones_own_site_key(tenant: TenantFixture, theirs: Other) -> None:
    thief = tenant.api.visitor(tenant.site_key, theirs.visitor.session_id)
    assert (await thief.get("/history")).status == 404
    assert (await thief.get("/operator-messages")).status == 404
    assert CANARY not in (await thief.get("/block-status")).raw.decode()


async def test_no_list_and_no_count_holds_a_foreign_row(tenant: TenantFixture, theirs: Other) -> None:
    """Also with the cursor that the other tenant was given."""
    await tenant.pending_conversation()

    async def seen() -> bool:
        return CANARY in (await theirs.tenant.alex.get("/operator/all-online-visitors")).raw.decode()

    await wait_until(seen)
    site_ids = {"site_id": tenant.site_id}
    shown: list[str] = []
    for public in public_endpoints():
        route = public.route
        if (
            route.method != "GET"
            or route.caller_type is not CallerType.OPERATOR
            or route.response_media_type != "application/json"
        ):
            continue
        if "{" in route.path and "{site_id}" not in route.path:
            continue
        if "session_id" in fields_of(route.query):
            continue  # of one visitor, and no list
        path = route.path.removeprefix("/api/v1")
        query = site_ids if is_resource_scoped(public) and "{" not in path else {}
        for cursor in (None, await _their_cursor(theirs, path, query)):
            mine = path.replace("{site_id}", str(tenant.site_id))
            reply = await tenant.owner.get(mine, **query, **({"cursor": cursor} if cursor else {}))
            shown.append(path)
            assert reply.status == 200, (path, reply.raw)
            assert CANARY not in reply.raw.decode(), path
            assert theirs.tenant.name not in reply.raw.decode(), path
    assert len(shown) > 15
    counts = (await tenant.owner.get("/operator/all-chat-counts")).ok()
    assert counts["sites"] == {str(tenant.site_id): {"pending": 1, "active": 0}}


async def _their_cursor(theirs: Other, path: str, query: dict[str, Any]) -> str | None:
    """Where the other tenant's list would go on."""
    path = path.replace("{site_id}", str(theirs.target.site_id))
    if query:
        query = {"site_id": theirs.target.site_id}
    found = await theirs.tenant.owner.get(path, limit=1, **query)
    cursor = found.body.get("next_cursor")
    return str(cursor) if cursor else None
