"""Errors about MCP servers. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, NotFound

MAX_SERVERS = 3
"""Per site."""


class McpServerNotFound(NotFound):
    code = "not_found"


class McpServerNameTaken(Conflict):
    code = "mcp_server_name_taken"
    default_message = "Another MCP server of this site already has this name."


class TooManyMcpServers(Conflict):
    code = "too_many_mcp_servers"
    default_message = f"A site can have at most {MAX_SERVERS} MCP servers."


class McpToolChanged(Conflict):
    code = "mcp_tool_changed"
    default_message = "A tool is not as it was shown. Check the server again."
