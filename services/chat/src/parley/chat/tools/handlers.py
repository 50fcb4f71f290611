"""Endpoints of a site's tools."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.schemas import OkResponse
from parley.chat.tools.schemas import (
    ToolBody,
    ToolListResponse,
    ToolResponseSchema,
    ToolResultResponse,
    TryToolBody,
    serialize_result,
    serialize_tool,
)
from parley.chat.tools.service import ToolService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class ToolHandlers:
    tools: ToolService

    async def list_tools(self, context: RequestContext[OperatorCaller, None, None]) -> ToolListResponse:
        tools = await self.tools.list_tools(context.caller, context.path["site_id"])
        return ToolListResponse(tools=[serialize_tool(tool) for tool in tools])

    async def add(self, context: RequestContext[OperatorCaller, ToolBody, None]) -> ToolResponseSchema:
        body = context.body
        tool, secret = await self.tools.add(
            context.caller, context.path["site_id"], body.to_options(), body.authorization
        )
        return ToolResponseSchema(tool=serialize_tool(tool), secret=secret)

    async def replace(self, context: RequestContext[OperatorCaller, ToolBody, None]) -> ToolResponseSchema:
        path, body = context.path, context.body
        tool, secret = await self.tools.replace(
            context.caller, path["site_id"], path["tool_id"], body.to_options(), body.to_credential_fields()
        )
        return ToolResponseSchema(tool=serialize_tool(tool), secret=secret)

    async def delete(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.tools.delete(context.caller, context.path["site_id"], context.path["tool_id"])
        return OkResponse()

    async def replace_secret(self, context: RequestContext[OperatorCaller, None, None]) -> ToolResponseSchema:
        tool, secret = await self.tools.replace_secret(context.caller, context.path["site_id"], context.path["tool_id"])
        return ToolResponseSchema(tool=serialize_tool(tool), secret=secret)

    async def try_out(self, context: RequestContext[OperatorCaller, TryToolBody, None]) -> ToolResultResponse:
        path = context.path
        return serialize_result(
            await self.tools.try_out(context.caller, path["site_id"], path["tool_id"], context.body.arguments)
        )
