"""Endpoints of gaps."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.knowledge.schemas import KnowledgeEntryResponse, to_schema
from parley.chat.knowledge_gaps.schemas import (
    GapDetailsResponse,
    GapEntryBody,
    GapListResponse,
    GapResponse,
    GapsQuery,
    GapStateBody,
    serialize_details,
    serialize_gap,
)
from parley.chat.knowledge_gaps.service import GapService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext, decode_cursor, encode_cursor


@dataclass(frozen=True, slots=True)
class GapHandlers:
    gaps: GapService

    async def list_page(self, context: RequestContext[OperatorCaller, None, GapsQuery]) -> GapListResponse:
        query = context.query
        after = None
        if query.cursor is not None:
            count, last_id = decode_cursor(query.cursor, int, int)
            after = (count, last_id)
        gaps = await self.gaps.list_page(context.caller, context.path["site_id"], query.state, after, query.limit)
        shown = gaps[: query.limit]
        next_cursor = encode_cursor(shown[-1].count, shown[-1].id) if len(gaps) > query.limit else None
        return GapListResponse(gaps=[serialize_gap(gap) for gap in shown], next_cursor=next_cursor)

    async def get_details(self, context: RequestContext[OperatorCaller, None, None]) -> GapDetailsResponse:
        path = context.path
        return serialize_details(await self.gaps.get_details(context.caller, path["site_id"], path["gap_id"]))

    async def set_state(self, context: RequestContext[OperatorCaller, GapStateBody, None]) -> GapResponse:
        path = context.path
        gap = await self.gaps.set_state(context.caller, path["site_id"], path["gap_id"], context.body.state)
        return GapResponse(gap=serialize_gap(gap))

    async def make_entry(self, context: RequestContext[OperatorCaller, GapEntryBody, None]) -> KnowledgeEntryResponse:
        path, body = context.path, context.body
        entry = await self.gaps.make_entry(context.caller, path["site_id"], path["gap_id"], body.question, body.answer)
        return KnowledgeEntryResponse(entry=to_schema(entry))
