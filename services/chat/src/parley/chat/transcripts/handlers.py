"""The endpoints of transcripts, for visitors and operators."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from parley.chat.schemas import OkResponse
from parley.chat.transcripts.schemas import OperatorSendTranscriptBody, SendTranscriptBody, TranscriptQuery
from parley.chat.transcripts.service import TranscriptService
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class TranscriptHandlers:
    transcripts: TranscriptService

    async def download(self, context: RequestContext[VisitorCaller, None, TranscriptQuery]) -> web.Response:
        text = await self.transcripts.get_text(context.caller, context.query.lang)
        headers = {"Content-Disposition": 'attachment; filename="chat.txt"', "Cache-Control": "no-store"}
        return web.Response(text=text, content_type="text/plain", charset="utf-8", headers=headers)

    async def send(self, context: RequestContext[VisitorCaller, SendTranscriptBody, None]) -> OkResponse:
        await self.transcripts.request_by_visitor(context.caller, context.body.email, context.body.lang)
        return OkResponse()

    async def send_as_operator(
        self, context: RequestContext[OperatorCaller, OperatorSendTranscriptBody, None]
    ) -> OkResponse:
        await self.transcripts.request_by_operator(context.caller, context.path["id"], context.body.email)
        return OkResponse()
