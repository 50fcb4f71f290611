"""Authentication of visitors: site, session and allowed origins (guarantees A9, A14)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from component.gateway.harness import FakeBackend, Gateway, RecordedRequest, bearer, fresh_id, token_for
from parley.common.auth.identity import VisitorCaller
from parley.common.auth.visitor_session import SESSION_HEADER
from parley.common.events.team import SiteChanged
from parley.gateway.routes import VISITOR_ROUTES
from support.wait import wait_until

Start = Callable[..., Awaitable[Gateway]]
SESSION = "a-session-of-a-visitor"


def build_handle(site: dict[str, Any], session: str = SESSION) -> str:
    return "sess_" + hashlib.sha256(f"{site['id']}:{session}".encode()).hexdigest()[:32]


async def test_service_receives_the_session_handle_of_the_visitor(gateway: Gateway, backend: FakeBackend) -> None:
    key, site = backend.add_site("shop.example")
    async with gateway.get(f"/api/v1/chat/history?site_key={key}&session_id={SESSION}&limit=5") as response:
        assert response.status == 200
    body = {"site_key": key, "session_id": SESSION, "message": "hello", "other": {"deep": [1]}}
    async with gateway.post("/api/v1/chat/stream", json=body, headers={"Idempotency-Key": "k1"}) as response:
        assert response.status == 200
    get, post = backend.chat.proxied_requests()
    for recorded in (get, post):
        assert isinstance(recorded.caller, VisitorCaller)
        assert (recorded.caller.tenant_id, recorded.caller.site_id) == (site["tenant_id"], site["id"])
        assert recorded.caller.session == build_handle(site)
        assert SESSION not in recorded.headers["X-Parley-Identity"]
    assert get.query["limit"] == "5"
    assert post.headers["Idempotency-Key"] == "k1"
    assert orjson.loads(post.body) == body


async def test_same_session_on_another_site_is_another_visitor(gateway: Gateway, backend: FakeBackend) -> None:
    handles = set()
    for _ in range(2):
        key, _site = backend.add_site()
        async with gateway.get(f"/api/v1/chat/history?site_key={key}&session_id={SESSION}") as response:
            assert response.status == 200
        caller = backend.chat.proxied_requests()[-1].caller
        assert isinstance(caller, VisitorCaller)
        handles.add(caller.session)
    assert len(handles) == 2


@pytest.mark.parametrize(
    "session", ["", "short", "a" * 129, "with space in the middle", "semi;colon-in-the-id", "ÿ" * 20]
)
async def test_malformed_session_id_is_rejected(gateway: Gateway, backend: FakeBackend, session: str) -> None:
    key, _ = backend.add_site()
    params = {"site_key": key, "session_id": session}
    async with gateway.get("/api/v1/chat/history", params=params) as response:
        assert response.status == 422
        assert set((await response.json())["errors"]) == {"session_id"}
    async with gateway.post("/api/v1/chat/typing", json=params) as response:
        assert response.status == 422
    assert backend.chat.requests == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{}", 422),
        ('{"site_key": {"$ne": 1}, "session_id": "0123456789abcdef"}', 422),
        ('{"site_key": "x", "session_id": ["0123456789abcdef"]}', 422),
        ('{"site_key": "x", "session_id": "0123456789abcdef"}', 404),
        ("[]", 422),
        ("", 422),
        ("{", 400),
        ("\xff\xfe", 400),
        ('{"a":' + "[" * 5000 + "]" * 5000 + "}", 400),
    ],
)
async def test_body_without_valid_site_key_and_session_id_is_rejected(
    gateway: Gateway, backend: FakeBackend, body: str, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    async with gateway.post("/api/v1/chat/typing", data=body.encode("latin-1"), headers=headers) as response:
        assert response.status == status
        assert (await response.json())["success"] is False
    assert backend.chat.proxied_requests() == []


async def test_body_with_another_media_type_is_rejected(gateway: Gateway) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        async with gateway.post("/api/v1/chat/typing", data="{}", headers={"Content-Type": kind}) as response:
            assert response.status == 415


async def test_unknown_site_key_is_cached_until_the_site_is_created(gateway: Gateway, backend: FakeBackend) -> None:
    key = f"pk_{uuid.uuid4().hex}"
    path = f"/api/v1/chat/config?site_key={key}&session_id={SESSION}"
    for _ in range(3):
        async with gateway.get(path) as response:
            assert response.status == 404
    assert len(backend.chat.internal_requests("site")) == 1
    site = backend.sites[key] = {"id": fresh_id(), "tenant_id": fresh_id(), "domains": [], "any_origin": True}
    await gateway.publish(SiteChanged(), tenant_id=site["tenant_id"], site_id=site["id"])

    async def is_found() -> bool:
        async with gateway.get(path) as response:
            return bool(response.status == 200)

    await wait_until(is_found, timeout=4)


async def test_credentials_of_operators_and_visitors_are_not_interchangeable(
    gateway: Gateway, backend: FakeBackend
) -> None:
    key, _ = backend.add_site()
    async with gateway.get("/api/v1/chat/history", headers=bearer(token_for(backend.add_operator()))) as response:
        assert response.status == 422
    async with gateway.get(f"/api/v1/operator/active-chats?site_key={key}&session_id={SESSION}") as response:
        assert response.status == 401


# The session id in a header.


async def test_session_id_may_be_in_a_header_of_every_request(gateway: Gateway, backend: FakeBackend) -> None:
    key, site = backend.add_site("shop.example")
    headers = {SESSION_HEADER: SESSION}
    for route in VISITOR_ROUTES:
        service = backend.services[route.service]
        if route.kind.is_upload:
            response = await upload(gateway, ("site_key", key, None), ("image", b"x", "a.png"), **headers)
        elif route.method == "GET":
            response = await gateway.get(f"{route.path}?site_key={key}", headers=headers)
        else:
            response = await gateway.post(route.path, json={"site_key": key}, headers=headers)
        assert response.status == 200, route
        recorded = service.proxied_requests()[-1]
        assert isinstance(recorded.caller, VisitorCaller)
        assert recorded.caller.session == build_handle(site), route
        assert SESSION_HEADER not in recorded.headers


async def test_session_id_of_the_header_counts_before_that_of_the_query(gateway: Gateway, backend: FakeBackend) -> None:
    key, site = backend.add_site()
    path = f"/api/v1/chat/history?site_key={key}&session_id=another-session-id"
    async with gateway.get(path, headers={SESSION_HEADER: SESSION}) as response:
        assert response.status == 200
    caller = backend.chat.proxied_requests()[-1].caller
    assert isinstance(caller, VisitorCaller)
    assert caller.session == build_handle(site)


async def test_services_never_see_the_session_id_of_a_query(gateway: Gateway, backend: FakeBackend) -> None:
    key, site = backend.add_site()
    for name in ("session_id", "session%5Fid", "session_i%64"):
        async with gateway.get(f"/api/v1/chat/history?{name}={SESSION}&site_key={key}&limit=5") as response:
            assert response.status == 200
        query = backend.chat.proxied_requests()[-1].query
        assert query == {"site_key": key, "limit": "5", "session_id": build_handle(site)}


@pytest.mark.parametrize("session", ["", "short", "a" * 129, "with space in the middle", "semi;colon-in-the-id"])
async def test_malformed_session_header_is_rejected(gateway: Gateway, backend: FakeBackend, session: str) -> None:
    key, _ = backend.add_site()
    params = {"site_key": key, "session_id": SESSION}
    headers = {SESSION_HEADER: session}
    for response in (
        await gateway.get("/api/v1/chat/history", params=params, headers=headers),
        await gateway.post("/api/v1/chat/typing", json=params, headers=headers),
    ):
        assert response.status == 422
        assert set((await response.json())["errors"]) == {SESSION_HEADER}
    assert backend.chat.requests == []


async def test_preflight_allows_the_session_header(gateway: Gateway, backend: FakeBackend) -> None:
    origin = f"https://{uuid.uuid4().hex}.example"
    backend.origins.add(origin)
    headers = {"Origin": origin, "Access-Control-Request-Headers": SESSION_HEADER.lower()}
    async with gateway.client.options(f"{gateway.url}/api/v1/chat/history", headers=headers) as response:
        assert response.status == 204
        assert SESSION_HEADER in response.headers["Access-Control-Allow-Headers"]


# Origins and CORS.


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://shop.example", True),
        ("http://shop.example:3000", True),
        ("https://SHOP.example", True),
        ("https://a.wild.example", True),
        ("https://a.b.wild.example", True),
        ("https://wild.example", False),
        ("https://evilwild.example", False),
        ("https://shop.example.evil.example", False),
        ("https://evil.example", False),
        ("https://www.shop.example", False),
        ("https://shop.example@evil.example", False),
        ("https://evil.example/shop.example", False),
        ("null", False),
        ("", False),
    ],
)
async def test_only_the_domains_of_the_site_are_allowed(
    gateway: Gateway, backend: FakeBackend, origin: str, allowed: bool
) -> None:
    key, _ = backend.add_site("shop.example", "*.wild.example")
    body = {"site_key": key, "session_id": SESSION}
    async with gateway.post("/api/v1/chat/typing", json=body, headers={"Origin": origin}) as response:
        assert response.status == (200 if allowed else 403)
        assert response.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
        assert "Access-Control-Allow-Credentials" not in response.headers
        if allowed:
            assert response.headers["Vary"] == "Origin"
            assert "X-Request-Id" in response.headers["Access-Control-Expose-Headers"]
        else:
            assert (await response.json())["code"] == "origin_not_allowed"
    assert len(backend.chat.proxied_requests()) == allowed


async def test_any_origin_no_origin_and_the_gateways_own_origin_are_allowed(
    gateway: Gateway, backend: FakeBackend
) -> None:
    open_key, _ = backend.add_site(any_origin=True)
    closed_key, _ = backend.add_site()
    for key, headers in (
        (open_key, {"Origin": "https://anywhere.example"}),
        (closed_key, {}),
        (closed_key, {"Origin": gateway.url}),
    ):
        async with gateway.get(f"/api/v1/chat/config?site_key={key}&session_id={SESSION}", headers=headers) as response:
            assert response.status == 200


async def test_changed_domains_take_effect_at_once(gateway: Gateway, backend: FakeBackend) -> None:
    key, site = backend.add_site("old.example")
    path = f"/api/v1/chat/config?site_key={key}&session_id={SESSION}"
    async with gateway.get(path, headers={"Origin": "https://old.example"}) as response:
        assert response.status == 200
    site["domains"] = ["new.example"]
    await gateway.publish(SiteChanged(), tenant_id=site["tenant_id"], site_id=site["id"])

    async def is_rejected() -> bool:
        async with gateway.get(path, headers={"Origin": "https://old.example"}) as response:
            return bool(response.status == 403)

    await wait_until(is_rejected)


async def test_preflight_is_accepted_for_known_origins_only(gateway: Gateway, backend: FakeBackend) -> None:
    origin = f"https://{uuid.uuid4().hex}.example"
    backend.origins.add(origin)
    headers = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    url = f"{gateway.url}/api/v1/chat/stream"
    async with gateway.client.options(url, headers=headers | {"Origin": origin}) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]
        assert int(response.headers["Access-Control-Max-Age"]) > 0
    for is_rejected in ("https://evil.example", "null", "javascript:alert(1)"):
        async with gateway.client.options(url, headers=headers | {"Origin": is_rejected}) as response:
            assert response.status == 403
            assert not [name for name in response.headers if name.lower().startswith("access-control")]
    async with gateway.client.options(url, headers=headers | {"Origin": origin}) as response:
        assert response.status == 204
    assert [recorded.query["origin"] for recorded in backend.chat.internal_requests("origin")].count(origin) == 1


async def test_sandboxed_page_may_use_a_site_that_allows_any_origin(start_gateway: Start, backend: FakeBackend) -> None:
    gateway = await start_gateway()
    open_key, _ = backend.add_site(any_origin=True)
    closed_key, _ = backend.add_site("shop.example")
    backend.origins.add("null")
    try:
        headers = {"Origin": "null", "Access-Control-Request-Method": "POST"}
        url = f"{gateway.url}/api/v1/chat/heartbeat"
        async with gateway.client.options(url, headers=headers) as response:
            assert response.status == 204
            assert response.headers["Access-Control-Allow-Origin"] == "null"
    finally:
        backend.origins.discard("null")
    for key, status in ((open_key, 200), (closed_key, 403)):
        body = {"site_key": key, "session_id": SESSION}
        async with gateway.post("/api/v1/chat/heartbeat", json=body, headers={"Origin": "null"}) as response:
            assert response.status == status


async def test_operator_routes_never_allow_cross_origin_reads(gateway: Gateway, backend: FakeBackend) -> None:
    origin = f"https://{uuid.uuid4().hex}.example"
    backend.origins.add(origin)
    headers = bearer(token_for(backend.add_operator())) | {"Origin": origin}

    async def respond(_request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        return web.json_response({}, headers={"Access-Control-Allow-Origin": "*"})

    backend.chat.handlers["GET", "/api/v1/operator/active-chats"] = respond
    async with gateway.get("/api/v1/operator/active-chats", headers=headers) as response:
        assert response.status == 200
        assert not [name for name in response.headers if name.lower().startswith("access-control")]
    async with gateway.client.options(f"{gateway.url}/api/v1/operator/active-chats", headers=headers) as response:
        assert response.status == 405
        assert not [name for name in response.headers if name.lower().startswith("access-control")]


async def test_allowed_page_can_read_error_responses(gateway: Gateway, backend: FakeBackend) -> None:
    origin = "https://shop.example"
    key, _ = backend.add_site("shop.example")

    async def respond_conflict(_request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        return web.json_response({"success": False}, status=409)

    backend.chat.handlers["POST", "/api/v1/chat/rate"] = respond_conflict
    body = {"site_key": key, "session_id": SESSION}
    async with gateway.post("/api/v1/chat/rate", json=body, headers={"Origin": origin}) as response:
        assert response.status == 409
        assert response.headers["Access-Control-Allow-Origin"] == origin


# Uploads.


async def upload(gateway: Gateway, *parts: tuple[str, Any, str | None], **headers: str) -> aiohttp.ClientResponse:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value, filename in parts:
        form.add_field(name, value, filename=filename)
    response: aiohttp.ClientResponse = await gateway.post("/api/v1/chat/upload-image", data=form, headers=headers)
    return response


async def test_upload_is_forwarded_unchanged(gateway: Gateway, backend: FakeBackend) -> None:
    key, site = backend.add_site("shop.example")
    image = bytes(range(256)) * 4096
    received: list[Any] = []

    async def read_form(request: web.Request, recorded: RecordedRequest) -> web.StreamResponse:
        reader = await request.multipart()
        async for part in reader:
            assert isinstance(part, aiohttp.BodyPartReader)
            received.append((part.name, part.filename, bytes(await part.read())))
        return web.json_response({"success": True, "url": "/uploads/x"})

    backend.chat.handlers["POST", "/api/v1/chat/upload-image"] = read_form
    response = await upload(
        gateway,
        ("site_key", key, None),
        ("session_id", SESSION, None),
        ("image", image, "cat.png"),
        Origin="https://shop.example",
    )
    assert response.status == 200
    assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert received == [
        ("site_key", None, key.encode()),
        ("session_id", None, SESSION.encode()),
        ("image", "cat.png", image),
    ]
    caller = backend.chat.proxied_requests()[-1].caller
    assert isinstance(caller, VisitorCaller)
    assert caller.session == build_handle(site)


async def test_upload_with_the_fields_after_the_file_is_rejected(gateway: Gateway, backend: FakeBackend) -> None:
    key, _ = backend.add_site()
    response = await upload(
        gateway, ("image", b"x" * 100, "a.png"), ("site_key", key, None), ("session_id", SESSION, None)
    )
    assert response.status == 422
    assert set((await response.json())["errors"]) == {"site_key", "session_id"}
    assert backend.chat.requests == []


async def test_upload_with_a_file_as_field_or_a_huge_first_field_is_rejected(
    gateway: Gateway, backend: FakeBackend
) -> None:
    key, _ = backend.add_site()
    for first in (("site_key", key.encode(), "f.txt"), ("padding", "x" * 200_000, None)):
        response = await upload(gateway, first, ("session_id", SESSION, None), ("image", b"x", "a.png"))
        assert response.status == 422
    assert backend.chat.requests == []


async def test_upload_from_an_unknown_origin_is_rejected(gateway: Gateway, backend: FakeBackend) -> None:
    key, _ = backend.add_site("shop.example")
    response = await upload(
        gateway,
        ("site_key", key, None),
        ("session_id", SESSION, None),
        ("image", b"x", "a.png"),
        Origin="https://evil.example",
    )
    assert response.status == 403
    assert backend.chat.proxied_requests() == []
