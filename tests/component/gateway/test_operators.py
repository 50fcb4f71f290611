"""Authentication of operators, and the identity that services receive (guarantees A1, A4)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from component.gateway.harness import JWT_SECRET, FakeBackend, Gateway, bearer, fresh_id, token_for
from parley.common.auth.identity import OperatorCaller
from parley.common.auth.token_hashing import hash_token
from parley.common.events.presence import OperatorOffline
from parley.common.events.team import OperatorAccessChanged, SiteChanged
from support.wait import SchedulingDelay, wait_until

PATH = "/api/v1/operator/active-chats"


async def get_status(gateway: Gateway, headers: dict[str, str], path: str = PATH) -> int:
    async with gateway.get(path, headers=headers) as response:
        await response.read()
        status: int = response.status
        return status


def build_raw_token(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    signed = part(orjson.dumps(header)) + b"." + part(orjson.dumps(claims))
    return (signed + b"." + part(sign(signed))).decode()


def hs256(secret: str) -> Callable[[bytes], bytes]:
    return lambda signed: hmac.new(secret.encode(), signed, hashlib.sha256).digest()


def build_claims(operator: dict[str, Any]) -> dict[str, Any]:
    return jwt.decode(token_for(operator), options={"verify_signature": False})


async def test_token_reaches_the_owning_service_as_a_signed_operator(gateway: Gateway, backend: FakeBackend) -> None:
    operator = backend.add_operator(sites={"7001": ["can_chat", "can_manage"]}, version=4, language="pt")
    token = token_for(operator, sid="s1")
    async with gateway.get(f"{PATH}?site_id=7001", headers=bearer(token)) as response:
        assert response.status == 200
        assert await response.json() == {"success": True, "service": "chat", "path": PATH}
    (recorded,) = backend.chat.proxied_requests()
    caller = recorded.caller
    assert isinstance(caller, OperatorCaller)
    assert (caller.operator_id, caller.tenant_id) == (operator["operator_id"], operator["tenant_id"])
    assert (caller.login_session_id, caller.access_version, caller.language) == ("s1", 4, "pt")
    assert caller.expires_at > time.time()
    assert caller.sites == {7001: {"can_chat", "can_manage"}}
    assert recorded.query == {"site_id": "7001"}
    assert "Authorization" not in recorded.headers


async def test_each_route_reaches_its_service(gateway: Gateway, backend: FakeBackend) -> None:
    headers = bearer(token_for(backend.add_operator()))
    for path, owner in (
        ("/api/v1/operator/status", "presence"),
        ("/api/v1/operator/conversation/5", "chat"),
        ("/api/v1/sites", "chat"),
    ):
        async with gateway.get(path, headers=headers) as response:
            assert (await response.json())["service"] == owner
    async with gateway.post("/api/v1/operator/translation/toggle", headers=headers, json={}) as response:
        assert (await response.json())["service"] == "translate"
    async with gateway.post("/api/v1/operator/fcm-token", headers=headers, json={}) as response:
        assert (await response.json())["service"] == "notify"


async def test_api_key_authenticates_its_operator(gateway: Gateway, backend: FakeBackend) -> None:
    operator, key = backend.add_operator(), secrets.token_hex(32)
    backend.api_keys[key] = operator["operator_id"]
    assert await get_status(gateway, bearer(key)) == 200
    (recorded,) = backend.chat.proxied_requests()
    assert isinstance(recorded.caller, OperatorCaller)
    assert (recorded.caller.operator_id, recorded.caller.login_session_id, recorded.caller.expires_at) == (
        operator["operator_id"],
        None,
        0,
    )
    assert await get_status(gateway, bearer(secrets.token_hex(32))) == 401


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer x", "Bearer a.b.c", "Bearer ..", "Token {good}", "{good}"],
)
async def test_only_a_bearer_credential_is_accepted(gateway: Gateway, backend: FakeBackend, authorization: str) -> None:
    valid_token = token_for(backend.add_operator())
    headers = {"Authorization": authorization.format(good=valid_token)} if authorization else {}
    async with gateway.get(PATH, headers=headers) as response:
        assert response.status == 401
        body = await response.json()
        assert body["success"] is False
        assert body["code"] == "unauthenticated"
        assert body["request_id"] == response.headers["X-Request-Id"]
        assert "Access-Control-Allow-Origin" not in response.headers
    assert backend.chat.proxied_requests() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"iat": 4_000_000_000},
        {"iss": "another"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"jti": None},
        {"jti": 5},
        {"sub": None},
        {"sub": "me"},
        {"sub": "0"},
        {"sub": "-1"},
        {"sub": "1e3"},
        {"sub": "99999999999999999999"},
        {"sid": 7},
        {"sid": "../../admin"},
        {"nbf": 4_000_000_000},
    ],
    ids=str,
)
async def test_token_with_a_missing_or_wrong_claim_is_rejected(
    gateway: Gateway, backend: FakeBackend, changes: dict[str, Any]
) -> None:
    assert await get_status(gateway, bearer(token_for(backend.add_operator(), **changes))) == 401
    assert backend.chat.requests == []


async def test_token_with_another_algorithm_or_signature_is_rejected(gateway: Gateway, backend: FakeBackend) -> None:
    operator = backend.add_operator()
    claims = build_claims(operator)
    valid_token = token_for(operator)
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    head, body, signature = valid_token.split(".")
    forged = {
        "alg none": build_raw_token({"alg": "none", "typ": "JWT"}, claims, lambda _: b""),
        "alg None": build_raw_token({"alg": "None", "typ": "JWT"}, claims, lambda _: b""),
        "no alg": build_raw_token({"typ": "JWT"}, claims, hs256(JWT_SECRET)),
        "HS512": jwt.encode(claims, JWT_SECRET, "HS512"),
        "RS256": jwt.encode(claims, private_key, "RS256"),
        "other secret": jwt.encode(claims, secrets.token_hex(32), "HS256"),
        "empty secret": build_raw_token({"alg": "HS256", "typ": "JWT"}, claims, hs256("")),
        "empty signature": f"{head}.{body}.",
        "cut signature": valid_token[:-8],
        "other body": f"{head}.{token_for(backend.add_operator()).split('.')[1]}.{signature}",
        "two kids": build_raw_token({"alg": "HS256", "kid": ["a"]}, claims, hs256(JWT_SECRET)),
        "critical": build_raw_token({"alg": "HS256", "crit": ["x"], "x": 1}, claims, hs256(JWT_SECRET)),
        "own key": build_raw_token({"alg": "HS256", "jwk": {"kty": "oct", "k": "YQ"}}, claims, hs256("a")),
        "file as key": build_raw_token({"alg": "HS256", "kid": "../../../../dev/null"}, claims, hs256("")),
        "claims not an object": build_raw_token({"alg": "HS256"}, [1], hs256(JWT_SECRET)),  # type: ignore[arg-type]
    }
    for name, token in forged.items():
        assert await get_status(gateway, bearer(token)) == 401, name
    assert backend.chat.requests == []
    assert await get_status(gateway, bearer(valid_token)) == 200


async def test_key_id_is_ignored_with_a_shared_secret(gateway: Gateway, backend: FakeBackend) -> None:
    claims = build_claims(backend.add_operator())
    token = build_raw_token({"alg": "HS256", "kid": "../../../../dev/null"}, claims, hs256(JWT_SECRET))
    assert await get_status(gateway, bearer(token)) == 200


@pytest.mark.parametrize(
    ("claim", "offset", "status"),
    [("exp", -20, 200), ("exp", -40, 401), ("iat", 20, 200), ("iat", 40, 401), ("nbf", 20, 200), ("nbf", 40, 401)],
)
async def test_clocks_may_differ_by_30_seconds(
    gateway: Gateway, backend: FakeBackend, claim: str, offset: int, status: int
) -> None:
    changes: dict[str, Any] = {claim: int(time.time()) + offset}
    token = token_for(backend.add_operator(), **changes)
    assert await get_status(gateway, bearer(token)) == status


async def test_cached_token_is_rejected_once_it_expires(gateway: Gateway, backend: FakeBackend) -> None:
    token = token_for(backend.add_operator(), exp=int(time.time()) - 28)
    assert await get_status(gateway, bearer(token)) == 200

    async def is_rejected() -> bool:
        return await get_status(gateway, bearer(token)) == 401

    await wait_until(is_rejected)
    async with gateway.get(PATH, headers=bearer(token)) as response:
        assert (await response.json())["code"] == "token_expired"


async def test_suspended_unknown_and_logged_out_operators_are_rejected(gateway: Gateway, backend: FakeBackend) -> None:
    assert await get_status(gateway, bearer(token_for(backend.add_operator(suspended=True)))) == 401
    assert await get_status(gateway, bearer(token_for({"operator_id": fresh_id()}))) == 401
    operator, session = backend.add_operator(), f"s-{uuid.uuid4().hex}"
    backend.ended_sessions.add(session)
    assert await get_status(gateway, bearer(token_for(operator, sid=session))) == 401
    assert await get_status(gateway, bearer(token_for(operator, sid="another"))) == 200


async def test_token_in_the_query_is_accepted_by_the_event_stream_only(gateway: Gateway, backend: FakeBackend) -> None:
    token = token_for(backend.add_operator())
    async with gateway.get(f"/api/v1/operator/stream?token={token}&site_id=3") as response:
        assert response.status == 200
    (recorded,) = backend.notify.proxied_requests()
    assert recorded.query == {"site_id": "3"}
    for path in (PATH, "/api/v1/operator/conversation/5", "/api/v1/sites"):
        assert await get_status(gateway, {}, f"{path}?token={token}") == 401
    async with gateway.post(f"/api/v1/operator/message?token={token}", json={}) as response:
        assert response.status == 401
    assert backend.chat.proxied_requests() == []


async def test_token_is_removed_from_the_query_in_every_encoding(gateway: Gateway, backend: FakeBackend) -> None:
    token = token_for(backend.add_operator())
    async with gateway.client.get(
        f"{gateway.url}/api/v1/operator/stream?%74oken={token}&site_id=3&token=again",
    ) as response:
        assert response.status == 200
    (recorded,) = backend.notify.proxied_requests()
    assert recorded.query == {"site_id": "3"}


async def test_stream_ticket_opens_one_stream_and_no_other_route(gateway: Gateway, backend: FakeBackend) -> None:
    operator, ticket = backend.add_operator(), secrets.token_hex(32)
    backend.tickets[ticket] = {
        "operator_id": operator["operator_id"],
        "session_id": None,
        "expires_at": int(time.time()) + 60,
    }
    assert await get_status(gateway, bearer(ticket)) == 401
    assert await get_status(gateway, {}, f"{PATH}?token={ticket}") == 401
    assert await get_status(gateway, {}, f"/api/v1/operator/stream?token={ticket}") == 200
    (recorded,) = backend.notify.proxied_requests()
    assert isinstance(recorded.caller, OperatorCaller)
    assert recorded.caller.operator_id == operator["operator_id"]
    assert await get_status(gateway, {}, f"/api/v1/operator/stream?token={ticket}") == 401


async def test_stream_ticket_of_an_api_key_gives_what_the_key_may_do(gateway: Gateway, backend: FakeBackend) -> None:
    operator, key = backend.add_operator(owner=True), secrets.token_hex(32)
    backend.api_keys[key] = operator["operator_id"]
    tickets = [secrets.token_hex(32) for _ in range(2)]
    for ticket in tickets:
        backend.tickets[ticket] = {
            "operator_id": operator["operator_id"],
            "session_id": None,
            "expires_at": 0,
            "api_key_hash": hash_token(key),
        }
    assert await get_status(gateway, {}, f"/api/v1/operator/stream?token={tickets[0]}") == 200
    caller = backend.notify.proxied_requests()[-1].caller
    assert isinstance(caller, OperatorCaller)
    assert (caller.owner, caller.api_key_hash) == (False, hash_token(key))
    del backend.api_keys[key]
    assert await get_status(gateway, {}, f"/api/v1/operator/stream?token={tickets[1]}") == 401


async def test_access_is_loaded_once_and_cached(gateway: Gateway, backend: FakeBackend) -> None:
    token = token_for(backend.add_operator())
    for _ in range(5):
        assert await get_status(gateway, bearer(token)) == 200
    assert len(backend.chat.internal_requests("access")) == 1


async def test_changed_access_takes_effect_at_once(gateway: Gateway, backend: FakeBackend) -> None:
    operator = backend.add_operator()
    other = backend.add_operator()
    token = token_for(operator)
    assert await get_status(gateway, bearer(token)) == 200
    assert await get_status(gateway, bearer(token_for(other))) == 200
    operator["suspended"] = True

    async def is_rejected() -> bool:
        return await get_status(gateway, bearer(token)) == 401

    async with SchedulingDelay() as delay:
        started_at = time.monotonic()
        await gateway.publish(
            OperatorAccessChanged(operator_id=operator["operator_id"], version=2),
            tenant_id=operator["tenant_id"],
            site_id=0,
        )
        await wait_until(is_rejected)
        taken = time.monotonic() - started_at
    assert taken < 1 + delay.tolerance_seconds
    load_count = len(backend.chat.internal_requests("access"))
    assert await get_status(gateway, bearer(token_for(other))) == 200
    assert len(backend.chat.internal_requests("access")) == load_count


async def test_revoked_api_key_is_rejected_at_once(gateway: Gateway, backend: FakeBackend) -> None:
    operator, key = backend.add_operator(), secrets.token_hex(32)
    backend.api_keys[key] = operator["operator_id"]
    assert await get_status(gateway, bearer(key)) == 200
    del backend.api_keys[key]
    await gateway.publish(
        OperatorAccessChanged(operator_id=operator["operator_id"]), tenant_id=operator["tenant_id"], site_id=0
    )

    async def is_rejected() -> bool:
        return await get_status(gateway, bearer(key)) == 401

    await wait_until(is_rejected)


async def test_changed_site_invalidates_the_access_of_its_tenant(gateway: Gateway, backend: FakeBackend) -> None:
    operator = backend.add_operator(sites={})
    token = token_for(operator)
    assert await get_status(gateway, bearer(token)) == 200
    site_id = fresh_id()
    operator["sites"] = {str(site_id): ["can_chat"]}
    await gateway.publish(SiteChanged(), tenant_id=operator["tenant_id"], site_id=site_id)

    async def is_visible() -> bool:
        await get_status(gateway, bearer(token))
        caller = backend.chat.proxied_requests()[-1].caller
        return isinstance(caller, OperatorCaller) and site_id in caller.sites

    await wait_until(is_visible)


async def test_other_events_do_not_invalidate_access(gateway: Gateway, backend: FakeBackend) -> None:
    operator = backend.add_operator()
    token = token_for(operator)
    assert await get_status(gateway, bearer(token)) == 200
    await gateway.publish(
        OperatorOffline(operator_id=operator["operator_id"]), tenant_id=operator["tenant_id"], site_id=fresh_id()
    )
    marker = backend.add_operator()
    assert await get_status(gateway, bearer(token_for(marker))) == 200
    await gateway.publish(
        OperatorAccessChanged(operator_id=marker["operator_id"]), tenant_id=marker["tenant_id"], site_id=0
    )

    async def is_marker_reloaded() -> bool:
        await get_status(gateway, bearer(token_for(marker)))
        return len(backend.chat.internal_requests(f"access/{marker['operator_id']}")) > 1

    await wait_until(is_marker_reloaded)
    assert await get_status(gateway, bearer(token)) == 200
    assert len(backend.chat.internal_requests(f"access/{operator['operator_id']}")) == 1


async def test_client_cannot_set_the_gateways_headers(gateway: Gateway, backend: FakeBackend) -> None:
    operator = backend.add_operator()
    forged = backend.signer.sign(OperatorCaller(1, 1, "Mallory", {}, owner=True))
    headers = bearer(token_for(operator)) | {
        "X-Parley-Identity": forged,
        "X-Parley-Anything": "1",
        "Cookie": "a=b",
        "Connection": "keep-alive, X-Request-Id",
        "X-Request-Id": "a-sane-request-id",
        "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
    }
    assert await get_status(gateway, {name: headers[name] for name in headers if name != "Authorization"}) == 401
    async with gateway.get(PATH, headers=headers) as response:
        assert response.status == 200
        assert response.headers["X-Request-Id"] == "a-sane-request-id"
    (recorded,) = backend.chat.proxied_requests()
    assert isinstance(recorded.caller, OperatorCaller)
    assert recorded.caller.operator_id == operator["operator_id"]
    assert recorded.headers["X-Request-Id"] == "a-sane-request-id"
    assert recorded.headers["traceparent"].split("-")[1] == "a" * 32
    assert not {"Cookie", "X-Parley-Anything", "Connection"} & {name.title() for name in recorded.headers}


async def test_log_and_metrics_contain_no_token_and_no_session(gateway: Gateway, backend: FakeBackend) -> None:
    operator, ticket = backend.add_operator(), secrets.token_hex(24)
    token, invalid_token, key = token_for(operator), token_for(operator, secrets.token_hex(32)), secrets.token_hex(32)
    session, site_key = f"sessionsecret{uuid.uuid4().hex}", backend.add_site(any_origin=True)[0]
    backend.passwords["log@example.com"] = ("a-password-for-the-log", operator["operator_id"])
    for path in (f"/api/v1/operator/stream?token={value}" for value in (token, invalid_token, ticket, f"a\x00{token}")):
        await get_status(gateway, {}, path)
    await get_status(gateway, {}, f"/nothing?token={token}")
    await get_status(gateway, {}, f"/nothing/{token}")
    for value in (token, invalid_token, key):
        await get_status(gateway, bearer(value))
    await get_status(gateway, {}, f"/api/v1/chat/history?site_key={site_key}&session_id={session}")
    async with gateway.post(
        "/api/v1/auth/login", json={"email": "log@example.com", "password": "a-password-for-the-log"}
    ) as response:
        logged_in = await response.json()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    writer.write(f"GET /?token={token} HTTP/1.1\r\nHost: x\r\nBad Header: {key}\r\n\r\n".encode())
    assert b" 400 " in await reader.read(200)
    writer.close()
    request_id = uuid.uuid4().hex
    async with gateway.get("/nothing", headers={"X-Request-Id": request_id}) as response:
        await response.read()
    await wait_until(lambda: request_id in gateway.log.read_text())
    log = gateway.log.read_text() + await gateway.metrics()
    secrets_used = (token, invalid_token, key, ticket, session, "a-password-for-the-log", logged_in["token"])
    assert [value[:20] for value in (*secrets_used, logged_in["refresh_token"]) if value in log] == []
    assert token.split(".")[2] not in log
