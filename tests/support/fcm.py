"""A local push provider: Google's OAuth token endpoint and FCM's HTTP v1 API, as documented.

https://developers.google.com/identity/protocols/oauth2/service-account#httprest
https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send and /v1/ErrorCode
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import defaultdict, deque
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any, Self

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

PROJECT = "parley-test"
_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_AUDIENCE = "https://oauth2.googleapis.com/token"
"""The audience that Google's library sends, wherever the token endpoint is."""
_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


@dataclass(frozen=True, slots=True)
class FcmError:
    """A response other than 200."""

    status: int
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None


UNREGISTERED = FcmError(404, "UNREGISTERED")
UNAVAILABLE = FcmError(503, "UNAVAILABLE")
NO_SUCH_PROJECT = FcmError(404, body='{"error": {"code": 404, "message": "Project not found.", "status": "NOT_FOUND"}}')


def too_many_requests(retry_after: str) -> FcmError:
    return FcmError(429, "QUOTA_EXCEEDED", {"Retry-After": retry_after})


@dataclass(frozen=True, slots=True)
class AcceptedPush:
    """A push that the provider accepted."""

    token: str
    message: dict[str, Any]


class FcmServer:
    """Start it with `async with`.

    `failures_by_token` holds the responses to the next pushes of a token, `failure` the response to every push.
    All others are accepted.
    """

    def __init__(self) -> None:
        self.accepted_pushes: list[AcceptedPush] = []
        self.refused_tokens: list[str] = []
        self.failures_by_token: defaultdict[str, deque[FcmError]] = defaultdict(deque)
        self.failure: FcmError | None = None
        self.is_hanging = False
        self.tokens_issued = 0
        self._access_tokens: set[str] = set()
        self._release = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/token", self._issue)
        app.router.add_post("/v1/projects/{project}/messages:send", self._send)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release.set()
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def notify_settings(self) -> dict[str, str]:
        """The settings of a notify replica that uses this server."""
        return {"fcm_credentials": json.dumps(self.service_account_key), "fcm_url": f"{self.base_url}/v1/projects"}

    @property
    def service_account_key(self) -> dict[str, str]:
        """The content of a service account's key file."""
        pem = _key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "test",
            "private_key": pem.decode(),
            "client_email": f"push@{PROJECT}.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"{self.base_url}/token",
        }

    def pushes_for(self, token: str) -> list[AcceptedPush]:
        """Return the pushes that a device received."""
        return [push for push in self.accepted_pushes if push.token == token]

    def expire_access_tokens(self) -> None:
        self._access_tokens.clear()

    async def _issue(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        claims = jwt.decode(str(form["assertion"]), _key().public_key(), algorithms=["RS256"], audience=_AUDIENCE)
        if claims["scope"] != _SCOPE or claims["iss"] != self.service_account_key["client_email"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        self.tokens_issued += 1
        token = f"ya29.{secrets.token_hex(16)}"
        self._access_tokens.add(token)
        return web.json_response({"access_token": token, "expires_in": 3600, "token_type": "Bearer"})

    async def _send(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self._access_tokens:
            return _error(FcmError(401, "UNAUTHENTICATED"))
        body = await request.json()
        message = body["message"]
        token = message["token"]
        if self.is_hanging:
            await self._release.wait()
        failure = self.failures_by_token[token].popleft() if self.failures_by_token[token] else self.failure
        if failure is not None or request.match_info["project"] != PROJECT:
            self.refused_tokens.append(token)
            return _error(failure or NO_SUCH_PROJECT)
        assert not body["validate_only"]
        assert all(isinstance(value, str) for value in message.get("data", {}).values()), "FCM accepts only strings"
        self.accepted_pushes.append(AcceptedPush(token, message))
        return web.json_response({"name": f"projects/{PROJECT}/messages/{len(self.accepted_pushes)}"})


def _error(failure: FcmError) -> web.Response:
    if failure.body is not None:
        return web.Response(
            status=failure.status, text=failure.body, headers=failure.headers, content_type="application/json"
        )
    error = {
        "code": failure.status,
        "message": f"The provider says {failure.code}.",
        "status": "NOT_FOUND" if failure.status == 404 else failure.code,
        "details": [{"@type": _FCM_ERROR, "errorCode": failure.code}],
    }
    return web.json_response({"error": error}, status=failure.status, headers=failure.headers)


@cache
def _key() -> rsa.RSAPrivateKey:
    """Return the service account's key, generated on first use: most workers of a run never need it."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
