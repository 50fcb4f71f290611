"""Who gets in as an operator, and as whom the services see them (attacks A1, A4)."""

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

from component.gateway.harness import JWT_SECRET, Gateway, World, bearer, fresh_id, token_for
from parley.common.auth.identity import OperatorCaller
from parley.common.events.presence import OperatorOffline
from parley.common.events.team import OperatorAccessChanged, SiteChanged
from support.wait import until

PATH = "/api/v1/operator/active-chats"


async def status_of(gateway: Gateway, headers: dict[str, str], path: str = PATH) -> int:
    async with gateway.get(path, headers=headers) as answer:
        await answer.read()
        status: int = answer.status
        return status


def raw_token(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    signed = part(orjson.dumps(header)) + b"." + part(orjson.dumps(claims))
    return (signed + b"." + part(sign(signed))).decode()


def hs256(secret: str) -> Callable[[bytes], bytes]:
    return lambda signed: hmac.new(secret.encode(), signed, hashlib.sha256).digest()


def claims_for(operator: dict[str, Any]) -> dict[str, Any]:
    return jwt.decode(token_for(operator), options={"verify_signature": False})


async def test_token_reaches_the_owning_service_as_a_signed_operator(gateway: Gateway, behind: World) -> None:
    operator = behind.operator(sites={"7001": ["can_chat", "can_manage"]}, version=4, language="pt")
    token = token_for(operator, sid="s1")
    async with gateway.get(f"{PATH}?site_id=7001", headers=bearer(token)) as answer:
        assert answer.status == 200
        assert await answer.json() == {"success": True, "service": "chat", "path": PATH}
    (asked,) = behind.chat.forwarded()
    caller = asked.caller
    assert isinstance(caller, OperatorCaller)
    assert (caller.operator_id, caller.tenant_id) == (operator["operator_id"], operator["tenant_id"])
    assert (caller.session_id, caller.access_version, caller.language) == ("s1", 4, "pt")
    assert caller.expires_at > time.time()
    assert caller.sites == {7001: {"can_chat", "can_manage"}}
    assert asked.query == {"site_id": "7001"}
    assert "Authorization" not in asked.headers


async def test_every_service_gets_its_own_routes(gateway: Gateway, behind: World) -> None:
    headers = bearer(token_for(behind.operator()))
    for path, owner in (
        ("/api/v1/operator/status", "presence"),
        ("/api/v1/operator/conversation/5", "chat"),
        ("/api/v1/sites", "chat"),
    ):
        async with gateway.get(path, headers=headers) as answer:
            assert (await answer.json())["service"] == owner
    async with gateway.post("/api/v1/operator/translation/toggle", headers=headers, json={}) as answer:
        assert (await answer.json())["service"] == "translate"
    async with gateway.post("/api/v1/operator/fcm-token", headers=headers, json={}) as answer:
        assert (await answer.json())["service"] == "notify"


async def test_api_key_lets_its_operator_in(gateway: Gateway, behind: World) -> None:
    operator, key = behind.operator(), secrets.token_hex(32)
    behind.keys[key] = operator["operator_id"]
    assert await status_of(gateway, bearer(key)) == 200
    (asked,) = behind.chat.forwarded()
    assert isinstance(asked.caller, OperatorCaller)
    assert (asked.caller.operator_id, asked.caller.session_id, asked.caller.expires_at) == (
        operator["operator_id"],
        None,
        0,
    )
    assert await status_of(gateway, bearer(secrets.token_hex(32))) == 401


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer x", "Bearer a.b.c", "Bearer ..", "Token {good}", "{good}"],
)
async def test_anything_but_a_bearer_credential_is_refused(gateway: Gateway, behind: World, authorization: str) -> None:
    good = token_for(behind.operator())
    headers = {"Authorization": authorization.format(good=good)} if authorization else {}
    async with gateway.get(PATH, headers=headers) as answer:
        assert answer.status == 401
        body = await answer.json()
        assert body["success"] is False
        assert body["code"] == "unauthenticated"
        assert body["request_id"] == answer.headers["X-Request-Id"]
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert behind.chat.forwarded() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"iat": 4_000_000_000},
        {"iss": "somebody-else"},
        {"iss": None},
        {"aud": "somebody-else"},
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
async def test_token_with_a_claim_missing_or_wrong_is_refused(
    gateway: Gateway, behind: World, changes: dict[str, Any]
) -> None:
    assert await status_of(gateway, bearer(token_for(behind.operator(), **changes))) == 401
    assert behind.chat.asked == []


