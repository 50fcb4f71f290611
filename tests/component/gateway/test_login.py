"""Login and logout: chat checks passwords, the gateway issues tokens."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import orjson
import pytest
from aiohttp import web

from component.gateway.harness import JWT_SECRET, FakeBackend, Gateway, RecordedRequest, bearer, token_for
from parley.common.auth.identity import GatewayCaller

PATH = "/api/v1/operator/active-chats"


async def login(gateway: Gateway, email: str, password: str) -> tuple[int, dict[str, Any]]:
    async with gateway.post("/api/v1/auth/login", json={"email": email, "password": password}) as response:
        return response.status, await response.json()


@pytest.fixture
def account(backend: FakeBackend) -> tuple[str, str, dict[str, Any]]:
    """An e-mail address, its password, its operator."""
    operator, email, password = backend.add_operator(), f"{uuid.uuid4().hex}@example.com", uuid.uuid4().hex
    backend.passwords[email] = (password, operator["operator_id"])
    return email, password, operator


async def test_login_returns_a_token_that_is_accepted(
    gateway: Gateway, backend: FakeBackend, account: tuple[str, str, dict[str, Any]]
) -> None:
    email, password, operator = account
    status, body = await login(gateway, email, password)
    assert status == 200
    assert body["success"] is True
    assert body["expires_in"] == 3600
    assert body["refresh_token"].startswith("refresh-")
    assert body["user"] == {
        "id": operator["operator_id"],
        "name": "Alex",
        "email": operator["email"],
        "language": "en",
        "owner": False,
        "sites": operator["sites"],
    }
    claims = jwt.decode(body["token"], JWT_SECRET, ["HS256"], audience="parley", issuer="parley")
    assert claims["sub"] == str(operator["operator_id"])
    assert claims["name"] == "Alex"
    assert claims["sid"].startswith("login-")
    assert claims["jti"]
    assert claims["exp"] - claims["iat"] == 3600
    async with gateway.get(PATH, headers=bearer(body["token"])) as response:
        assert response.status == 200
    (recorded,) = backend.chat.internal_requests("login")
    assert recorded.caller == GatewayCaller("127.0.0.1")
    assert orjson.loads(recorded.body) == {"email": email, "password": password}


async def test_wrong_password_is_401_with_the_error_of_chat(
    gateway: Gateway, account: tuple[str, str, dict[str, Any]]
) -> None:
    status, body = await login(gateway, account[0], "wrong")
    assert status == 401
    assert (body["error"], body["code"]) == ("Wrong.", "bad_credentials")
    assert body["request_id"] != "inner"


async def test_blocked_login_contains_the_end_of_the_block(gateway: Gateway, backend: FakeBackend) -> None:
    async def reject_login(_request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        body = {"success": False, "error": "x", "code": "login_blocked", "retry_after": 9, "blocked_until": "2026"}
        return web.json_response(body, status=429, headers={"Retry-After": "9"})

    backend.chat.handlers["POST", "/internal/login"] = reject_login
    async with gateway.post("/api/v1/auth/login", json={"email": "a@b.example", "password": "x"}) as response:
        assert response.status == 429
        assert response.headers["Retry-After"] == "9"
        body = await response.json()
        assert (body["retry_after"], body["blocked_until"]) == (9, "2026")


ACCOUNT_REQUESTS = {
    "login": ("auth/login", {"email": "a@b.example", "password": "x"}),
    "refresh": ("auth/refresh", {"refresh_token": "r1"}),
    "logout": ("auth/logout", {"refresh_token": "r1"}),
    "accept-invitation": ("invitations/accept", {"token": "t1", "password": "long enough", "name": "Sam"}),
}


@pytest.mark.parametrize("action", ACCOUNT_REQUESTS)
async def test_an_account_request_without_a_database_is_503(
    gateway: Gateway, backend: FakeBackend, action: str
) -> None:
    """T4: as every other request that needs it."""

    async def answer(_request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        return web.json_response({"success": False, "error": "x", "code": "unavailable"}, status=503)

    backend.chat.handlers["POST", f"/internal/{action}"] = answer
    path, body = ACCOUNT_REQUESTS[action]
    async with gateway.post(f"/api/v1/{path}", json=body) as response:
        assert (response.status, (await response.json())["code"]) == (503, "unavailable")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"email", "password"}),
        ({"email": {"$ne": 1}, "password": "x"}, {"email"}),
        ({"email": "a@b.example", "password": 5}, {"password"}),
        ({"email": "a" * 300, "password": "x" * 2000}, {"email", "password"}),
    ],
)
async def test_malformed_login_is_422(
    gateway: Gateway, backend: FakeBackend, body: dict[str, Any], fields: set[str]
) -> None:
    async with gateway.post("/api/v1/auth/login", json=body) as response:
        assert response.status == 422
        assert set((await response.json())["errors"]) == fields
    assert backend.chat.requests == []


async def test_refresh_and_invitation_return_a_token(gateway: Gateway, backend: FakeBackend) -> None:
    backend.add_operator()
    async with gateway.post("/api/v1/auth/refresh", json={"refresh_token": "r1"}) as response:
        assert response.status == 200
        assert (await response.json())["token"]
    invitation = {"token": "t1", "password": "long enough", "name": " Sam "}
    async with gateway.post("/api/v1/invitations/accept", json=invitation) as response:
        assert response.status == 200
        assert (await response.json())["token"]
    (recorded,) = backend.chat.internal_requests("accept-invitation")
    assert orjson.loads(recorded.body)["name"] == "Sam"


async def test_logout_ends_the_session_of_the_token(
    gateway: Gateway, backend: FakeBackend, account: tuple[str, str, dict[str, Any]]
) -> None:
    _, body = await login(gateway, account[0], account[1])
    session = jwt.decode(body["token"], options={"verify_signature": False})["sid"]
    async with gateway.post("/api/v1/auth/logout", headers=bearer(body["token"])) as response:
        assert response.status == 200
        assert await response.json() == {"success": True}
    assert session in backend.ended_sessions


async def test_logout_accepts_the_refresh_token_if_the_token_has_expired(
    gateway: Gateway, backend: FakeBackend
) -> None:
    expired = bearer(token_for(backend.add_operator(), exp=int(time.time()) - 60))
    async with gateway.post("/api/v1/auth/logout", headers=expired) as response:
        assert response.status == 401
    async with gateway.post("/api/v1/auth/logout") as response:
        assert response.status == 401
    assert backend.chat.internal_requests("logout") == []
    async with gateway.post("/api/v1/auth/logout", headers=expired, json={"refresh_token": "r"}) as response:
        assert response.status == 200
    (recorded,) = backend.chat.internal_requests("logout")
    assert orjson.loads(recorded.body) == {"session_id": None, "refresh_token": "r"}


async def test_unreachable_chat_is_503_and_not_a_wrong_password(
    backend: FakeBackend, account: tuple[str, str, dict[str, Any]], start_gateway: Callable[..., Awaitable[Gateway]]
) -> None:
    gateway = await start_gateway(PARLEY_CHAT_URLS="http://127.0.0.1:1")
    status, body = await login(gateway, account[0], account[1])
    assert (status, body["code"]) == (503, "unavailable")


async def test_own_profile_is_forwarded_to_chat(gateway: Gateway, backend: FakeBackend) -> None:
    headers = bearer(token_for(backend.add_operator()))
    async with gateway.get("/api/v1/auth/me", headers=headers) as response:
        assert (await response.json())["service"] == "chat"
    async with gateway.get("/api/v1/auth/me") as response:
        assert response.status == 401
