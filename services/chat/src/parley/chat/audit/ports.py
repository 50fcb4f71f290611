"""What the audit log needs from storage."""

from __future__ import annotations

from typing import Protocol

from parley.chat.audit.model import AuditEntry, AuditFilter
from parley.chat.paging.model import ListPage, Position


class AuditRepository(Protocol):
    async def add(self, entry: AuditEntry) -> None: ...

    async def list_page(
        self, tenant_id: int, audit_filter: AuditFilter, after: Position | None, limit: int
    ) -> ListPage[AuditEntry]:
        """List entries, newest first."""