async def test_token_of_another_algorithm_or_signature_is_refused(gateway: Gateway, behind: World) -> None:
    operator = behind.operator()
    claims = claims_for(operator)
    good = token_for(operator)
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    head, body, signature = good.split(".")
    forged = {
        "alg none": raw_token({"alg": "none", "typ": "JWT"}, claims, lambda _: b""),
        "alg None": raw_token({"alg": "None", "typ": "JWT"}, claims, lambda _: b""),
        "no alg": raw_token({"typ": "JWT"}, claims, hs256(JWT_SECRET)),
        "HS512": jwt.encode(claims, JWT_SECRET, "HS512"),
        "RS256": jwt.encode(claims, private, "RS256"),
        "other secret": jwt.encode(claims, secrets.token_hex(32), "HS256"),
        "empty secret": raw_token({"alg": "HS256", "typ": "JWT"}, claims, hs256("")),
        "empty signature": f"{head}.{body}.",
        "cut signature": good[:-8],
        "other body": f"{head}.{token_for(behind.operator()).split('.')[1]}.{signature}",
        "two kids": raw_token({"alg": "HS256", "kid": ["a"]}, claims, hs256(JWT_SECRET)),
        "critical": raw_token({"alg": "HS256", "crit": ["x"], "x": 1}, claims, hs256(JWT_SECRET)),
        "own key": raw_token({"alg": "HS256", "jwk": {"kty": "oct", "k": "YQ"}}, claims, hs256("a")),
        "file as key": raw_token({"alg": "HS256", "kid": "../../../../dev/null"}, claims, hs256("")),
        "claims no object": raw_token({"alg": "HS256"}, [1], hs256(JWT_SECRET)),  # type: ignore[arg-type]
    }
    for name, token in forged.items():
        assert await status_of(gateway, bearer(token)) == 401, name
    assert behind.chat.asked == []
    assert await status_of(gateway, bearer(good)) == 200


async def test_key_id_means_nothing_to_a_shared_secret(gateway: Gateway, behind: World) -> None:
    claims = claims_for(behind.operator())
    token = raw_token({"alg": "HS256", "kid": "../../../../dev/null"}, claims, hs256(JWT_SECRET))
    assert await status_of(gateway, bearer(token)) == 200


async def test_token_found_good_is_refused_once_it_expires(gateway: Gateway, behind: World) -> None:
    token = token_for(behind.operator(), exp=int(time.time()) + 2)
    assert await status_of(gateway, bearer(token)) == 200

    async def refused() -> bool:
        return await status_of(gateway, bearer(token)) == 401

    await until(refused)
    async with gateway.get(PATH, headers=bearer(token)) as answer:
        assert (await answer.json())["code"] == "token_expired"


async def test_suspended_unknown_and_logged_out_operators_are_refused(gateway: Gateway, behind: World) -> None:
    assert await status_of(gateway, bearer(token_for(behind.operator(suspended=True)))) == 401
    assert await status_of(gateway, bearer(token_for({"operator_id": fresh_id()}))) == 401
    operator, session = behind.operator(), f"s-{uuid.uuid4().hex}"
    behind.ended.add(session)
    assert await status_of(gateway, bearer(token_for(operator, sid=session))) == 401
    assert await status_of(gateway, bearer(token_for(operator, sid="another"))) == 200


