"""Calls MCP servers: each check and each call is a session of its own, at addresses that the SSRF guard allows."""

from __future__ import annotations

import asyncio
import importlib
import json
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from parley.chat import metrics
from parley.chat.ai.site_keys import SiteKeyCipher, SiteKeyUnreadable
from parley.chat.mcp_servers.definitions import compare
from parley.chat.mcp_servers.model import AllowedTool, ListedTool, Listing, McpServer, SessionFailed
from parley.chat.tools.model import MAX_RESULT_CHARACTERS, ToolResponse, VerifiedVisitor
from parley.chat.tools.requests import build_signature_headers
from parley.common.http.ssrf_guard import SsrfGuard

if TYPE_CHECKING:
    from parley.chat.mcp_servers.sdk import Session

ResultT = TypeVar("ResultT")
_SDK = "parley.chat.mcp_servers.sdk"


class SdkMcpClient:
    """An McpClient."""

    def __init__(self, guard: SsrfGuard, cipher: SiteKeyCipher, user_agent: str, clock: Callable[[], datetime]) -> None:
        self._guard = guard
        self._cipher = cipher
        self._user_agent = user_agent
        self._clock = clock

    async def list_tools(self, server: McpServer) -> Listing:
        sdk = await _load_sdk()
        try:
            tools = await self._run(server, None, "", sdk.Session.list_tools)
        except SessionFailed as exc:
            return Listing(exc.outcome)
        # After the session, whose time is limited.
        return Listing("ok", await asyncio.to_thread(sdk.to_listed, tools))

    async def call(
        self,
        server: McpServer,
        tool: AllowedTool | ListedTool,
        arguments: Mapping[str, Any],
        visitor: VerifiedVisitor | None,
        idempotency_key: str,
    ) -> ToolResponse:
        async def work(session: Session) -> ToolResponse:
            # Only what has been allowed counts: the schemas of the list are not checked again for each call.
            state = compare(tool, await session.find_fingerprint(tool.name))
            if state == "missing":
                return _error("unknown_tool", "The server does not have this function any more.")
            if state == "changed":
                return _error("tool_changed", "This function has changed. It is off until a manager allows it again.")
            succeeded, text = await session.call(tool.name, arguments)
            if len(text) > MAX_RESULT_CHARACTERS:
                text = f"{text[:MAX_RESULT_CHARACTERS]} … (shortened)"
            return ToolResponse("ok", text) if succeeded else _error("http_error", text)

        started = time.monotonic()
        try:
            response = await self._run(server, visitor, idempotency_key, work)
        except SessionFailed as exc:
            response = _error(exc.outcome, exc.reason, exc.status)
        seconds = time.monotonic() - started
        metrics.TOOL_SECONDS.labels("mcp").observe(seconds)
        return ToolResponse(response.outcome, response.content, seconds, response.status)

    async def _run(
        self,
        server: McpServer,
        visitor: VerifiedVisitor | None,
        key: str,
        work: Callable[[Session], Awaitable[ResultT]],
    ) -> ResultT:
        """Work in a session; in another one, once, if the server forgets the first. Raises SessionFailed."""
        try:
            return await self._run_once(server, visitor, key, work)
        except SessionFailed as exc:
            if not exc.is_session_lost:
                raise
        return await self._run_once(server, visitor, key, work)

    async def _run_once(
        self,
        server: McpServer,
        visitor: VerifiedVisitor | None,
        key: str,
        work: Callable[[Session], Awaitable[ResultT]],
    ) -> ResultT:
        sdk = await _load_sdk()
        secret, headers = self._decrypt(server)

        def sign(method: str, target: str, body: bytes, calls_tool: bool) -> dict[str, str]:
            at = int(self._clock().timestamp())
            if not calls_tool:
                return build_signature_headers(secret, at, "", method, target, None, body)
            return build_signature_headers(secret, at, key, method, target, visitor, body)

        result: ResultT = await sdk.run_session(self._guard, _tls_context(), server.options.url, headers, sign, work)
        return result

    def _decrypt(self, server: McpServer) -> tuple[str, dict[str, str]]:
        """The secret that signs requests, and the headers of each. Raises SessionFailed."""
        headers = {"User-Agent": self._user_agent}
        try:
            secret, authorization = server.credentials.decrypt(self._cipher, server.site_id)
        except SiteKeyUnreadable:
            raise SessionFailed("failed", "The secret of this server cannot be decrypted. Replace it.") from None
        return secret, headers if authorization is None else {**headers, "Authorization": authorization}


async def _load_sdk() -> Any:
    await asyncio.to_thread(importlib.import_module, _SDK)
    from parley.chat.mcp_servers import sdk  # noqa: PLC0415 - a thread has imported it

    return sdk


@cache
def _tls_context() -> ssl.SSLContext:
    """Made once: it reads all certificates."""
    return ssl.create_default_context()


def _error(outcome: Any, reason: str, status: int | None = None) -> ToolResponse:
    return ToolResponse(outcome, json.dumps({"error": reason}, ensure_ascii=False), status=status)
