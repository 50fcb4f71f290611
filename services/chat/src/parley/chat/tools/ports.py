"""What tools need from storage and from HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from parley.chat.tools.model import OfferedTool, Tool, ToolResponse, VerifiedVisitor


class ToolRepository(Protocol):
    async def list_for_site(self, tenant_id: int, site_id: int) -> list[Tool]:
        """The tools of a site, by id."""

    async def find(self, tenant_id: int, site_id: int, tool_id: int) -> Tool | None: ...

    async def add(self, tool: Tool, limit: int) -> None:
        """Raises ToolNameTaken, and TooManyTools if the site has `limit` of them."""

    async def replace(self, before: Tool, after: Tool) -> bool:
        """False if the tool has changed since `before` was read, or is gone. Raises ToolNameTaken."""

    async def delete(self, tenant_id: int, site_id: int, tool_id: int) -> bool:
        """False if there is no such tool."""


class CallTool(Protocol):
    async def __call__(
        self, tool: Tool, arguments: Mapping[str, Any], visitor: VerifiedVisitor | None, idempotency_key: str
    ) -> ToolResponse:
        """Call a tool with arguments that fit its parameters. A failure is a response, too."""


class ToolSource(Protocol):
    async def list_offered(self, tenant_id: int, site_id: int) -> list[OfferedTool]:
        """The tools of a site that are on."""
