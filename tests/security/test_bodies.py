"""A10 and A13: unknown fields are ignored, values of a wrong type are rejected, and bodies are limited."""

from __future__ import annotations

import json
from typing import Any, get_args

import aiohttp
import pytest
from pydantic import BaseModel
from pymongo import AsyncMongoClient

from parley.common.auth.identity import IDENTITY_HEADER, IdentitySigner, OperatorCaller, Permission
from parley.common.http import CallerType
from parley_dev.stack import Stack
from support.api import ApiClient, VisitorClient
from support.authorization_matrix import UNKNOWN_RESOURCES, TenantResources, build_request, path_parameters
from support.routes import PublicEndpoint, get_fields, public_endpoints
from support.tenants import TenantFixture

QUERY_OPERATORS = [{"$ne": 1}, {"$gt": ""}, {"$where": "1"}, {"$regex": ".*"}]
"""Values that MongoDB would interpret as operators."""

DESCRIBED_ELSEWHERE = {("POST /api/v1/sites/{site_id}/chatbot/mcp-servers/{server_id}/try", "arguments")}
"""Objects whose keys are validated by a schema that an MCP server has listed: the server here lists nothing."""

NESTING_DEPTHS = (300, 600, 1_000, 20_000)
"""Below and above the limits of the parsers and of the recursion."""


@pytest.fixture(scope="module")
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    return await TenantFixture.create(api, stack, mongodb_uri)


@pytest.fixture(scope="module")
async def target(tenant: TenantFixture) -> TenantResources:
    return await TenantResources.create(tenant)


@pytest.fixture(scope="module")
async def routes() -> list[PublicEndpoint]:
    return [public for public in public_endpoints() if public.route.request_media_type == "application/json"]


