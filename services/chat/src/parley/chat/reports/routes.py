"""The routes of reports."""

from __future__ import annotations

from parley.chat.reports.handlers import ReportHandlers
from parley.chat.reports.schemas import ExportQuery, ReportQuery, ReportResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, Route

_EXAMPLE = {"from": "2026-01-01", "to": "2026-01-31", "group_by": "day", "timezone": "Europe/Berlin"}


def routes(handlers: ReportHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            "/api/v1/reports",
            handlers.get,
            CallerType.OPERATOR,
            ReportResponse,
            "Figures of the conversations that began in a period, in groups, with those of the period before",
            required_permission=Permission.MANAGE,
            query=ReportQuery,
            example=_EXAMPLE,
        ),
        Route(
            "GET",
            "/api/v1/reports/export",
            handlers.export,
            CallerType.OPERATOR,
            ReportResponse,
            "A report as a file: CSV or JSON",
            required_permission=Permission.MANAGE,
            query=ExportQuery,
            response_media_type="text/csv",
            example={**_EXAMPLE, "format": "csv"},
        ),
    ]
