"""A4: forged and misplaced tokens are 401. The gateway's own tests check the claims one by one."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from pymongo import AsyncMongoClient

from parley_dev.stack import Stack
from support.api import ApiClient
from support.tenants import TenantFixture
from support.wait import wait_until


@pytest.fixture(scope="module")
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    return await TenantFixture.create(api, stack, mongodb_uri)


def _encode_part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _forged_tokens(tenant: TenantFixture, stack: Stack) -> dict[str, str]:
    good = jwt.decode(tenant.owner.token, options={"verify_signature": False})
    head, body, signature = tenant.owner.token.split(".")
    secret = stack.secrets.jwt

    def signed(
        key: str = secret, headers: dict[str, Any] | None = None, algorithm: str = "HS256", **claims: Any
    ) -> str:
        present = {name: value for name, value in {**good, **claims}.items() if value is not None}
        return jwt.encode(present, key, algorithm=algorithm, headers=headers)

    return {
        "alg none": f"{_encode_part({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "alg None": f"{_encode_part({'alg': 'None', 'typ': 'JWT'})}.{body}.{signature}",
        "no signature": f"{head}.{body}.",
        "signature of another key": signed(secrets.token_hex(32)),
        "secret of the services": signed(stack.secrets.identity),
        "another algorithm": signed(algorithm="HS512"),
        "alg RS256": f"{_encode_part({'alg': 'RS256', 'typ': 'JWT'})}.{body}.{signature}",
        "kid of a file": signed("0" * 32, {"kid": "../../dev/null"}),
        "kid of a query": signed("x" * 32, {"kid": "' union select 'x"}),
        "own key in jwk": signed("x" * 32, {"jwk": {"kty": "oct", "k": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg"}}),
        "key by URL": signed("x" * 32, {"jku": "http://127.0.0.1:1/keys"}),
        "wrong aud": signed(aud="parley-services"),
        "no aud": signed(aud=None),
        "wrong iss": signed(iss="somebody"),
        "no iss": signed(iss=None),
        "no exp": signed(exp=None),
        "no sub": signed(sub=None),
        "sub of a name": signed(sub="owner"),
        "not yet": signed(nbf=good["exp"]),
        "changed body": f"{head}.{_encode_part({**good, 'sub': str(tenant.alex.id)})}.{signature}",
    }


async def test_forged_tokens_are_401(tenant: TenantFixture, stack: Stack) -> None:
    """A4: forged tokens (algorithm, key, signature, audience, issuer or claims) are 401."""
    forged = _forged_tokens(tenant, stack)
    for how, token in forged.items():
        assert (await tenant.api.request("GET", "/api/v1/auth/me", token=token)).status == 401, how
        opened = await tenant.api.request("GET", "/api/v1/operator/stream", query={"token": token})
        assert opened.status == 401, how


async def test_a_token_in_the_query_is_valid_for_streams_only(tenant: TenantFixture) -> None:
    """A4: a token in the query is accepted for the event stream only."""
    for path in ("/auth/me", "/operator/all-active-chats", "/sites", "/team"):
        assert (await tenant.api.request("GET", f"/api/v1{path}", query={"token": tenant.owner.token})).status == 401
    body = {"token": tenant.owner.token, "conversation_id": 1}
    assert (await tenant.api.request("POST", "/api/v1/operator/typing", body=body)).status == 401


async def test_a_stream_ticket_opens_one_stream_once(tenant: TenantFixture) -> None:
    """A4: a stream ticket opens one stream once, and is 401 everywhere else."""
    ticket = (await tenant.alex.post("/operator/stream-ticket")).ok()["ticket"]
    assert (await tenant.api.request("GET", "/api/v1/auth/me", token=ticket)).status == 401
    assert (await tenant.api.request("GET", "/api/v1/auth/me", query={"token": ticket})).status == 401
    stream = tenant.api.http.get(f"{tenant.api.base_url}/api/v1/operator/stream", params={"token": ticket})
    async with stream as opened:
        assert opened.status == 200
    again = await tenant.api.request("GET", "/api/v1/operator/stream", query={"token": ticket})
    assert again.status == 401


async def test_visitor_credentials_are_not_operator_tokens(tenant: TenantFixture) -> None:
    """A4: a visitor's session and a site key are not accepted as operator tokens."""
    visitor = tenant.new_visitor()
    for token in (visitor.session_id, tenant.site_key):
        assert (await tenant.api.request("GET", "/api/v1/auth/me", token=token)).status == 401
    assert (await tenant.api.request("GET", "/api/v1/auth/me", query=visitor.credentials)).status == 401


async def test_reusing_a_refresh_token_ends_the_login(tenant: TenantFixture, stack: Stack, mongodb_uri: str) -> None:
    """A4: reuse of a refresh token after the reuse window ends its login; A19: the access token is then 401."""
    member = await tenant.add_operator("Rita")
    login = await tenant.api.login(f"owner@{tenant.name}.test", "correct-horse-battery")
    used = {"refresh_token": login["refresh_token"]}
    refreshed = (await tenant.api.request("POST", "/api/v1/auth/refresh", body=used)).ok()
    assert (await tenant.api.request("GET", "/api/v1/auth/me", token=refreshed["token"])).status == 200
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client:
        sessions = client[f"{stack.environment('chat')['PARLEY_DATABASE_PREFIX']}_chat"]["sessions"]
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        await sessions.update_many(
            {"operator_id": tenant.owner.id, "replaced": {"$exists": True}}, {"$set": {"replaced.$[].at": long_ago}}
        )
    assert (await tenant.api.request("POST", "/api/v1/auth/refresh", body=used)).status == 401

    async def is_ended() -> bool:
        return (await tenant.api.request("GET", "/api/v1/auth/me", token=refreshed["token"])).status == 401

    await wait_until(is_ended)
    next_refresh = {"refresh_token": refreshed["refresh_token"]}
    assert (await tenant.api.request("POST", "/api/v1/auth/refresh", body=next_refresh)).status == 401
    assert (await member.get("/auth/me")).status == 200, "other logins stay valid"


async def test_services_accept_only_the_gateways_signature(tenant: TenantFixture, stack: Stack) -> None:
    """A4: services accept only identities signed by the gateway."""
    for service in ("chat", "presence", "notify", "translate"):
        for replica in stack.processes(service):
            for headers in (
                {},
                {"Authorization": f"Bearer {tenant.owner.token}"},
                {"X-Parley-Identity": tenant.owner.token},
                {"X-Parley-Identity": jwt.encode({"kind": "gateway"}, "x" * 32, algorithm="HS256")},
            ):
                for path in ("/internal/openapi", "/api/v1/operator/status", "/api/v1/auth/me"):
                    async with tenant.api.http.get(replica.url + path, headers=headers) as response:
                        assert response.status in (401, 404), (service, path)
