"""Operator endpoints about visitors: edit details, block and unblock, list blocked visitors and leads."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.conversations.schemas import ConversationResponse
from parley.chat.paging.schemas import NumberedPageQuery, build_pagination, decode_position, encode_position
from parley.chat.visitors.schemas import (
    BlockBody,
    BlockedVisitorsQuery,
    BlockedVisitorsResponse,
    LeadsResponse,
    VisitorDetailsBody,
    VisitorResponse,
    to_blocked_visitor,
    to_lead,
)
from parley.chat.visitors.service import VisitorService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class VisitorHandlers:
    visitors: VisitorService

    async def update_details(
        self, context: RequestContext[OperatorCaller, VisitorDetailsBody, None]
    ) -> ConversationResponse:
        details = context.body.model_dump(exclude_unset=True)
        if "info" in details and details["info"] is None:
            details["info"] = {}
        conversation = await self.visitors.update_details(context.caller, context.path["id"], details)
        return ConversationResponse(conversation=conversation.to_schema())

    async def set_block(self, context: RequestContext[OperatorCaller, BlockBody, None]) -> VisitorResponse:
        block_type = context.body.block_type if context.body.blocked else None
        visitor = await self.visitors.set_block(context.caller, context.path["id"], block_type)
        return VisitorResponse(visitor=visitor.to_schema())

    async def list_blocked(
        self, context: RequestContext[OperatorCaller, None, BlockedVisitorsQuery]
    ) -> BlockedVisitorsResponse:
        query = context.query
        page = await self.visitors.list_blocked(
            context.caller, query.site_id, decode_position(query.cursor, str), query.limit
        )
        return BlockedVisitorsResponse(
            visitors=page.map(to_blocked_visitor), next_cursor=encode_position(page.next_position)
        )

    async def list_leads(self, context: RequestContext[OperatorCaller, None, NumberedPageQuery]) -> LeadsResponse:
        query = context.query
        page = await self.visitors.list_leads(
            context.caller, context.path["site_id"], decode_position(query.cursor, str), query.skip, query.size
        )
        return LeadsResponse(
            leads=page.map(to_lead),
            next_cursor=encode_position(page.next_position),
            pagination=build_pagination(page.total, query),
        )
