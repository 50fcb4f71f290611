"""Endpoints of reports."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from parley.chat.reports.csv_export import to_csv
from parley.chat.reports.model import Report
from parley.chat.reports.schemas import ExportQuery, ReportQuery, ReportResponse, to_response
from parley.chat.reports.service import ReportService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext

_BYTE_ORDER_MARK = "\ufeff"
"""Tells spreadsheets that a file is UTF-8."""


@dataclass(frozen=True, slots=True)
class ReportHandlers:
    reports: ReportService

    async def get(self, context: RequestContext[OperatorCaller, None, ReportQuery]) -> ReportResponse:
        return to_response(await self._get(context.caller, context.query))

    async def export(self, context: RequestContext[OperatorCaller, None, ExportQuery]) -> web.Response:
        query = context.query
        report = await self._get(context.caller, query)
        if query.format == "csv":
            body, media_type = _BYTE_ORDER_MARK + to_csv(report), "text/csv"
        else:
            body, media_type = to_response(report).model_dump_json(), "application/json"
        name = f"report-{query.group_by}-{query.first}-{query.last}.{query.format}"
        return web.Response(
            body=body.encode(),
            content_type=media_type,
            charset="utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def _get(self, caller: OperatorCaller, query: ReportQuery) -> Report:
        return await self.reports.get(caller, query.to_period(), query.site_id, query.group_by)
