"""Endpoints of corrections."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.corrections.schemas import (
    AffectedConversationsResponse,
    ApplyCorrectionBody,
    CitedPassagesQuery,
    CitedPassagesResponse,
    CorrectionBody,
    CorrectionListResponse,
    CorrectionResponse,
    serialize_affected,
    serialize_correction,
    serialize_passages,
)
from parley.chat.corrections.service import CorrectionService
from parley.chat.paging.schemas import PageQuery, decode_id, encode_id
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext, encode_cursor


@dataclass(frozen=True, slots=True)
class CorrectionHandlers:
    corrections: CorrectionService

    async def find_passages(
        self, context: RequestContext[OperatorCaller, None, CitedPassagesQuery]
    ) -> CitedPassagesResponse:
        query = context.query
        answered, passages = await self.corrections.find_passages(
            context.caller, context.path["site_id"], query.conversation_id, query.seq
        )
        return serialize_passages(answered, list(passages))

    async def add(self, context: RequestContext[OperatorCaller, CorrectionBody, None]) -> CorrectionResponse:
        body = context.body
        correction = await self.corrections.add(
            context.caller, context.path["site_id"], body.conversation_id, body.seq, body.note, body.right_answer
        )
        return CorrectionResponse(correction=serialize_correction(correction))

    async def list_page(self, context: RequestContext[OperatorCaller, None, PageQuery]) -> CorrectionListResponse:
        limit, before = context.query.limit, decode_id(context.query.cursor)
        corrections = await self.corrections.list_page(context.caller, context.path["site_id"], before, limit)
        return CorrectionListResponse(
            corrections=[serialize_correction(one) for one in corrections[:limit]],
            next_cursor=encode_id([one.id for one in corrections], limit),
        )

    async def apply(self, context: RequestContext[OperatorCaller, ApplyCorrectionBody, None]) -> CorrectionResponse:
        path, body = context.path, context.body
        correction = await self.corrections.apply(
            context.caller,
            path["site_id"],
            path["correction_id"],
            body.question,
            body.answer,
            body.entry_id,
            body.entry_version,
        )
        return CorrectionResponse(correction=serialize_correction(correction))

    async def list_affected(
        self, context: RequestContext[OperatorCaller, None, PageQuery]
    ) -> AffectedConversationsResponse:
        path, limit = context.path, context.query.limit
        page = await self.corrections.list_affected(
            context.caller, path["site_id"], path["correction_id"], decode_id(context.query.cursor), limit
        )
        return AffectedConversationsResponse(
            conversations=[serialize_affected(one) for one in page.rows],
            next_cursor=None if page.next_before is None else encode_cursor(page.next_before),
        )
