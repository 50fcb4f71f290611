"""HTTP handlers of the export and the erasure of a visitor's personal data, for the tenant's owners."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.privacy.schemas import (
    EraseBody,
    EraseResponse,
    ExportQuery,
    ExportResponse,
    serialize_counts,
    serialize_export,
)
from parley.chat.privacy.service import PersonalDataService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class PersonalDataHandlers:
    personal_data: PersonalDataService

    async def export(self, context: RequestContext[OperatorCaller, None, ExportQuery]) -> ExportResponse:
        query = context.query
        subject = await self.personal_data.get_subject(context.caller, query.site_id, query.session_id)
        return ExportResponse(export=serialize_export(await self.personal_data.export(context.caller, subject)))

    async def erase(self, context: RequestContext[OperatorCaller, EraseBody, None]) -> EraseResponse:
        body = context.body
        subject = await self.personal_data.get_subject(context.caller, body.site_id, body.session_id)
        return EraseResponse(erased=serialize_counts(await self.personal_data.erase(context.caller, subject)))
