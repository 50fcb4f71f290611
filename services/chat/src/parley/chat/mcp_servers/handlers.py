"""Endpoints of a site's MCP servers."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.mcp_servers.schemas import (
    AllowedToolsBody,
    McpCheckResponse,
    McpServerBody,
    McpServerListResponse,
    McpServerResponse,
    TryMcpToolBody,
    serialize_check,
    serialize_server,
)
from parley.chat.mcp_servers.service import McpServerService
from parley.chat.schemas import OkResponse
from parley.chat.tools.schemas import ToolResultResponse, serialize_result
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class McpServerHandlers:
    servers: McpServerService

    async def list_servers(self, context: RequestContext[OperatorCaller, None, None]) -> McpServerListResponse:
        servers = await self.servers.list_servers(context.caller, context.path["site_id"])
        return McpServerListResponse(servers=[serialize_server(server) for server in servers])

    async def add(self, context: RequestContext[OperatorCaller, McpServerBody, None]) -> McpServerResponse:
        body = context.body
        server, secret = await self.servers.add(
            context.caller, context.path["site_id"], body.to_options(), body.authorization
        )
        return McpServerResponse(server=serialize_server(server), secret=secret)

    async def replace(self, context: RequestContext[OperatorCaller, McpServerBody, None]) -> McpServerResponse:
        path, body = context.path, context.body
        server, secret = await self.servers.replace(
            context.caller, path["site_id"], path["server_id"], body.to_options(), body.to_credential_fields()
        )
        return McpServerResponse(server=serialize_server(server), secret=secret)

    async def delete(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.servers.delete(context.caller, context.path["site_id"], context.path["server_id"])
        return OkResponse()

    async def replace_secret(self, context: RequestContext[OperatorCaller, None, None]) -> McpServerResponse:
        path = context.path
        server, secret = await self.servers.replace_secret(context.caller, path["site_id"], path["server_id"])
        return McpServerResponse(server=serialize_server(server), secret=secret)

    async def check(self, context: RequestContext[OperatorCaller, None, None]) -> McpCheckResponse:
        path = context.path
        return serialize_check(*await self.servers.check(context.caller, path["site_id"], path["server_id"]))

    async def try_out(self, context: RequestContext[OperatorCaller, TryMcpToolBody, None]) -> ToolResultResponse:
        path, body = context.path, context.body
        response = await self.servers.try_out(
            context.caller, path["site_id"], path["server_id"], body.name, body.fingerprint, body.arguments
        )
        return serialize_result(response)

    async def allow(self, context: RequestContext[OperatorCaller, AllowedToolsBody, None]) -> McpServerResponse:
        path, choices = context.path, context.body.to_choices()
        server = await self.servers.allow(context.caller, path["site_id"], path["server_id"], choices)
        return McpServerResponse(server=serialize_server(server))
