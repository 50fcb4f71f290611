"""Calls tools by HTTP: only at addresses that the SSRF guard allows, without redirects, bounded in time and size."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from parley.chat import metrics
from parley.chat.ai.site_keys import SiteKeyCipher, SiteKeyUnreadable
from parley.chat.timeouts import TOOL_CONNECT_TIMEOUT_SECONDS
from parley.chat.tools.model import (
    MAX_RESULT_BYTES,
    MAX_RESULT_CHARACTERS,
    Outcome,
    Tool,
    ToolResponse,
    VerifiedVisitor,
)
from parley.chat.tools.requests import HttpRequest, InvalidAddress, build_request
from parley.common.http.guarded_resolver import GuardedResolver
from parley.common.http.ssrf_guard import EndpointRejected, SsrfGuard, is_ip_address, is_public

_CHUNK_BYTES = 16 * 1024
_MAX_CONNECTIONS_PER_HOST = 20
_REDIRECTS = range(300, 400)


class _Refused(Exception):
    """The response is not one that a model may read."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome: Outcome = outcome
        self.reason = reason


class HttpToolCaller:
    """A component of the service, and a CallTool."""

    name = "tool-caller"

    def __init__(self, guard: SsrfGuard, cipher: SiteKeyCipher, user_agent: str, clock: Callable[[], datetime]) -> None:
        self._guard = guard
        self._cipher = cipher
        self._user_agent = user_agent
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Do nothing: connections are opened when a tool is called."""

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    def unready_reason(self) -> str | None:
        return None

    async def __call__(
        self, tool: Tool, arguments: Mapping[str, Any], visitor: VerifiedVisitor | None, idempotency_key: str
    ) -> ToolResponse:
        started = time.monotonic()
        try:
            status, content = await self._call(tool, arguments, visitor, idempotency_key)
        except _Refused as exc:
            return _failure(exc.outcome, exc.reason, started)
        except TimeoutError:
            return _failure("timeout", "The system did not answer in time.", started)
        except EndpointRejected:
            return _failure("address_rejected", "The address does not lead to the public internet.", started)
        except (aiohttp.ClientError, OSError, ValueError):
            return _failure("unreachable", "The system cannot be reached, or its answer is damaged.", started)
        seconds = time.monotonic() - started
        metrics.TOOL_SECONDS.labels("http").observe(seconds)
        if status >= 400:
            content = json.dumps({"error": f"status {status}", "body": content}, ensure_ascii=False)
            return ToolResponse("http_error", content, seconds, status)
        return ToolResponse("ok", content, seconds, status)

    async def _call(
        self, tool: Tool, arguments: Mapping[str, Any], visitor: VerifiedVisitor | None, idempotency_key: str
    ) -> tuple[int, str]:
        """Return the response's status and text."""
        options = tool.options
        request = self._build_request(tool, arguments, visitor, idempotency_key)
        self._require_allowed(request.url)
        async with (
            asyncio.timeout(options.timeout_seconds),
            self._open_session().request(
                request.method,
                URL(request.url, encoded=True),
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
            ) as response,
        ):
            return response.status, await _read(response)

    def _build_request(
        self, tool: Tool, arguments: Mapping[str, Any], visitor: VerifiedVisitor | None, idempotency_key: str
    ) -> HttpRequest:
        try:
            secret, authorization = tool.credentials.decrypt(self._cipher, tool.site_id)
        except SiteKeyUnreadable:
            raise _Refused("failed", "The secret of this tool cannot be decrypted. Replace it.") from None
        try:
            return build_request(
                tool.options.method,
                tool.options.url,
                arguments,
                visitor,
                secret=secret,
                authorization=authorization,
                idempotency_key=idempotency_key,
                timestamp=int(self._clock().timestamp()),
            )
        except InvalidAddress:
            raise _Refused("invalid_arguments", "An argument makes no valid address.") from None

    def _require_allowed(self, url: str) -> None:
        """Check what the resolver does not see: an address in place of a host name, and a request without TLS."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if self._guard.is_exempt(host, parts.port or (443 if parts.scheme == "https" else 80)):
            return
        if parts.scheme != "https" or (is_ip_address(host) and not is_public(host)):
            raise EndpointRejected(host)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=GuardedResolver(self._guard), limit_per_host=_MAX_CONNECTIONS_PER_HOST
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=TOOL_CONNECT_TIMEOUT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self._user_agent},
                # Compression is not asked for: a small body could become more than fits into memory.
                auto_decompress=False,
            )
        return self._session


async def _read(response: aiohttp.ClientResponse) -> str:
    """The response's text, shortened to what a model reads."""
    if response.status in _REDIRECTS:
        raise _Refused("redirected", "The system redirects, which is not followed.")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _Refused("bad_content_type", "The system compresses its answer, which was not asked for.")
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_RESULT_BYTES:
            raise _Refused("too_large", f"The answer is larger than {MAX_RESULT_BYTES // 1024} kB.")
    kind = response.content_type
    if body and not (kind == "application/json" or kind.endswith("+json") or kind in ("text/plain", "text/markdown")):
        raise _Refused("bad_content_type", "The answer is neither JSON nor plain text.")
    text = body.decode("utf-8", "replace")
    return text if len(text) <= MAX_RESULT_CHARACTERS else f"{text[:MAX_RESULT_CHARACTERS]} … (shortened)"


def _failure(outcome: Outcome, reason: str, started: float) -> ToolResponse:
    seconds = time.monotonic() - started
    metrics.TOOL_SECONDS.labels("http").observe(seconds)
    return ToolResponse(outcome, json.dumps({"error": reason}), seconds)
