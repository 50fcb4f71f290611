"""Clients of Parley's API, which call it as the operator panel and the widget do."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from support.sse import SseStream
from support.wait import wait_until


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response with its whole body."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.raw)
        return body

    def ok(self, status: int = 200) -> dict[str, Any]:
        """Return the body; fails unless the response has this status."""
        assert self.status == status, f"{self.status}: {self.raw[:500]!r}"
        return self.body


class ApiClient:
    """HTTP client of one gateway."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.closed_with_it = AsyncExitStack()
        """What was opened for the same time."""
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.closed_with_it.aclose()
        await self.http.close()

    @property
    def http(self) -> aiohttp.ClientSession:
        assert self._http is not None
        return self._http

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: Any = None,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        data: Any = None,
    ) -> ApiResponse:
        request_headers = dict(headers or {})
        if token is not None:
            request_headers["Authorization"] = f"Bearer {token}"
        async with self.http.request(
            method,
            self.base_url + path,
            json=body,
            data=data,
            params={name: str(value) for name, value in (query or {}).items()},
            headers=request_headers,
        ) as response:
            return ApiResponse(response.status, dict(response.headers), await response.read())

    async def login(self, email: str, password: str) -> dict[str, Any]:
        return (await self.request("POST", "/api/v1/auth/login", body={"email": email, "password": password})).ok()

    async def accept_invitation(self, token: str, name: str, password: str) -> dict[str, Any]:
        body = {"token": token, "name": name, "password": password}
        return (await self.request("POST", "/api/v1/invitations/accept", body=body)).ok()

    def operator(self, token: str, operator_id: int, name: str = "") -> OperatorClient:
        return OperatorClient(self, token, operator_id, name)

    def visitor(self, site_key: str, session_id: str | None = None) -> VisitorClient:
        return VisitorClient(self, site_key, session_id or secrets.token_hex(16))


@dataclass(slots=True)
class OperatorClient:
    """An operator with an access token."""

    api: ApiClient
    token: str
    id: int
    name: str = ""

    async def get(self, path: str, **query: Any) -> ApiResponse:
        return await self.api.request("GET", f"/api/v1{path}", token=self.token, query=query)

    async def post(self, path: str, body: Any = None, **headers: str) -> ApiResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.api.request("POST", f"/api/v1{path}", token=self.token, body=body or {}, headers=sent)

    async def send(self, method: str, path: str, body: Any = None) -> ApiResponse:
        return await self.api.request(method, f"/api/v1{path}", token=self.token, body=body)

    async def send_message(self, conversation_id: int, content: str) -> dict[str, Any]:
        sent = await self.post("/operator/message", {"conversation_id": conversation_id, "content": content})
        message: dict[str, Any] = sent.ok()["message"]
        return message

    async def wait_for_audit(self, *actions: str, **query: Any) -> list[dict[str, Any]]:
        """Wait until the newest audit entries have these actions, newest first, and return them.

        An entry is stored with its change, but listed a moment after the change's answer.
        """
        newest: list[dict[str, Any]] = []

        async def are_newest() -> bool:
            nonlocal newest
            newest = (await self.get("/audit", **query)).ok()["entries"][: len(actions)]
            return [entry["action"] for entry in newest] == list(actions)

        await wait_until(are_newest, description=f"the audit entries {actions}")
        return newest

    @asynccontextmanager
    async def stream(self, last_event_id: str | None = None) -> AsyncIterator[SseStream]:
        """Open the operator's event stream, as EventSource does."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id is not None else {}
        async with self.api.http.get(
            f"{self.api.base_url}/api/v1/operator/stream",
            params={"token": self.token},
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=None),
        ) as response:
            assert response.status == 200, (response.status, await response.text())
            async with SseStream(response) as events:
                yield events


@dataclass(slots=True)
class VisitorClient:
    """A visitor with a session on one site."""

    api: ApiClient
    site_key: str
    session_id: str

    @property
    def credentials(self) -> dict[str, str]:
        return {"site_key": self.site_key, "session_id": self.session_id}

    async def get(self, path: str, **query: Any) -> ApiResponse:
        return await self.api.request("GET", f"/api/v1/chat{path}", query={**self.credentials, **query})

    async def post(self, path: str, **body: Any) -> ApiResponse:
        return await self.api.request("POST", f"/api/v1/chat{path}", body={**self.credentials, **body})

    async def send_message(self, message: str, **fields: Any) -> dict[str, Any]:
        """Send a message and read the whole reply stream. Returns the data of `done`, with the text as `answer`."""
        chunks = [part async for part in self.stream_reply(message, **fields)]
        done = chunks[-1]
        assert done["type"] == "done", chunks
        text = "".join(part["content"] for part in chunks if part["type"] == "chunk")
        return {**done["meta"], "answer": text}

    async def stream_reply(self, message: str, **fields: Any) -> AsyncIterator[dict[str, Any]]:
        async with self.api.http.post(
            f"{self.api.base_url}/api/v1/chat/stream", json={**self.credentials, "message": message, **fields}
        ) as response:
            assert response.status == 200, (response.status, await response.text())
            async with asyncio.timeout(30):
                async for line in response.content:
                    if line.startswith(b"data: "):
                        yield json.loads(line[6:])

    @asynccontextmanager
    async def events(self, last_event_id: str | None = None) -> AsyncIterator[SseStream]:
        headers = {"Last-Event-ID": last_event_id} if last_event_id is not None else {}
        async with self.api.http.get(
            f"{self.api.base_url}/api/v1/chat/events",
            params=self.credentials,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=None),
        ) as response:
            assert response.status == 200, (response.status, await response.text())
            async with SseStream(response) as events:
                yield events
