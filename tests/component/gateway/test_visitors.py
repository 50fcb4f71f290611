"""Visitors at the gateway: their site, their session, and the pages that may ask (attacks A9, A14)."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from component.gateway.harness import Asked, Gateway, World, bearer, fresh_id, token_for
from parley.common.auth.identity import VisitorCaller
from parley.common.events.team import SiteChanged
from support.wait import until

SESSION = "a-session-that-nobody-knows"


def handle(site: dict[str, Any], session: str = SESSION) -> str:
    return "sess_" + hashlib.sha256(f"{site['id']}:{session}".encode()).hexdigest()[:32]


async def test_visitor_reaches_the_service_by_the_handle_of_the_session(gateway: Gateway, behind: World) -> None:
    key, site = behind.site("shop.example")
    async with gateway.get(f"/api/v1/chat/history?site_key={key}&session_id={SESSION}&limit=5") as answer:
        assert answer.status == 200
    body = {"site_key": key, "session_id": SESSION, "message": "hello", "other": {"deep": [1]}}
    async with gateway.post("/api/v1/chat/stream", json=body, headers={"Idempotency-Key": "k1"}) as answer:
        assert answer.status == 200
    get, post = behind.chat.forwarded()
    for asked in (get, post):
        assert isinstance(asked.caller, VisitorCaller)
        assert (asked.caller.tenant_id, asked.caller.site_id) == (site["tenant_id"], site["id"])
        assert asked.caller.session == handle(site)
        assert SESSION not in asked.headers["X-Parley-Identity"]
    assert get.query["limit"] == "5"
    assert post.headers["Idempotency-Key"] == "k1"
    assert orjson.loads(post.body) == body


async def test_same_session_on_another_site_is_another_visitor(gateway: Gateway, behind: World) -> None:
    seen = set()
    for _ in range(2):
        key, _site = behind.site()
        async with gateway.get(f"/api/v1/chat/history?site_key={key}&session_id={SESSION}") as answer:
            assert answer.status == 200
        caller = behind.chat.forwarded()[-1].caller
        assert isinstance(caller, VisitorCaller)
        seen.add(caller.session)
    assert len(seen) == 2


@pytest.mark.parametrize(
    "session", ["", "short", "a" * 129, "with space in the middle", "semi;colon-in-the-id", "ÿ" * 20]
)
async def test_session_id_of_another_shape_is_refused(gateway: Gateway, behind: World, session: str) -> None:
    key, _ = behind.site()
    params = {"site_key": key, "session_id": session}
    async with gateway.get("/api/v1/chat/history", params=params) as answer:
        assert answer.status == 422
        assert set((await answer.json())["errors"]) == {"session_id"}
    async with gateway.post("/api/v1/chat/typing", json=params) as answer:
        assert answer.status == 422
    assert behind.chat.asked == []


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
async def test_body_that_names_no_site_and_session_is_refused(
    gateway: Gateway, behind: World, body: str, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    async with gateway.post("/api/v1/chat/typing", data=body.encode("latin-1"), headers=headers) as answer:
        assert answer.status == status
        assert (await answer.json())["success"] is False
    assert behind.chat.forwarded() == []


async def test_body_of_another_media_type_is_refused(gateway: Gateway) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        async with gateway.post("/api/v1/chat/typing", data="{}", headers={"Content-Type": kind}) as answer:
            assert answer.status == 415


async def test_unknown_site_key_is_asked_for_once_and_found_when_it_is_made(gateway: Gateway, behind: World) -> None:
    key = f"pk_{uuid.uuid4().hex}"
    path = f"/api/v1/chat/config?site_key={key}&session_id={SESSION}"
    for _ in range(3):
        async with gateway.get(path) as answer:
            assert answer.status == 404
    assert len(behind.chat.errands("site")) == 1
    site = behind.sites[key] = {"id": fresh_id(), "tenant_id": fresh_id(), "domains": [], "any_origin": True}
    await gateway.publish(SiteChanged(), tenant_id=site["tenant_id"], site_id=site["id"])

    async def found() -> bool:
        async with gateway.get(path) as answer:
            return bool(answer.status == 200)

    await until(found, within=2)


async def test_operators_credentials_do_not_make_a_visitor_nor_the_other_way(gateway: Gateway, behind: World) -> None:
    key, _ = behind.site()
    async with gateway.get("/api/v1/chat/history", headers=bearer(token_for(behind.operator()))) as answer:
        assert answer.status == 422
    async with gateway.get(f"/api/v1/operator/active-chats?site_key={key}&session_id={SESSION}") as answer:
        assert answer.status == 401


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
async def test_only_the_sites_own_domains_may_ask(gateway: Gateway, behind: World, origin: str, allowed: bool) -> None:
    key, _ = behind.site("shop.example", "*.wild.example")
    body = {"site_key": key, "session_id": SESSION}
    async with gateway.post("/api/v1/chat/typing", json=body, headers={"Origin": origin}) as answer:
        assert answer.status == (200 if allowed else 403)
        assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
        assert "Access-Control-Allow-Credentials" not in answer.headers
        if allowed:
            assert answer.headers["Vary"] == "Origin"
            assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
        else:
            assert (await answer.json())["code"] == "origin_not_allowed"
    assert len(behind.chat.forwarded()) == allowed


async def test_site_open_to_all_takes_any_origin_and_every_site_takes_none_and_our_own(
    gateway: Gateway, behind: World
) -> None:
    open_key, _ = behind.site(any_origin=True)
    closed_key, _ = behind.site()
    for key, headers in (
        (open_key, {"Origin": "https://anywhere.example"}),
        (closed_key, {}),
        (closed_key, {"Origin": gateway.url}),
    ):
        async with gateway.get(f"/api/v1/chat/config?site_key={key}&session_id={SESSION}", headers=headers) as answer:
            assert answer.status == 200


async def test_changed_domains_take_effect_at_once(gateway: Gateway, behind: World) -> None:
    key, site = behind.site("old.example")
    path = f"/api/v1/chat/config?site_key={key}&session_id={SESSION}"
    async with gateway.get(path, headers={"Origin": "https://old.example"}) as answer:
        assert answer.status == 200
    site["domains"] = ["new.example"]
    await gateway.publish(SiteChanged(), tenant_id=site["tenant_id"], site_id=site["id"])

    async def refused() -> bool:
        async with gateway.get(path, headers={"Origin": "https://old.example"}) as answer:
            return bool(answer.status == 403)

    await until(refused, within=2)


async def test_preflight_is_answered_for_known_origins_only(gateway: Gateway, behind: World) -> None:
    origin = f"https://{uuid.uuid4().hex}.example"
    behind.origins.add(origin)
    headers = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    url = f"{gateway.url}/api/v1/chat/stream"
    async with gateway.client.options(url, headers=headers | {"Origin": origin}) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]
        assert int(answer.headers["Access-Control-Max-Age"]) > 0
    for refused in ("https://evil.example", "null", "javascript:alert(1)"):
        async with gateway.client.options(url, headers=headers | {"Origin": refused}) as answer:
            assert answer.status == 403
            assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    async with gateway.client.options(url, headers=headers | {"Origin": origin}) as answer:
        assert answer.status == 204
    assert [asked.query["origin"] for asked in behind.chat.errands("origin")].count(origin) == 1


async def test_operator_routes_never_answer_to_pages(gateway: Gateway, behind: World) -> None:
    origin = f"https://{uuid.uuid4().hex}.example"
    behind.origins.add(origin)
    headers = bearer(token_for(behind.operator())) | {"Origin": origin}

    async def show(_request: web.Request, _asked: Asked) -> web.StreamResponse:
        return web.json_response({}, headers={"Access-Control-Allow-Origin": "*"})

    behind.chat.answers["GET", "/api/v1/operator/active-chats"] = show
    async with gateway.get("/api/v1/operator/active-chats", headers=headers) as answer:
        assert answer.status == 200
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    async with gateway.client.options(f"{gateway.url}/api/v1/operator/active-chats", headers=headers) as answer:
        assert answer.status == 405
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


async def test_page_that_may_ask_can_read_why_it_was_refused(gateway: Gateway, behind: World) -> None:
    origin = "https://shop.example"
    key, _ = behind.site("shop.example")

    async def conflict(_request: web.Request, _asked: Asked) -> web.StreamResponse:
        return web.json_response({"success": False}, status=409)

    behind.chat.answers["POST", "/api/v1/chat/rate"] = conflict
    body = {"site_key": key, "session_id": SESSION}
    async with gateway.post("/api/v1/chat/rate", json=body, headers={"Origin": origin}) as answer:
        assert answer.status == 409
        assert answer.headers["Access-Control-Allow-Origin"] == origin


# Uploads.


async def upload(gateway: Gateway, *parts: tuple[str, Any, str | None], **headers: str) -> aiohttp.ClientResponse:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value, filename in parts:
        form.add_field(name, value, filename=filename)
    answer: aiohttp.ClientResponse = await gateway.post("/api/v1/chat/upload-image", data=form, headers=headers)
    return answer


async def test_upload_is_passed_on_unchanged(gateway: Gateway, behind: World) -> None:
    key, site = behind.site("shop.example")
    image = bytes(range(256)) * 4096
    received: list[Any] = []

    async def take(request: web.Request, asked: Asked) -> web.StreamResponse:
        reader = await request.multipart()
        async for part in reader:
            assert isinstance(part, aiohttp.BodyPartReader)
            received.append((part.name, part.filename, bytes(await part.read())))
        return web.json_response({"success": True, "url": "/uploads/x"})

    behind.chat.answers["POST", "/api/v1/chat/upload-image"] = take
    answer = await upload(
        gateway,
        ("site_key", key, None),
        ("session_id", SESSION, None),
        ("image", image, "cat.png"),
        Origin="https://shop.example",
    )
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert received == [
        ("site_key", None, key.encode()),
        ("session_id", None, SESSION.encode()),
        ("image", "cat.png", image),
    ]
    caller = behind.chat.forwarded()[-1].caller
    assert isinstance(caller, VisitorCaller)
    assert caller.session == handle(site)


async def test_upload_whose_fields_come_after_the_file_is_refused(gateway: Gateway, behind: World) -> None:
    key, _ = behind.site()
    answer = await upload(
        gateway, ("image", b"x" * 100, "a.png"), ("site_key", key, None), ("session_id", SESSION, None)
    )
    assert answer.status == 422
    assert set((await answer.json())["errors"]) == {"site_key", "session_id"}
    assert behind.chat.asked == []


async def test_upload_with_a_file_named_like_a_field_or_a_huge_first_field_is_refused(
    gateway: Gateway, behind: World
) -> None:
    key, _ = behind.site()
    for first in (("site_key", key.encode(), "f.txt"), ("padding", "x" * 200_000, None)):
        answer = await upload(gateway, first, ("session_id", SESSION, None), ("image", b"x", "a.png"))
        assert answer.status == 422
    assert behind.chat.asked == []


async def test_upload_from_a_foreign_page_is_refused(gateway: Gateway, behind: World) -> None:
    key, _ = behind.site("shop.example")
    answer = await upload(
        gateway,
        ("site_key", key, None),
        ("session_id", SESSION, None),
        ("image", b"x", "a.png"),
        Origin="https://evil.example",
    )
    assert answer.status == 403
    assert behind.chat.forwarded() == []
