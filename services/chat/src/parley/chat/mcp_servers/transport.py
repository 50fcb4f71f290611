"""The HTTP transport of one session with an MCP server: guarded, signed, and bounded in requests and bytes."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from typing import NoReturn

import httpx2

from parley.chat.ai.ssrf_safe_client import SsrfSafeTransport
from parley.chat.tools.model import Outcome
from parley.common.http.ssrf_guard import EndpointRejected, SsrfGuard

MAX_SESSION_BYTES = 512 * 1024
"""Of all responses of a session."""
MAX_SESSION_REQUESTS = 40
_SESSION_HEADER = "Mcp-Session-Id"

Sign = Callable[[str, str, bytes, bool], Mapping[str, str]]
"""The headers that prove who asks, from the method, the path with its query, the body, and whether it calls a tool."""


class McpTransport(httpx2.AsyncBaseTransport):
    """What the SDK makes of a failure differs with the protocol's version, so the transport remembers it."""

    def __init__(self, guard: SsrfGuard, verify: ssl.SSLContext, sign: Sign) -> None:
        self._inner = SsrfSafeTransport(guard, verify)
        self._sign = sign
        self._requests = 0
        self._bytes = 0
        self.fault: Outcome | None = None
        """Why the session failed, if it was not for what the server has said."""
        self.status = 0
        """Of the latest response to a message."""
        self.is_session_lost = False
        """Whether the server no longer knew the session: then it has not done what it was asked."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET" and "Last-Event-ID" not in request.headers:
            # Messages that answer nothing are not listened to.
            return httpx2.Response(405, request=request)
        self._requests += 1
        if self._requests > MAX_SESSION_REQUESTS:
            self._fail("failed", request)
        body = await request.aread()
        target = request.url.raw_path.decode("ascii")
        request.headers.update(self._sign(request.method, target, body, _calls_tool(body)))
        try:
            response = await self._inner.handle_async_request(request)
        except EndpointRejected:
            self._fail("address_rejected", request)
        except httpx2.TimeoutException:
            self._fail("timeout", request)
        except httpx2.TransportError:
            self._fail("unreachable", request)
        if response.is_redirect:
            await response.aclose()
            self._fail("redirected", request)
        if request.method == "POST":
            self.status = response.status_code
            self.is_session_lost = self.status == 404 and _SESSION_HEADER in request.headers
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _CountedStream(response.stream, self._count)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _count(self, number: int) -> None:
        self._bytes += number
        if self._bytes > MAX_SESSION_BYTES:
            self._fail("too_large")

    def _fail(self, fault: Outcome, request: httpx2.Request | None = None) -> NoReturn:
        """Raises httpx2.TransportError."""
        self.fault = self.fault or fault
        raise httpx2.TransportError(fault, request=request)


def _calls_tool(body: bytes) -> bool:
    message = json.loads(body) if body else None
    return isinstance(message, dict) and message.get("method") == "tools/call"


class _CountedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, count: Callable[[int], None]) -> None:
        self._inner = inner
        self._count = count

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            self._count(len(chunk))
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
