"""The routes of a site's tools."""

from __future__ import annotations

from typing import Any

from parley.chat.schemas import OkResponse
from parley.chat.tools import schemas
from parley.chat.tools.handlers import ToolHandlers
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_TOOLS = "/api/v1/sites/{site_id}/chatbot/tools"
_TOOL = f"{_TOOLS}/{{tool_id}}"
_EXAMPLE = {
    "name": "order_status",
    "title": "Look up an order",
    "description": "The status of one of the visitor's orders, and when it arrives.",
    "parameters": {
        "type": "object",
        "properties": {"order_id": {"type": "string", "description": "As in the confirmation, like A-1042."}},
        "required": ["order_id"],
    },
    "url": "https://shop.example.com/api/orders/{order_id}",
    "writes": False,
}
_MANAGE: Any = {"required_permission": Permission.MANAGE}
_WRITE: Any = {**_MANAGE, "rate_limit": RateLimitClass.WRITE}


def routes(handlers: ToolHandlers) -> list[Route]:
    operator = CallerType.OPERATOR
    tool = schemas.ToolResponseSchema
    return [
        Route(
            "GET",
            _TOOLS,
            handlers.list_tools,
            operator,
            schemas.ToolListResponse,
            "The tools that a site's AI can call",
            **_MANAGE,
        ),
        Route(
            "POST",
            _TOOLS,
            handlers.add,
            operator,
            tool,
            "Add a tool; its secret is shown only once",
            body=schemas.ToolBody,
            status=201,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route(
            "PUT",
            _TOOL,
            handlers.replace,
            operator,
            tool,
            "Replace a tool",
            body=schemas.ToolBody,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route("DELETE", _TOOL, handlers.delete, operator, OkResponse, "Delete a tool", **_WRITE),
        Route(
            "POST",
            f"{_TOOL}/secret",
            handlers.replace_secret,
            operator,
            tool,
            "Replace the secret that signs a tool's requests",
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_TOOL}/try",
            handlers.try_out,
            operator,
            schemas.ToolResultResponse,
            "Call a tool and show what it answers",
            body=schemas.TryToolBody,
            example={"arguments": {"order_id": "A-1042"}},
            **_WRITE,
        ),
    ]
