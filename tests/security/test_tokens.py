"""A4: forged and misplaced tokens open nothing. (The gateway's own tests try the claims one by one.)"""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

import jwt
import pytest

from parley_dev.stack import Stack
from support.api import Api
from support.tenants import World
from support.wait import until


@pytest.fixture(scope="module")
async def world(stack: Stack, api: Api, mongodb_uri: str) -> World:
    return await World.make(api, stack, mongodb_uri)


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _forged(world: World, stack: Stack) -> dict[str, str]:
    good = jwt.decode(world.owner.token, options={"verify_signature": False})
    head, body, signature = world.owner.token.split(".")
    secret = stack.secrets.jwt

    def signed(
        key: str = secret, headers: dict[str, Any] | None = None, algorithm: str = "HS256", **claims: Any
    ) -> str:
        kept = {name: value for name, value in {**good, **claims}.items() if value is not None}
        return jwt.encode(kept, key, algorithm=algorithm, headers=headers)

    return {
        "alg none": f"{_part({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "alg None": f"{_part({'alg': 'None', 'typ': 'JWT'})}.{body}.{signature}",
        "no signature": f"{head}.{body}.",
        "another's signature": signed(secrets.token_hex(32)),
        "the services' secret": signed(stack.secrets.identity),
        "another algorithm": signed(algorithm="HS512"),
        "alg RS256": f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{body}.{signature}",
        "kid of a file": signed("0" * 32, {"kid": "../../dev/null"}),
        "kid of a query": signed("x" * 32, {"kid": "' union select 'x"}),
        "own key in jwk": signed("x" * 32, {"jwk": {"kty": "oct", "k": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg"}}),
        "key by address": signed("x" * 32, {"jku": "http://127.0.0.1:1/keys"}),
        "wrong aud": signed(aud="parley-services"),
        "no aud": signed(aud=None),
        "wrong iss": signed(iss="somebody"),
        "no iss": signed(iss=None),
        "no exp": signed(exp=None),
        "no sub": signed(sub=None),
        "sub of a name": signed(sub="owner"),
        "not yet": signed(nbf=good["exp"]),
        "changed body": f"{head}.{_part({**good, 'sub': str(world.alex.id)})}.{signature}",
    }


async def test_no_forged_token_is_taken(world: World, stack: Stack) -> None:
    forged = _forged(world, stack)
    for how, token in forged.items():
        assert (await world.api.call("GET", "/api/v1/auth/me", token=token)).status == 401, how
        opened = await world.api.call("GET", "/api/v1/operator/stream", query={"token": token})
        assert opened.status == 401, how


async def test_a_token_in_the_query_counts_for_the_stream_alone(world: World) -> None:
    for path in ("/auth/me", "/operator/all-active-chats", "/sites", "/team"):
        assert (await world.api.call("GET", f"/api/v1{path}", query={"token": world.owner.token})).status == 401
    body = {"token": world.owner.token, "conversation_id": 1}
    assert (await world.api.call("POST", "/api/v1/operator/typing", body=body)).status == 401


async def test_a_ticket_opens_one_stream_once_and_nothing_else(world: World) -> None:
    ticket = (await world.alex.post("/operator/stream-ticket")).ok()["ticket"]
    assert (await world.api.call("GET", "/api/v1/auth/me", token=ticket)).status == 401
    assert (await world.api.call("GET", "/api/v1/auth/me", query={"token": ticket})).status == 401
    stream = world.api.http.get(f"{world.api.base}/api/v1/operator/stream", params={"token": ticket})
    async with stream as opened:
        assert opened.status == 200
    again = await world.api.call("GET", "/api/v1/operator/stream", query={"token": ticket})
    assert again.status == 401


async def test_a_visitors_credentials_make_no_operator(world: World) -> None:
    visitor = world.visitor()
    for token in (visitor.session_id, world.site_key):
        assert (await world.api.call("GET", "/api/v1/auth/me", token=token)).status == 401
    assert (await world.api.call("GET", "/api/v1/auth/me", query=visitor.names)).status == 401


async def test_a_refresh_token_used_twice_ends_the_whole_login(world: World) -> None:
    member = await world.join("Rita")
    login = await world.api.login(f"owner@{world.tenant}.test", "correct-horse-battery")
    spent = {"refresh_token": login["refresh_token"]}
    fresh = (await world.api.call("POST", "/api/v1/auth/refresh", body=spent)).ok()
    assert (await world.api.call("GET", "/api/v1/auth/me", token=fresh["token"])).status == 200
    assert (await world.api.call("POST", "/api/v1/auth/refresh", body=spent)).status == 401

    async def ended() -> bool:
        return (await world.api.call("GET", "/api/v1/auth/me", token=fresh["token"])).status == 401

    await until(ended)
    next_one = {"refresh_token": fresh["refresh_token"]}
    assert (await world.api.call("POST", "/api/v1/auth/refresh", body=next_one)).status == 401
    assert (await member.get("/auth/me")).status == 200, "other logins go on"


async def test_nobody_but_the_gateway_reaches_a_service(world: World, stack: Stack) -> None:
    """A service believes the gateway's signature alone, whatever else is said."""
    for service in ("chat", "presence", "notify", "translate"):
        for replica in stack.processes(service):
            for headers in (
                {},
                {"Authorization": f"Bearer {world.owner.token}"},
                {"X-Parley-Identity": world.owner.token},
                {"X-Parley-Identity": jwt.encode({"kind": "gateway"}, "x" * 32, algorithm="HS256")},
            ):
                for path in ("/internal/openapi", "/api/v1/operator/status", "/api/v1/auth/me"):
                    async with world.api.http.get(replica.url + path, headers=headers) as response:
                        assert response.status in (401, 404), (service, path)
