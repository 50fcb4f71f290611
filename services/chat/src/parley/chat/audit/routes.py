"""Routes of the audit log."""

from __future__ import annotations

from parley.chat.audit.handlers import AuditHandlers
from parley.chat.audit.schemas import AuditLogResponse, AuditQuery
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, Route


def routes(handlers: AuditHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            "/api/v1/audit",
            handlers.list_page,
            CallerType.OPERATOR,
            AuditLogResponse,
            "List audit entries, newest first",
            required_permission=Permission.MANAGE,
            query=AuditQuery,
        )
    ]
