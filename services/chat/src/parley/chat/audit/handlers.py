"""HTTP handlers of the audit log."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.audit.schemas import AuditLogResponse, AuditQuery, serialize_page
from parley.chat.audit.service import AuditService
from parley.chat.paging.schemas import decode_position
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class AuditHandlers:
    audit: AuditService

    async def list_page(self, context: RequestContext[OperatorCaller, None, AuditQuery]) -> AuditLogResponse:
        query = context.query
        after = decode_position(query.cursor)
        return serialize_page(await self.audit.list_page(context.caller, query.filter, after, query.limit))
