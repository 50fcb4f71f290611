"""What MCP servers need from storage and from the protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from parley.chat.mcp_servers.model import AllowedTool, ListedTool, Listing, McpServer, ToolState
from parley.chat.tools.model import Outcome, ToolResponse, VerifiedVisitor


class McpServerRepository(Protocol):
    async def list_for_site(self, tenant_id: int, site_id: int) -> list[McpServer]:
        """The servers of a site, by id."""

    async def find(self, tenant_id: int, site_id: int, server_id: int) -> McpServer | None: ...

    async def add(self, server: McpServer, limit: int) -> None:
        """Raises McpServerNameTaken, and TooManyMcpServers if the site has `limit` of them."""

    async def replace(self, before: McpServer, after: McpServer, *, clear_tools: bool = False) -> bool:
        """Replace what a manager says. The tools stay, or are removed in the same write.

        False if the server has changed since `before` was read, or is gone. Raises McpServerNameTaken.
        """

    async def delete(self, tenant_id: int, site_id: int, server_id: int) -> bool:
        """False if there is no such server."""

    async def store_listing(self, server_id: int, tools: Sequence[ListedTool]) -> None:
        """Keep what a server has listed: a manager chooses from it."""

    async def find_listing(self, server_id: int) -> list[ListedTool]:
        """What the server listed when it was checked last."""

    async def allow(self, server_id: int, tools: Sequence[AllowedTool]) -> bool:
        """Allow these tools and no others. False if there is no such server."""

    async def record_states(self, server_id: int, states: Mapping[int, ToolState]) -> None:
        """Store what has become of allowed tools, by their id."""

    async def record_failure(self, server_id: int, failure: Outcome | None) -> None: ...


class McpClient(Protocol):
    """Speaks the protocol. A failure is a result, too."""

    async def list_tools(self, server: McpServer) -> Listing: ...

    async def call(
        self,
        server: McpServer,
        tool: AllowedTool | ListedTool,
        arguments: Mapping[str, Any],
        visitor: VerifiedVisitor | None,
        idempotency_key: str,
    ) -> ToolResponse:
        """Call a tool if the server still has it as it was allowed or listed; else it is tool_changed or unknown_tool.

        A listed tool has no fault.
        """
