"""A client of Parley's API, as an operator's panel or a visitor's widget would call it."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp

from support.sse import EventStream


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read whole."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.raw)
        return found

    def ok(self, status: int = 200) -> dict[str, Any]:
        """The body, having checked that it went well."""
        assert self.status == status, f"{self.status}: {self.raw[:500]!r}"
        return self.body


class Api:
    """HTTP against one gateway."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()

    @property
    def http(self) -> aiohttp.ClientSession:
        assert self._http is not None
        return self._http

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: Any = None,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        data: Any = None,
    ) -> Reply:
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        async with self.http.request(
            method,
            self.base + path,
            json=body,
            data=data,
            params={name: str(value) for name, value in (query or {}).items()},
            headers=sent,
        ) as response:
            return Reply(response.status, dict(response.headers), await response.read())

    async def login(self, email: str, password: str) -> dict[str, Any]:
        return (await self.call("POST", "/api/v1/auth/login", body={"email": email, "password": password})).ok()

    def operator(self, token: str, operator_id: int, name: str = "") -> Operator:
        return Operator(self, token, operator_id, name)

    def visitor(self, site_key: str, session_id: str | None = None) -> Visitor:
        return Visitor(self, site_key, session_id or secrets.token_hex(16))


@dataclass(slots=True)
class Operator:
    """Somebody with a panel open."""

    api: Api
    token: str
    id: int
    name: str = ""

    async def get(self, path: str, **query: Any) -> Reply:
        return await self.api.call("GET", f"/api/v1{path}", token=self.token, query=query)

    async def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.api.call("POST", f"/api/v1{path}", token=self.token, body=body or {}, headers=sent)

    async def send(self, method: str, path: str, body: Any = None) -> Reply:
        return await self.api.call(method, f"/api/v1{path}", token=self.token, body=body)

    async def say(self, conversation_id: int, content: str) -> dict[str, Any]:
        sent = await self.post("/operator/message", {"conversation_id": conversation_id, "content": content})
        message: dict[str, Any] = sent.ok()["message"]
        return message

    @asynccontextmanager
    async def stream(self, last_event_id: str | None = None) -> AsyncIterator[EventStream]:
        """The operator's live stream, as EventSource opens it."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id is not None else {}
        async with self.api.http.get(
            f"{self.api.base}/api/v1/operator/stream",
            params={"token": self.token},
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=None),
        ) as response:
            assert response.status == 200, (response.status, await response.text())
            async with EventStream(response) as events:
                yield events


@dataclass(slots=True)
class Visitor:
    """Somebody with the widget open."""

    api: Api
    site_key: str
    session_id: str
    answers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def names(self) -> dict[str, str]:
        return {"site_key": self.site_key, "session_id": self.session_id}

    async def get(self, path: str, **query: Any) -> Reply:
        return await self.api.call("GET", f"/api/v1/chat{path}", query={**self.names, **query})

    async def post(self, path: str, **body: Any) -> Reply:
        return await self.api.call("POST", f"/api/v1/chat{path}", body={**self.names, **body})

    async def say(self, message: str, **more: Any) -> dict[str, Any]:
        """Say something, read the answer to its end, and return what `done` said, with the text as `answer`."""
        chunks = [part async for part in self.parts(message, **more)]
        done = chunks[-1]
        assert done["type"] == "done", chunks
        text = "".join(part["content"] for part in chunks if part["type"] == "chunk")
        return {**done["meta"], "answer": text}

    async def parts(self, message: str, **more: Any) -> AsyncIterator[dict[str, Any]]:
        async with self.api.http.post(
            f"{self.api.base}/api/v1/chat/stream", json={**self.names, "message": message, **more}
        ) as response:
            assert response.status == 200, (response.status, await response.text())
            async with asyncio.timeout(30):
                async for line in response.content:
                    if line.startswith(b"data: "):
                        yield json.loads(line[6:])

    @asynccontextmanager
    async def events(self, last_event_id: str | None = None) -> AsyncIterator[EventStream]:
        headers = {"Last-Event-ID": last_event_id} if last_event_id is not None else {}
        async with self.api.http.get(
            f"{self.api.base}/api/v1/chat/events",
            params=self.names,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=None),
        ) as response:
            assert response.status == 200, (response.status, await response.text())
            async with EventStream(response) as events:
                yield events
