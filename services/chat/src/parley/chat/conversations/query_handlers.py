"""Operator endpoints that read conversations: queue, counts, transfer candidates, details, archive, ratings."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.conversations.queries import ConversationQueries
from parley.chat.conversations.schemas import (
    AllQueuesResponse,
    ArchiveQuery,
    ArchiveResponse,
    ConversationDetailResponse,
    CountsResponse,
    MentionSchema,
    MentionsResponse,
    MessageWindowQuery,
    QueueQuery,
    QueueResponse,
    RatingsResponse,
    RatingStatsQuery,
    RatingStatsResponse,
    SiteCountsSchema,
    SiteQueueQuery,
    TransferCandidatesQuery,
    TransferCandidatesResponse,
    to_detail,
    to_rating,
    to_rating_stats,
    to_rows,
    to_transfer_candidate,
)
from parley.chat.paging.schemas import PageQuery, build_pagination, decode_position, encode_position
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class ConversationQueryHandlers:
    queries: ConversationQueries

    async def get_details(
        self, context: RequestContext[OperatorCaller, None, MessageWindowQuery]
    ) -> ConversationDetailResponse:
        query = context.query
        details = await self.queries.get_details(context.caller, context.path["id"], query.before_seq, query.limit)
        return ConversationDetailResponse(conversation=to_detail(details))

    async def list_mentions(self, context: RequestContext[OperatorCaller, None, None]) -> MentionsResponse:
        notes = await self.queries.list_mentions(context.caller)
        return MentionsResponse(
            mentions=[
                MentionSchema(site_id=note.site_id, conversation_id=note.conversation_id, note=note.to_schema())
                for note in notes
            ]
        )

    async def mark_mentions_read(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.queries.mark_mentions_read(context.caller, context.path["id"])
        return OkResponse()

    async def list_site_queue(self, context: RequestContext[OperatorCaller, None, SiteQueueQuery]) -> QueueResponse:
        query = context.query
        page = await self.queries.list_site_queue(
            context.caller, query.site_id, query.selection, decode_position(query.cursor), query.limit
        )
        return QueueResponse(chats=to_rows(page.rows), next_cursor=encode_position(page.next_position))

    async def list_queue(self, context: RequestContext[OperatorCaller, None, QueueQuery]) -> AllQueuesResponse:
        query = context.query
        page = await self.queries.list_queue(
            context.caller, query.selection, decode_position(query.cursor), query.limit
        )
        return AllQueuesResponse(
            chats=to_rows(page.rows),
            next_cursor=encode_position(page.next_position),
            current_user_id=context.caller.operator_id,
        )

    async def count(self, context: RequestContext[OperatorCaller, None, None]) -> CountsResponse:
        counts = await self.queries.count_by_site(context.caller)
        sites = {
            str(site_id): SiteCountsSchema(pending=by_mode.get("pending", 0), active=by_mode.get("operator", 0))
            for site_id, by_mode in counts.items()
        }
        return CountsResponse(
            pending=sum(site.pending for site in sites.values()),
            active=sum(site.active for site in sites.values()),
            sites=sites,
        )

    async def list_transfer_candidates(
        self, context: RequestContext[OperatorCaller, None, TransferCandidatesQuery]
    ) -> TransferCandidatesResponse:
        candidates = await self.queries.list_transfer_candidates(context.caller, context.query.site_id)
        return TransferCandidatesResponse(operators=[to_transfer_candidate(candidate) for candidate in candidates])

    async def list_archive(self, context: RequestContext[OperatorCaller, None, ArchiveQuery]) -> ArchiveResponse:
        query, position = context.query, decode_position(context.query.cursor)
        page = await self.queries.list_archive(
            context.caller, context.path["site_id"], query.filter, position, query.skip, query.size
        )
        return ArchiveResponse(
            conversations=to_rows(page.rows),
            next_cursor=encode_position(page.next_position),
            pagination=build_pagination(page.total, query),
        )

    async def list_ratings(self, context: RequestContext[OperatorCaller, None, PageQuery]) -> RatingsResponse:
        query = context.query
        page = await self.queries.list_rated(
            context.caller, context.path["site_id"], decode_position(query.cursor), query.limit
        )
        return RatingsResponse(ratings=page.map(to_rating), next_cursor=encode_position(page.next_position))

    async def get_rating_stats(
        self, context: RequestContext[OperatorCaller, None, RatingStatsQuery]
    ) -> RatingStatsResponse:
        stats = await self.queries.get_rating_stats(context.caller, context.path["site_id"], context.query.since)
        return to_rating_stats(stats)
