"""Logging in and out, with chat checking passwords and the gateway making tokens."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import orjson
import pytest
from aiohttp import web

from component.gateway.harness import JWT_SECRET, Asked, Gateway, World, bearer, token_for
from parley.common.auth.identity import GatewayCaller

PATH = "/api/v1/operator/active-chats"


async def login(gateway: Gateway, email: str, password: str) -> tuple[int, dict[str, Any]]:
    async with gateway.post("/api/v1/auth/login", json={"email": email, "password": password}) as answer:
        return answer.status, await answer.json()


@pytest.fixture
def account(behind: World) -> tuple[str, str, dict[str, Any]]:
    """An e-mail address, its password, its operator."""
    operator, email, password = behind.operator(), f"{uuid.uuid4().hex}@example.com", uuid.uuid4().hex
    behind.passwords[email] = (password, operator["operator_id"])
    return email, password, operator


async def test_login_gives_a_token_that_lets_in(
    gateway: Gateway, behind: World, account: tuple[str, str, dict[str, Any]]
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
    async with gateway.get(PATH, headers=bearer(body["token"])) as answer:
        assert answer.status == 200
    (asked,) = behind.chat.errands("login")
    assert asked.caller == GatewayCaller("127.0.0.1")
    assert orjson.loads(asked.body) == {"email": email, "password": password}


async def test_wrong_password_is_401_in_chats_words(gateway: Gateway, account: tuple[str, str, dict[str, Any]]) -> None:
    status, body = await login(gateway, account[0], "wrong")
    assert status == 401
    assert (body["error"], body["code"]) == ("Wrong.", "bad_credentials")
    assert body["request_id"] != "inner"


async def test_blocked_login_says_until_when(gateway: Gateway, behind: World) -> None:
    async def block(_request: web.Request, _asked: Asked) -> web.StreamResponse:
        body = {"success": False, "error": "x", "code": "login_blocked", "retry_after": 9, "blocked_until": "2026"}
        return web.json_response(body, status=429, headers={"Retry-After": "9"})

    behind.chat.answers["POST", "/internal/login"] = block
    async with gateway.post("/api/v1/auth/login", json={"email": "a@b.example", "password": "x"}) as answer:
        assert answer.status == 429
        assert answer.headers["Retry-After"] == "9"
        body = await answer.json()
        assert (body["retry_after"], body["blocked_until"]) == (9, "2026")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"email", "password"}),
        ({"email": {"$ne": 1}, "password": "x"}, {"email"}),
        ({"email": "a@b.example", "password": 5}, {"password"}),
        ({"email": "a" * 300, "password": "x" * 2000}, {"email", "password"}),
    ],
)
async def test_login_of_another_shape_is_422(
    gateway: Gateway, behind: World, body: dict[str, Any], fields: set[str]
) -> None:
    async with gateway.post("/api/v1/auth/login", json=body) as answer:
        assert answer.status == 422
        assert set((await answer.json())["errors"]) == fields
    assert behind.chat.asked == []


async def test_refresh_and_invitation_log_in_too(gateway: Gateway, behind: World) -> None:
    behind.operator()
    async with gateway.post("/api/v1/auth/refresh", json={"refresh_token": "r1"}) as answer:
        assert answer.status == 200
        assert (await answer.json())["token"]
    invitation = {"token": "t1", "password": "long enough", "name": " Sam "}
    async with gateway.post("/api/v1/invitations/accept", json=invitation) as answer:
        assert answer.status == 200
        assert (await answer.json())["token"]
    (asked,) = behind.chat.errands("accept-invitation")
    assert orjson.loads(asked.body)["name"] == "Sam"


async def test_logout_ends_the_login_of_the_token(
    gateway: Gateway, behind: World, account: tuple[str, str, dict[str, Any]]
) -> None:
    _, body = await login(gateway, account[0], account[1])
    session = jwt.decode(body["token"], options={"verify_signature": False})["sid"]
    async with gateway.post("/api/v1/auth/logout", headers=bearer(body["token"])) as answer:
        assert answer.status == 200
        assert await answer.json() == {"success": True}
    assert session in behind.ended


async def test_logout_takes_the_refresh_token_where_the_token_has_ended(gateway: Gateway, behind: World) -> None:
    expired = bearer(token_for(behind.operator(), exp=int(time.time()) - 5))
    async with gateway.post("/api/v1/auth/logout", headers=expired) as answer:
        assert answer.status == 401
    async with gateway.post("/api/v1/auth/logout") as answer:
        assert answer.status == 401
    assert behind.chat.errands("logout") == []
    async with gateway.post("/api/v1/auth/logout", headers=expired, json={"refresh_token": "r"}) as answer:
        assert answer.status == 200
    (asked,) = behind.chat.errands("logout")
    assert orjson.loads(asked.body) == {"session_id": None, "refresh_token": "r"}


async def test_chat_away_is_503_and_not_a_wrong_password(
    behind: World, account: tuple[str, str, dict[str, Any]], start_gateway: Callable[..., Awaitable[Gateway]]
) -> None:
    gateway = await start_gateway(PARLEY_CHAT_URLS="http://127.0.0.1:1")
    status, body = await login(gateway, account[0], account[1])
    assert (status, body["code"]) == (503, "unavailable")


async def test_own_profile_is_chats_to_answer(gateway: Gateway, behind: World) -> None:
    headers = bearer(token_for(behind.operator()))
    async with gateway.get("/api/v1/auth/me", headers=headers) as answer:
        assert (await answer.json())["service"] == "chat"
    async with gateway.get("/api/v1/auth/me") as answer:
        assert answer.status == 401