async def test_token_in_the_query_opens_the_stream_and_nothing_else(gateway: Gateway, behind: World) -> None:
    token = token_for(behind.operator())
    async with gateway.get(f"/api/v1/operator/stream?token={token}&site_id=3") as answer:
        assert answer.status == 200
    (asked,) = behind.notify.forwarded()
    assert asked.query == {"site_id": "3"}
    for path in (PATH, "/api/v1/operator/conversation/5", "/api/v1/sites"):
        assert await status_of(gateway, {}, f"{path}?token={token}") == 401
    async with gateway.post(f"/api/v1/operator/message?token={token}", json={}) as answer:
        assert answer.status == 401
    assert behind.chat.forwarded() == []


async def test_token_in_the_query_is_taken_out_however_it_is_written(gateway: Gateway, behind: World) -> None:
    token = token_for(behind.operator())
    async with gateway.client.get(
        f"{gateway.url}/api/v1/operator/stream?%74oken={token}&site_id=3&token=again",
    ) as answer:
        assert answer.status == 200
    (asked,) = behind.notify.forwarded()
    assert asked.query == {"site_id": "3"}


async def test_ticket_opens_one_stream_and_no_other_route(gateway: Gateway, behind: World) -> None:
    operator, ticket = behind.operator(), secrets.token_hex(32)
    behind.tickets[ticket] = {
        "operator_id": operator["operator_id"],
        "session_id": None,
        "expires_at": int(time.time()) + 60,
    }
    assert await status_of(gateway, bearer(ticket)) == 401
    assert await status_of(gateway, {}, f"{PATH}?token={ticket}") == 401
    assert await status_of(gateway, {}, f"/api/v1/operator/stream?token={ticket}") == 200
    (asked,) = behind.notify.forwarded()
    assert isinstance(asked.caller, OperatorCaller)
    assert asked.caller.operator_id == operator["operator_id"]
    assert await status_of(gateway, {}, f"/api/v1/operator/stream?token={ticket}") == 401


async def test_access_is_asked_once_and_remembered(gateway: Gateway, behind: World) -> None:
    token = token_for(behind.operator())
    for _ in range(5):
        assert await status_of(gateway, bearer(token)) == 200
    assert len(behind.chat.errands("access")) == 1


async def test_changed_access_takes_effect_at_once(gateway: Gateway, behind: World) -> None:
    operator = behind.operator()
    other = behind.operator()
    token = token_for(operator)
    assert await status_of(gateway, bearer(token)) == 200
    assert await status_of(gateway, bearer(token_for(other))) == 200
    operator["suspended"] = True
    started = time.monotonic()
    await gateway.publish(
        OperatorAccessChanged(operator_id=operator["operator_id"], version=2),
        tenant_id=operator["tenant_id"],
        site_id=0,
    )

    async def refused() -> bool:
        return await status_of(gateway, bearer(token)) == 401

    await until(refused, within=2)
    assert time.monotonic() - started < 1
    asked = len(behind.chat.errands("access"))
    assert await status_of(gateway, bearer(token_for(other))) == 200
    assert len(behind.chat.errands("access")) == asked


async def test_revoked_api_key_is_refused_at_once(gateway: Gateway, behind: World) -> None:
    operator, key = behind.operator(), secrets.token_hex(32)
    behind.keys[key] = operator["operator_id"]
    assert await status_of(gateway, bearer(key)) == 200
    del behind.keys[key]
    await gateway.publish(
        OperatorAccessChanged(operator_id=operator["operator_id"]), tenant_id=operator["tenant_id"], site_id=0
    )

    async def refused() -> bool:
        return await status_of(gateway, bearer(key)) == 401

    await until(refused, within=2)


async def test_changed_site_makes_its_tenants_access_be_asked_anew(gateway: Gateway, behind: World) -> None:
    operator = behind.operator(sites={})
    token = token_for(operator)
    assert await status_of(gateway, bearer(token)) == 200
    site_id = fresh_id()
    operator["sites"] = {str(site_id): ["can_chat"]}
    await gateway.publish(SiteChanged(), tenant_id=operator["tenant_id"], site_id=site_id)

    async def seen() -> bool:
        await status_of(gateway, bearer(token))
        caller = behind.chat.forwarded()[-1].caller
        return isinstance(caller, OperatorCaller) and site_id in caller.sites

    await until(seen, within=2)


