"""Endpoints to edit a site's knowledge entries."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.knowledge.schemas import (
    KnowledgeEntryBody,
    KnowledgeEntryResponse,
    KnowledgeListResponse,
    ReplaceEntryBody,
    to_schema,
)
from parley.chat.knowledge.service import KnowledgeService
from parley.chat.paging.schemas import PageQuery, decode_id, encode_id
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class KnowledgeHandlers:
    knowledge: KnowledgeService

    async def list_page(self, context: RequestContext[OperatorCaller, None, PageQuery]) -> KnowledgeListResponse:
        limit, after = context.query.limit, decode_id(context.query.cursor)
        entries = await self.knowledge.list_page(context.caller, context.path["site_id"], after, limit)
        return KnowledgeListResponse(
            knowledge=[to_schema(entry) for entry in entries[:limit]],
            next_cursor=encode_id([entry.id for entry in entries], limit),
        )

    async def add(self, context: RequestContext[OperatorCaller, KnowledgeEntryBody, None]) -> KnowledgeEntryResponse:
        body = context.body
        entry = await self.knowledge.add(context.caller, context.path["site_id"], body.question, body.answer)
        return KnowledgeEntryResponse(entry=to_schema(entry))

    async def replace(self, context: RequestContext[OperatorCaller, ReplaceEntryBody, None]) -> KnowledgeEntryResponse:
        path, body = context.path, context.body
        entry = await self.knowledge.replace(
            context.caller, path["site_id"], path["entry_id"], body.question, body.answer, body.version
        )
        return KnowledgeEntryResponse(entry=to_schema(entry))

    async def delete(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.knowledge.delete(context.caller, context.path["site_id"], context.path["entry_id"])
        return OkResponse()
