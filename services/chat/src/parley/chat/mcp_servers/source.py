"""The allowed tools of a site's MCP servers, as replies use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from parley.chat.mcp_servers.definitions import build_function_name
from parley.chat.mcp_servers.model import AllowedTool, McpServer, ToolState
from parley.chat.mcp_servers.ports import McpClient, McpServerRepository
from parley.chat.tools.model import OfferedTool, Outcome, ToolDescription, ToolResponse, VerifiedVisitor

_LOST: Final[Mapping[Outcome, ToolState]] = {"tool_changed": "changed", "unknown_tool": "missing"}


@dataclass(frozen=True, slots=True)
class McpToolSource:
    """A ToolSource."""

    servers: McpServerRepository
    client: McpClient

    async def list_offered(self, tenant_id: int, site_id: int) -> list[OfferedTool]:
        return [
            OfferedTool("mcp", tool.id, _describe(server, tool), tool.allowed_at, partial(self._call, server, tool))
            for server in await self.servers.list_for_site(tenant_id, site_id)
            if server.options.enabled
            for tool in server.tools
            if tool.state == "ok"
        ]

    async def _call(
        self,
        server: McpServer,
        tool: AllowedTool,
        arguments: Mapping[str, Any],
        visitor: VerifiedVisitor | None,
        idempotency_key: str,
    ) -> ToolResponse:
        # A server may belong to a third party: it learns who asks only for tools that need to know it.
        known = visitor if tool.identified_only else None
        response = await self.client.call(server, tool, arguments, known, idempotency_key)
        if response.outcome in _LOST:
            await self.servers.record_states(server.id, {tool.id: _LOST[response.outcome]})
        failure = None if response.outcome == "ok" else response.outcome
        if failure != server.failure:
            await self.servers.record_failure(server.id, failure)
        return response


def _describe(server: McpServer, tool: AllowedTool) -> ToolDescription:
    return ToolDescription(
        name=build_function_name(server.options.name, tool.name),
        title=tool.title,
        description=tool.description,
        parameters=tool.parameters,
        writes=tool.writes,
        identified_only=tool.identified_only,
    )