async def test_other_events_leave_what_is_remembered_alone(gateway: Gateway, behind: World) -> None:
    operator = behind.operator()
    token = token_for(operator)
    assert await status_of(gateway, bearer(token)) == 200
    await gateway.publish(
        OperatorOffline(operator_id=operator["operator_id"]), tenant_id=operator["tenant_id"], site_id=fresh_id()
    )
    marker = behind.operator()
    assert await status_of(gateway, bearer(token_for(marker))) == 200
    await gateway.publish(
        OperatorAccessChanged(operator_id=marker["operator_id"]), tenant_id=marker["tenant_id"], site_id=0
    )

    async def marker_dropped() -> bool:
        await status_of(gateway, bearer(token_for(marker)))
        return len(behind.chat.errands(f"access/{marker['operator_id']}")) > 1

    await until(marker_dropped)
    assert await status_of(gateway, bearer(token)) == 200
    assert len(behind.chat.errands(f"access/{operator['operator_id']}")) == 1


async def test_client_cannot_speak_for_the_gateway(gateway: Gateway, behind: World) -> None:
    operator = behind.operator()
    forged = behind.signer.sign(OperatorCaller(1, 1, "Mallory", {}, owner=True))
    headers = bearer(token_for(operator)) | {
        "X-Parley-Identity": forged,
        "X-Parley-Anything": "1",
        "Cookie": "a=b",
        "Connection": "keep-alive, X-Request-Id",
        "X-Request-Id": "a-sane-request-id",
        "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
    }
    assert await status_of(gateway, {name: headers[name] for name in headers if name != "Authorization"}) == 401
    async with gateway.get(PATH, headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["X-Request-Id"] == "a-sane-request-id"
    (asked,) = behind.chat.forwarded()
    assert isinstance(asked.caller, OperatorCaller)
    assert asked.caller.operator_id == operator["operator_id"]
    assert asked.headers["X-Request-Id"] == "a-sane-request-id"
    assert asked.headers["traceparent"].split("-")[1] == "a" * 32
    assert not {"Cookie", "X-Parley-Anything", "Connection"} & {name.title() for name in asked.headers}


async def test_no_token_and_no_session_is_ever_written_to_the_log(gateway: Gateway, behind: World) -> None:
    operator, ticket = behind.operator(), secrets.token_hex(24)
    token, bad, key = token_for(operator), token_for(operator, secrets.token_hex(32)), secrets.token_hex(32)
    session, site_key = f"sessionsecret{uuid.uuid4().hex}", behind.site(any_origin=True)[0]
    behind.passwords["log@example.com"] = ("a-password-for-the-log", operator["operator_id"])
    for path in (f"/api/v1/operator/stream?token={value}" for value in (token, bad, ticket, f"a\x00{token}")):
        await status_of(gateway, {}, path)
    await status_of(gateway, {}, f"/nothing?token={token}")
    await status_of(gateway, {}, f"/nothing/{token}")
    for value in (token, bad, key):
        await status_of(gateway, bearer(value))
    await status_of(gateway, {}, f"/api/v1/chat/history?site_key={site_key}&session_id={session}")
    async with gateway.post(
        "/api/v1/auth/login", json={"email": "log@example.com", "password": "a-password-for-the-log"}
    ) as answer:
        logged_in = await answer.json()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    writer.write(f"GET /?token={token} HTTP/1.1\r\nHost: x\r\nBad Header: {key}\r\n\r\n".encode())
    assert b" 400 " in await reader.read(200)
    writer.close()
    request_id = uuid.uuid4().hex
    async with gateway.get("/nothing", headers={"X-Request-Id": request_id}) as answer:
        await answer.read()
    await until(lambda: request_id in gateway.log.read_text())
    log = gateway.log.read_text() + await gateway.metrics()
    secrets_used = (token, bad, key, ticket, session, "a-password-for-the-log", logged_in["token"])
    assert [value[:20] for value in (*secrets_used, logged_in["refresh_token"]) if value in log] == []
    assert token.split(".")[2] not in log