def _accepts_objects(annotation: Any) -> bool:
    """Tell whether a field is an object itself, whose keys are validated instead."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return annotation is dict or any(_accepts_objects(part) for part in get_args(annotation))


def _body(public: PublicEndpoint, target: TenantResources, visitor: VisitorClient) -> dict[str, Any]:
    body = dict(build_request(public, target).body or {})
    return {**body, **visitor.credentials} if public.route.caller_type is CallerType.VISITOR else body


async def test_query_operators_are_rejected_in_every_body_field(
    tenant: TenantFixture, target: TenantResources, routes: list[PublicEndpoint]
) -> None:
    """A10: a query operator such as `{"$ne": 1}` is rejected with 422 in every field of every body."""
    visitor = tenant.new_visitor()
    failures: list[str] = []
    tried = 0
    for public in routes:
        for name, field in get_fields(public.route.body).items():
            if _accepts_objects(field.annotation) or (public.name, name) in DESCRIBED_ELSEWHERE:
                continue
            for operator in QUERY_OPERATORS:
                body = {**_body(public, target, visitor), name: operator}
                path = build_request(public, target).path
                token = tenant.owner.token if public.route.caller_type is CallerType.OPERATOR else None
                reply = await tenant.api.request(public.route.method, path, token=token, body=body)
                tried += 1
                if reply.status != 422 or not any(one.startswith(name) for one in reply.body["errors"]):
                    failures.append(f"{public.name} {name}={operator}: {reply.status}")
    assert not failures, "\n".join(failures)
    assert tried > 100


async def test_query_operators_are_ineffective_in_query_parameters(
    tenant: TenantFixture, target: TenantResources, routes: list[PublicEndpoint]
) -> None:
    """A10: query operators in query parameters are rejected; `name[$ne]=1` is an unknown parameter and ignored."""
    for public in routes:
        if public.route.method != "GET" or public.route.caller_type is not CallerType.OPERATOR:
            continue
        if public.route.response_media_type != "application/json":
            continue
        request = build_request(public, target)
        plain = await tenant.api.request("GET", request.path, token=tenant.owner.token, query=dict(request.query))
        for name, field in get_fields(public.route.query).items():
            query = {**request.query, f"{name}[$ne]": "1"}
            bracketed = await tenant.api.request("GET", request.path, token=tenant.owner.token, query=query)
            assert bracketed.status == plain.status, (public.name, name)
            query = {**request.query, name: '{"$ne": 1}'}
            reply = await tenant.api.request("GET", request.path, token=tenant.owner.token, query=query)
            free_text = name in ("search", "q")
            assert reply.status == (200 if free_text else 422), (public.name, name, field, reply.raw)


async def test_search_text_is_not_a_regular_expression(tenant: TenantFixture) -> None:
    """A10: search text is matched by its words; its punctuation is never a pattern."""
    visitor = tenant.new_visitor()
    await visitor.send_message("Where is my parcel?")
    path = f"/sites/{tenant.site_id}/conversations"
    for search in (".*", "^", "[a-z]", "(q+)+$", "\\", "$ne", "{}", "a" * 200):
        response = await tenant.owner.get(path, search=search)
        assert response.status == 200, search
        assert response.body["conversations"] == [], search
    assert (await tenant.owner.get(path, search="zq\0x")).ok()["conversations"] == [], "NUL is removed"


async def test_unknown_fields_are_ignored(tenant: TenantFixture) -> None:
    """A10: fields such as `mode`, `site_id`, `owner` or `permissions` have no effect where they are not defined."""
    other_site_id = (await tenant.add_site())["id"]
    visitor = tenant.new_visitor()
    extra = {
        "site_id": other_site_id,
        "mode": "operator",
        "blocked": None,
        "role": "operator",
        "operator_id": tenant.alex.id,
        "tenant_id": 1,
        "seq": 99,
        "_id": 1,
        "$set": {"mode": "closed"},
        "__proto__": {"owner": True},
    }
    reply = await visitor.send_message("Hello", **extra)
    assert reply["mode"] == "ai"
    (await visitor.post("/contact", name="Jane", **extra)).ok()
    shown = (await tenant.alex.get(f"/operator/conversation/{reply['conversation_id']}")).ok()["conversation"]
    assert (shown["site_id"], shown["mode"], shown["operator"]) == (tenant.site_id, "ai", None)
    assert [one["role"] for one in shown["messages"]] == ["visitor", "ai"]
    privileges = {
        **extra,
        "owner": True,
        "permissions": {"can_manage": True},
        "sites": {str(other_site_id): ["can_manage"]},
    }
    me = (await tenant.sam.send("PUT", "/auth/me", {"name": "Sam", **privileges})).ok()["user"]
    assert me["owner"] is False
    assert me["sites"] == {str(tenant.site_id): ["can_chat", "can_view_conversations"]}
    site = await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"name": "Shop", "site_key": "pk_mine", **extra})
    assert site.ok()["site"]["site_key"] == tenant.site_key
    assert site.body["site"]["id"] == tenant.site_id


async def test_a_manager_cannot_grant_more_than_their_own_permissions(tenant: TenantFixture) -> None:
    """A10: a manager can grant neither themselves nor others more than their own permissions."""
    manager = await tenant.add_operator("Mandy", can_chat=False, can_view_conversations=False, can_manage=True)
    for change in (
        {"owner": True},
        {"permissions": {"can_chat": True}},
        {"site_ids": [(await tenant.add_site())["id"]]},
    ):
        assert (await manager.send("PUT", f"/team/{manager.id}", change)).status == 403, change
    body = {"email": f"o@{tenant.name}.test", "name": "O", "owner": True, "site_ids": [tenant.site_id]}
    assert (await manager.post("/team", body)).status == 403
    path = f"/sites/{tenant.site_id}/team/{manager.id}"
    assert (await manager.send("PUT", path, {"can_chat": True, "can_manage": True})).status == 403


async def _raw(
    tenant: TenantFixture, public: PublicEndpoint, data: bytes, media: str = "application/json"
) -> tuple[int, dict[str, Any]]:
    token = tenant.owner.token if public.route.caller_type is CallerType.OPERATOR else None
    path = build_request(public, UNKNOWN_RESOURCES).path
    headers = {"Content-Type": media}
    reply = await tenant.api.request(public.route.method, path, token=token, data=data, headers=headers)
    return reply.status, reply.body


async def test_bodies_are_limited_and_must_be_json(tenant: TenantFixture, routes: list[PublicEndpoint]) -> None:
    """A13: bodies over 128 KB are 413, other media types 415, invalid or deeply nested JSON 400 or 422."""
    # Texts are cleaned where a body is not ASCII, so each depth is sent both ways.
    nested = [
        b'{"a":%s,"b":' % text + b"[" * depth + b"]" * depth + b"}"
        for depth in NESTING_DEPTHS
        for text in (b'"e"', '"é"'.encode())
    ]
    for public in routes:
        if public.route.body is None:
            continue
        status, body = await _raw(tenant, public, b'{"a":"' + b"x" * 131_072 + b'"}')
        assert (status, body["code"]) == (413, "too_large"), public.name
        assert (await _raw(tenant, public, b"{}", "text/plain"))[0] == 415, public.name
        assert (await _raw(tenant, public, b"a=b", "application/x-www-form-urlencoded"))[0] == 415, public.name
        for broken in (b"{", b"\xff\xfe", b"nonsense", *nested):
            assert (await _raw(tenant, public, broken))[0] in (400, 422), (public.name, broken[:20])
        for other in (b"[]", b"1", b'"text"', b"null"):
            assert (await _raw(tenant, public, other))[0] == 422, (public.name, other)


async def test_path_ids_must_be_positive_numbers(tenant: TenantFixture, routes: list[PublicEndpoint]) -> None:
    """A13: a path id that is not a positive number is 404."""
    for public in routes:
        if not path_parameters(public):
            continue
        for odd in ("0", "-1", "1.0", "1e3", "0x1", "%24ne", "9" * 30, "%31%00", "..%2f1", "NaN", "٣"):
            path = public.route.path
            for name in path_parameters(public):
                path = path.replace(f"{{{name}}}", odd)
            reply = await tenant.api.request(public.route.method, path, token=tenant.owner.token)
            assert reply.status == 404, (public.name, odd)


async def test_an_invalid_cursor_is_422(tenant: TenantFixture) -> None:
    """A10: an invalid cursor is rejected or has no effect."""
    deep = json.dumps([[[[1]]]])
    for cursor in ("x", "W10", "WzEsMl0", "eyIkbmUiOjF9", "LTE", deep, "WyJhIiwgMV0", "WzFlOTk5LDFd", "////"):
        path = f"/sites/{tenant.site_id}/conversations"
        reply = await tenant.owner.get(path, cursor=cursor)
        assert reply.status in (200, 422), (cursor, reply.raw)
        assert (await tenant.owner.get("/audit", cursor=cursor)).status in (200, 422), cursor


async def test_a_service_accepts_the_identity_of_an_owner_of_thousands_of_sites(
    tenant: TenantFixture, stack: Stack, mongodb_uri: str
) -> None:
    """A13: the header limit of services admits the identity of an owner of thousands of sites."""
    database = f"{stack.environment('chat')['PARLEY_DATABASE_PREFIX']}_chat"
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        site = await client[database]["sites"].find_one({"_id": tenant.site_id})
    assert site is not None
    sites = dict.fromkeys([tenant.site_id, *range(1_000_000, 1_005_000)], frozenset(Permission))
    caller = OperatorCaller(tenant.owner.id, site["tenant_id"], tenant.owner.name, sites, owner=True)
    headers = {IDENTITY_HEADER: IdentitySigner(stack.secrets.identity).sign(caller)}
    url = f"{stack.processes('chat')[0].url}/api/v1/sites"
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as response:
        assert response.status == 200, await response.text()
        assert tenant.site_id in {site["id"] for site in (await response.json())["sites"]}


async def test_the_gateway_rejects_large_headers(stack: Stack) -> None:
    """A13: the gateway rejects headers of 10 KB."""
    url = f"{stack.gateway_url}/api/v1/sites"
    headers = {"Authorization": f"Bearer {'x' * 10_000}"}
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as response:
        assert response.status == 400
