"""Sessions with MCP servers by the protocol's official SDK. Apart from the client, as the SDK is slow to import."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import (
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    EmbeddedResource,
    Implementation,
    TextContent,
    TextResourceContents,
    Tool,
)

from parley.chat.mcp_servers.definitions import compute_fingerprint, describe_listed
from parley.chat.mcp_servers.model import (
    MAX_LIST_PAGES,
    MAX_LISTED_TOOLS,
    MAX_TOOL_NAME_CHARACTERS,
    ListedTool,
    SessionFailed,
)
from parley.chat.mcp_servers.transport import MAX_SESSION_BYTES, McpTransport, Sign
from parley.chat.timeouts import MCP_CLOSE_TIMEOUT_SECONDS, MCP_TIMEOUT_SECONDS, TOOL_CONNECT_TIMEOUT_SECONDS
from parley.chat.tools.model import Outcome
from parley.common.http.ssrf_guard import SsrfGuard

ResultT = TypeVar("ResultT")

REASONS: Mapping[Outcome, str] = {
    "address_rejected": "The address does not lead to the public internet.",
    "redirected": "The server redirects, which is not followed.",
    "timeout": "The server did not answer in time.",
    "too_large": f"The server has sent more than {MAX_SESSION_BYTES // 1024} kB.",
    "unreachable": "The server cannot be reached.",
    "failed": "The server needs too many requests.",
}
_MAX_REASON_CHARACTERS = 500
_CLIENT = Implementation(name="parley", version="1")

for _name in ("mcp", "client", "httpx2"):
    # They log addresses, which may be secret, and what servers and visitors have said.
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class Session:
    """A session that is open."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def find_fingerprint(self, name: str) -> str | None:
        """That of a tool as the server lists it now; None if it has no such tool."""
        tool = next((tool for tool in await self.list_tools() if tool.name == name), None)
        return None if tool is None else compute_fingerprint(tool.name, tool.description, tool.input_schema)

    async def list_tools(self) -> list[Tool]:
        """The tools of the server, the first of them if there are very many; each name once."""
        found: dict[str, Tool] = {}
        cursor: str | None = None
        for _ in range(MAX_LIST_PAGES):
            page = await self._client.list_tools(cursor=cursor)
            for tool in page.tools[:MAX_LISTED_TOOLS]:
                found.setdefault(tool.name[:MAX_TOOL_NAME_CHARACTERS], tool)
            cursor = page.next_cursor
            if cursor is None or len(found) >= MAX_LISTED_TOOLS:
                break
        return list(found.values())[:MAX_LISTED_TOOLS]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> tuple[bool, str]:
        """Whether a call worked, and what it has returned, as text.

        Not `call_tool`: it checks results with the server's own schema, whose patterns could run for ever.
        """
        params = CallToolRequestParams(name=name, arguments=dict(arguments))
        result = await self._client.session.send_request(CallToolRequest(params=params), CallToolResult)
        return not result.is_error, _to_text(result)


async def run_session(
    guard: SsrfGuard,
    verify: ssl.SSLContext,
    url: str,
    headers: Mapping[str, str],
    sign: Sign,
    work: Callable[[Session], Awaitable[ResultT]],
) -> ResultT:
    """Open a session, do some work in it, and close it. Raises SessionFailed."""
    transport = McpTransport(guard, verify, sign)
    done: list[ResultT] = []
    try:
        async with (
            asyncio.timeout(MCP_TIMEOUT_SECONDS) as deadline,
            httpx2.AsyncClient(
                transport=transport,
                headers={**headers, "Accept-Encoding": "identity"},
                timeout=httpx2.Timeout(MCP_TIMEOUT_SECONDS, connect=TOOL_CONNECT_TIMEOUT_SECONDS),
                trust_env=False,
            ) as http,
            Client(streamable_http_client(url, http_client=http), client_info=_CLIENT, cache=None) as client,
        ):
            done.append(await work(Session(client)))
            deadline.reschedule(asyncio.get_running_loop().time() + MCP_CLOSE_TIMEOUT_SECONDS)
    except Exception as exc:
        # The SDK raises groups, and others than its own. After the work, only the end of the session has failed.
        if not done:
            raise _explain(exc, transport) from exc
    return done[0]


def _explain(exc: Exception, transport: McpTransport) -> SessionFailed:
    if transport.fault is not None or isinstance(exc, TimeoutError):
        outcome = transport.fault or "timeout"
        return SessionFailed(outcome, REASONS[outcome])
    reason = (_read_error(exc) or "The server does not speak the protocol as expected.")[:_MAX_REASON_CHARACTERS]
    if transport.status >= 400:
        return SessionFailed("http_error", reason, transport.status, is_session_lost=transport.is_session_lost)
    return SessionFailed("failed", reason)


def _read_error(exc: BaseException) -> str | None:
    """What the server has said about a failure; None if it has said nothing."""
    if isinstance(exc, BaseExceptionGroup):
        return next(filter(None, map(_read_error, exc.exceptions)), None)
    return exc.error.message if isinstance(exc, MCPError) else None


def to_listed(tools: Sequence[Tool]) -> tuple[ListedTool, ...]:
    """Check the tools of a list. Takes seconds for a long one: call it in a thread."""
    return tuple(map(_to_listed, tools))


def _to_listed(tool: Tool) -> ListedTool:
    hints = tool.annotations
    title = tool.title or (hints.title if hints else None)
    is_read_only = bool(hints and hints.read_only_hint)
    return describe_listed(tool.name, title, tool.description, tool.input_schema, read_only_hint=is_read_only)


def _to_text(result: CallToolResult) -> str:
    texts = list(filter(None, map(_block_to_text, result.content)))
    if not texts and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False)
    return "\n".join(texts)


def _block_to_text(block: object) -> str:
    if isinstance(block, TextContent):
        return block.text
    if isinstance(block, EmbeddedResource) and isinstance(block.resource, TextResourceContents):
        return block.resource.text
    return f"({getattr(block, 'type', 'content')} left out)"
