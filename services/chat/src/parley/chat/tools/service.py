"""Use cases of a site's tools: list, add, replace, delete, replace the secret, and try."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from parley.chat.accounts.errors import EditConflict
from parley.chat.ai.site_ai_settings import EndpointValidator
from parley.chat.audit.service import AuditService
from parley.chat.ids import NextId
from parley.chat.sites.service import SiteService
from parley.chat.tools.credentials import Cipher, Credentials
from parley.chat.tools.errors import MAX_TOOLS, ToolNotFound
from parley.chat.tools.model import Tool, ToolOptions, ToolResponse
from parley.chat.tools.parameters import check_arguments, find_schema_error, is_required_scalar
from parley.chat.tools.ports import CallTool, ToolRepository
from parley.chat.tools.requests import find_address_fault, find_placeholders, origin_of
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import ValidationFailed
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class ToolService:
    """Each method raises SiteNotFound, and Forbidden without the permission that the route requires."""

    tools: ToolRepository
    sites: SiteService
    audit: AuditService
    cipher: Cipher
    validate_address: EndpointValidator
    call: CallTool
    next_id: NextId
    clock: Clock

    async def list_tools(self, caller: OperatorCaller, site_id: int) -> Sequence[Tool]:
        await self.sites.get(caller, site_id)
        return await self.tools.list_for_site(caller.tenant_id, site_id)

    async def add(
        self, caller: OperatorCaller, site_id: int, options: ToolOptions, authorization: str | None
    ) -> tuple[Tool, str]:
        """Add a tool. Returns it with its secret, which cannot be read again.

        Raises ValidationFailed, ToolNameTaken, TooManyTools.
        """
        await self.sites.get(caller, site_id)
        await self._validate(options)
        credentials, secret = Credentials.create(self.cipher, site_id, authorization)
        now = self.clock()
        tool = Tool(await self.next_id(), caller.tenant_id, site_id, options, credentials, now, now)
        await self.tools.add(tool, MAX_TOOLS)
        await self._record(caller, "tool.created", tool)
        return tool, secret

    async def replace(
        self, caller: OperatorCaller, site_id: int, tool_id: int, options: ToolOptions, fields: Mapping[str, Any]
    ) -> tuple[Tool, str | None]:
        """Replace a tool; `fields` has `authorization` if that changes, too. Returns a new secret if it has one.

        Raises ToolNotFound, ValidationFailed, ToolNameTaken, EditConflict.
        """
        before = await self._get(caller, site_id, tool_id)
        await self._validate(options)
        is_moved = origin_of(options.url) != origin_of(before.options.url)
        credentials, secret = before.credentials.update(self.cipher, site_id, fields, is_moved=is_moved)
        after = replace(before, options=options, credentials=credentials, updated_at=self.clock())
        await self._save(caller, before, after)
        await self._record(caller, "tool.updated", after)
        return after, secret

    async def delete(self, caller: OperatorCaller, site_id: int, tool_id: int) -> None:
        """Raises ToolNotFound."""
        tool = await self._get(caller, site_id, tool_id)
        if not await self.tools.delete(caller.tenant_id, site_id, tool_id):
            raise ToolNotFound
        await self._record(caller, "tool.deleted", tool)

    async def replace_secret(self, caller: OperatorCaller, site_id: int, tool_id: int) -> tuple[Tool, str]:
        """Give a tool another secret. Returns its text, which cannot be read again.

        Raises ToolNotFound, EditConflict.
        """
        before = await self._get(caller, site_id, tool_id)
        credentials, secret = before.credentials.replace_secret(self.cipher, site_id)
        after = replace(before, credentials=credentials, updated_at=self.clock())
        await self._save(caller, before, after)
        await self._record(caller, "tool.secret_replaced", after)
        return after, secret

    async def try_out(
        self, caller: OperatorCaller, site_id: int, tool_id: int, arguments: Mapping[str, Any]
    ) -> ToolResponse:
        """Call a tool as it is, for nobody: no request of a manager speaks for a visitor.

        Raises ToolNotFound, ValidationFailed.
        """
        tool = await self._get(caller, site_id, tool_id)
        checked = check_arguments(tool.options.parameters, arguments)
        await self._record(caller, "tool.tried", tool)
        return await self.call(tool, checked, None, create_try_key())

    async def _get(self, caller: OperatorCaller, site_id: int, tool_id: int) -> Tool:
        await self.sites.get(caller, site_id)
        tool = await self.tools.find(caller.tenant_id, site_id, tool_id)
        if tool is None:
            raise ToolNotFound
        return tool

    async def _save(self, caller: OperatorCaller, before: Tool, after: Tool) -> None:
        """Raises ToolNotFound, ToolNameTaken, EditConflict."""
        if not await self.tools.replace(before, after):
            await self._get(caller, before.site_id, before.id)
            raise EditConflict

    async def _validate(self, options: ToolOptions) -> None:
        """Raises ValidationFailed."""
        fault = find_schema_error(options.parameters)
        if fault is not None:
            raise ValidationFailed({"parameters": fault})
        fault = find_address_fault(options.url) or await self.validate_address(options.url)
        if fault is not None:
            raise ValidationFailed({"url": fault})
        for name in find_placeholders(options.url):
            if not is_required_scalar(options.parameters, name):
                reason = f"the placeholder {name} must be a required parameter: a text, a number or true and false"
                raise ValidationFailed({"url": reason})

    async def _record(self, caller: OperatorCaller, action: str, tool: Tool) -> None:
        await self.audit.record(caller, action, f"tool:{tool.id}", tool.site_id, {"name": tool.options.name})


def create_try_key() -> str:
    """The idempotency key of a call that a manager tries."""
    return f"try-{secrets.token_hex(16)}"
