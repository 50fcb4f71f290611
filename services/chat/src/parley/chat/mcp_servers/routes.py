"""The routes of a site's MCP servers."""

from __future__ import annotations

from typing import Any

from parley.chat.mcp_servers import schemas
from parley.chat.mcp_servers.handlers import McpServerHandlers
from parley.chat.schemas import OkResponse
from parley.chat.tools.schemas import ToolResultResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_SERVERS = "/api/v1/sites/{site_id}/chatbot/mcp-servers"
_SERVER = f"{_SERVERS}/{{server_id}}"
_EXAMPLE = {"name": "shop", "url": "https://shop.example.com/mcp", "authorization": "Bearer 9f2c"}
_EXAMPLE_CHOICE = {"name": "order_status", "fingerprint": "0f" * 32, "title": "Look up an order", "writes": False}
_MANAGE: Any = {"required_permission": Permission.MANAGE}
_WRITE: Any = {**_MANAGE, "rate_limit": RateLimitClass.WRITE}


def routes(handlers: McpServerHandlers) -> list[Route]:
    operator = CallerType.OPERATOR
    server = schemas.McpServerResponse
    return [
        Route(
            "GET",
            _SERVERS,
            handlers.list_servers,
            operator,
            schemas.McpServerListResponse,
            "The MCP servers of a site, with the tools that its AI may call",
            **_MANAGE,
        ),
        Route(
            "POST",
            _SERVERS,
            handlers.add,
            operator,
            server,
            "Add an MCP server; its secret is shown only once",
            body=schemas.McpServerBody,
            status=201,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route(
            "PUT",
            _SERVER,
            handlers.replace,
            operator,
            server,
            "Replace an MCP server",
            body=schemas.McpServerBody,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route("DELETE", _SERVER, handlers.delete, operator, OkResponse, "Delete an MCP server", **_WRITE),
        Route(
            "POST",
            f"{_SERVER}/secret",
            handlers.replace_secret,
            operator,
            server,
            "Replace the secret that signs the requests to an MCP server",
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_SERVER}/check",
            handlers.check,
            operator,
            schemas.McpCheckResponse,
            "Ask an MCP server for its tools",
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_SERVER}/try",
            handlers.try_out,
            operator,
            ToolResultResponse,
            "Call a tool that an MCP server has listed, and show what it answers",
            body=schemas.TryMcpToolBody,
            example={"name": "order_status", "fingerprint": "0f" * 32, "arguments": {"order_id": "A-1042"}},
            **_WRITE,
        ),
        Route(
            "PUT",
            f"{_SERVER}/tools",
            handlers.allow,
            operator,
            server,
            "Choose the tools of an MCP server that the AI may call",
            body=schemas.AllowedToolsBody,
            example={"tools": [_EXAMPLE_CHOICE]},
            **_WRITE,
        ),
    ]
