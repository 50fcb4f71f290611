"""Use cases of a site's MCP servers: list, add, replace, delete, replace the secret, check, allow and try tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from parley.chat.accounts.errors import EditConflict
from parley.chat.ai.site_ai_settings import EndpointValidator
from parley.chat.audit.service import AuditService
from parley.chat.ids import NextId
from parley.chat.mcp_servers.definitions import compare
from parley.chat.mcp_servers.errors import MAX_SERVERS, McpServerNotFound, McpToolChanged
from parley.chat.mcp_servers.model import AllowedTool, ListedTool, Listing, McpServer, McpServerOptions, ToolChoice
from parley.chat.mcp_servers.ports import McpClient, McpServerRepository
from parley.chat.sites.service import SiteService
from parley.chat.tools.credentials import Cipher, Credentials
from parley.chat.tools.model import ToolResponse
from parley.chat.tools.parameters import check_arguments
from parley.chat.tools.requests import find_address_fault, find_placeholders, origin_of
from parley.chat.tools.service import create_try_key
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import ValidationFailed
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class McpServerService:
    """Each method raises SiteNotFound, and Forbidden without the permission that the route requires."""

    servers: McpServerRepository
    sites: SiteService
    audit: AuditService
    cipher: Cipher
    validate_address: EndpointValidator
    client: McpClient
    next_id: NextId
    next_tool_id: NextId
    clock: Clock

    async def list_servers(self, caller: OperatorCaller, site_id: int) -> Sequence[McpServer]:
        await self.sites.get(caller, site_id)
        return await self.servers.list_for_site(caller.tenant_id, site_id)

    async def add(
        self, caller: OperatorCaller, site_id: int, options: McpServerOptions, authorization: str | None
    ) -> tuple[McpServer, str]:
        """Add a server. Returns it with the secret that signs requests, which cannot be read again.

        Raises ValidationFailed, McpServerNameTaken, TooManyMcpServers.
        """
        await self.sites.get(caller, site_id)
        await self._validate(options)
        credentials, secret = Credentials.create(self.cipher, site_id, authorization)
        now = self.clock()
        server = McpServer(await self.next_id(), caller.tenant_id, site_id, options, credentials, now, now)
        await self.servers.add(server, MAX_SERVERS)
        await self._record(caller, "mcp_server.created", server)
        return server, secret

    async def replace(
        self, caller: OperatorCaller, site_id: int, server_id: int, options: McpServerOptions, fields: Mapping[str, Any]
    ) -> tuple[McpServer, str | None]:
        """Replace a server; `fields` has `authorization` if that changes, too. Returns a new secret if it has one.

        Another origin is another server: secrets end, and no tool is allowed there.
        Raises McpServerNotFound, ValidationFailed, McpServerNameTaken, EditConflict.
        """
        before = await self._get(caller, site_id, server_id)
        await self._validate(options)
        is_moved = origin_of(options.url) != origin_of(before.options.url)
        credentials, secret = before.credentials.update(self.cipher, site_id, fields, is_moved=is_moved)
        after = replace(before, options=options, credentials=credentials, updated_at=self.clock())
        if is_moved:
            after = replace(after, tools=(), failure=None)
        await self._save(caller, before, after, clear_tools=is_moved)
        await self._record(caller, "mcp_server.updated", after)
        return after, secret

    async def delete(self, caller: OperatorCaller, site_id: int, server_id: int) -> None:
        """Raises McpServerNotFound."""
        server = await self._get(caller, site_id, server_id)
        if not await self.servers.delete(caller.tenant_id, site_id, server_id):
            raise McpServerNotFound
        await self._record(caller, "mcp_server.deleted", server)

    async def replace_secret(self, caller: OperatorCaller, site_id: int, server_id: int) -> tuple[McpServer, str]:
        """Give a server another secret. Returns its text, which cannot be read again.

        Raises McpServerNotFound, EditConflict.
        """
        before = await self._get(caller, site_id, server_id)
        credentials, secret = before.credentials.replace_secret(self.cipher, site_id)
        after = replace(before, credentials=credentials, updated_at=self.clock())
        await self._save(caller, before, after)
        await self._record(caller, "mcp_server.secret_replaced", after)
        return after, secret

    async def check(self, caller: OperatorCaller, site_id: int, server_id: int) -> tuple[McpServer, Listing]:
        """Ask a server for its tools, and note which of the allowed ones have changed. Raises McpServerNotFound."""
        server = await self._get(caller, site_id, server_id)
        listing = await self.client.list_tools(server)
        failure = None if listing.outcome == "ok" else listing.outcome
        await self.servers.record_failure(server_id, failure)
        if failure is None:
            today = {tool.name: tool.fingerprint for tool in listing.tools}
            await self.servers.store_listing(server_id, listing.tools)
            await self.servers.record_states(
                server_id, {tool.id: compare(tool, today.get(tool.name)) for tool in server.tools}
            )
        return await self._get(caller, site_id, server_id), listing

    async def allow(
        self, caller: OperatorCaller, site_id: int, server_id: int, choices: Sequence[ToolChoice]
    ) -> McpServer:
        """Allow these tools of the latest check, and no others.

        A tool is allowed as it was shown: its fingerprint says as what. Raises McpServerNotFound, McpToolChanged,
        ValidationFailed.
        """
        server = await self._get(caller, site_id, server_id)
        listed = await self.servers.find_listing(server_id)
        before = {tool.name: tool for tool in server.tools}
        allowed = []
        for choice in choices:
            shown = _find_shown(listed, choice.name, choice.fingerprint, "tools")
            allowed.append(await self._allow(before.get(choice.name), shown, choice))
        if not await self.servers.allow(server_id, allowed):
            raise McpServerNotFound
        await self._record(caller, "mcp_server.tools_allowed", server, tools=", ".join(tool.name for tool in allowed))
        return await self._get(caller, site_id, server_id)

    async def try_out(
        self,
        caller: OperatorCaller,
        site_id: int,
        server_id: int,
        name: str,
        fingerprint: str,
        arguments: Mapping[str, Any],
    ) -> ToolResponse:
        """Call a tool of the latest check as it was shown, allowed or not, for no visitor.

        Raises McpServerNotFound, McpToolChanged, ValidationFailed.
        """
        server = await self._get(caller, site_id, server_id)
        tool = _find_shown(await self.servers.find_listing(server_id), name, fingerprint, "name")
        checked = check_arguments(tool.parameters, arguments)
        await self._record(caller, "mcp_server.tool_tried", server, tool=tool.name)
        return await self.client.call(server, tool, checked, None, create_try_key())

    async def _allow(self, before: AllowedTool | None, found: ListedTool, choice: ToolChoice) -> AllowedTool:
        """The allowed tool. One that stays as it was keeps its id, so that a visitor's consent to its call holds."""
        after = AllowedTool(
            before.id if before else 0,
            found.name,
            choice.title,
            found.description,
            found.parameters,
            found.fingerprint,
            choice.writes,
            choice.identified_only,
            before.allowed_at if before else self.clock(),
        )
        if before is not None and after == replace(before, state="ok"):
            return after
        return replace(after, id=await self.next_tool_id(), allowed_at=self.clock())

    async def _get(self, caller: OperatorCaller, site_id: int, server_id: int) -> McpServer:
        await self.sites.get(caller, site_id)
        server = await self.servers.find(caller.tenant_id, site_id, server_id)
        if server is None:
            raise McpServerNotFound
        return server

    async def _save(
        self, caller: OperatorCaller, before: McpServer, after: McpServer, *, clear_tools: bool = False
    ) -> None:
        """Raises McpServerNotFound, McpServerNameTaken, EditConflict."""
        if not await self.servers.replace(before, after, clear_tools=clear_tools):
            await self._get(caller, before.site_id, before.id)
            raise EditConflict

    async def _validate(self, options: McpServerOptions) -> None:
        """Raises ValidationFailed."""
        fault = find_address_fault(options.url)
        if fault is None and find_placeholders(options.url):
            fault = "must not have placeholders"
        fault = fault or await self.validate_address(options.url)
        if fault is not None:
            raise ValidationFailed({"url": fault})

    async def _record(self, caller: OperatorCaller, action: str, server: McpServer, **details: str) -> None:
        details["name"] = server.options.name
        await self.audit.record(caller, action, f"mcp_server:{server.id}", server.site_id, details)


def _find_shown(listed: Sequence[ListedTool], name: str, fingerprint: str, field: str) -> ListedTool:
    """The tool that a manager was shown. Raises McpToolChanged, and ValidationFailed of a field."""
    shown = next((tool for tool in listed if (tool.name, tool.fingerprint) == (name, fingerprint)), None)
    if shown is None:
        raise McpToolChanged
    if shown.fault is not None:
        raise ValidationFailed({field: f"{shown.name} cannot be used: {shown.fault}"})
    return shown
