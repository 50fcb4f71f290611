"""Writes and reads the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parley.chat.audit.model import AuditActor, AuditEntry, AuditFilter
from parley.chat.audit.ports import AuditRepository
from parley.chat.ids import NextId
from parley.chat.paging.model import ListPage, Position
from parley.common.auth.identity import Caller, GatewayCaller, OperatorCaller, Permission, VisitorCaller
from parley.common.errors import Forbidden
from parley.common.runtime.clock import Clock


class AuditService:
    def __init__(self, repository: AuditRepository, next_id: NextId, clock: Clock) -> None:
        self._repository = repository
        self._next_id = next_id
        self._clock = clock

    async def entry(
        self,
        caller: Caller | AuditActor,
        action: str,
        target: str,
        site_id: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> AuditEntry:
        """Build an entry without storing it: it is stored through the outbox, in the same write as the change.

        Raises TypeError for a GatewayCaller, which calls on behalf of an operator: pass an AuditActor that names them.
        """
        if isinstance(caller, GatewayCaller):
            raise TypeError("an audit entry needs an AuditActor for the operator on whose behalf the gateway calls")
        operator_id, name = _operator_id_and_name(caller)
        details = dict(details or {})
        if isinstance(caller, OperatorCaller) and caller.api_key_id is not None:
            details["with_api_key"] = caller.api_key_id
        return AuditEntry(
            id=await self._next_id(),
            tenant_id=caller.tenant_id,
            at=self._clock(),
            operator_id=operator_id,
            operator_name=name,
            action=action,
            target=target,
            site_id=site_id,
            client_ip=caller.client_ip,
            details=details,
        )

    async def record(
        self,
        caller: Caller | AuditActor,
        action: str,
        target: str,
        site_id: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Store an entry immediately, for changes that have no outbox."""
        await self._repository.add(await self.entry(caller, action, target, site_id, details))

    async def list_page(
        self, caller: OperatorCaller, audit_filter: AuditFilter, after: Position | None, limit: int
    ) -> ListPage[AuditEntry]:
        """List entries, newest first.

        Raises Forbidden if the caller neither owns the tenant nor manages the site of the filter.
        """
        if not caller.owner:
            if audit_filter.site_id is None:
                raise Forbidden("Only an owner can list all entries. Filter by a site that you manage.")
            caller.with_required_permission(Permission.MANAGE).authorize(caller.tenant_id, audit_filter.site_id)
        return await self._repository.list_page(caller.tenant_id, audit_filter, after, limit)


def _operator_id_and_name(caller: OperatorCaller | VisitorCaller | AuditActor) -> tuple[int | None, str]:
    match caller:
        case OperatorCaller() | AuditActor():
            return caller.operator_id, caller.name
        case VisitorCaller():
            return None, "visitor"
