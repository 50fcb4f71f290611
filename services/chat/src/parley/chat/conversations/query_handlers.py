"""Lists for operators and administrators: the queue, counts, colleagues, blocked visitors, archive, leads, ratings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from parley.chat.conversations.queries import ArchiveFilter, Lists
from parley.chat.conversations.service import Conversations
from parley.chat.schemas import (
    AllChatsAnswer,
    ArchiveAnswer,
    BlockedAnswer,
    ChatsAnswer,
    ColleagueView,
    CountsAnswer,
    CountsView,
    LeadsAnswer,
    MessagesAnswer,
    OperatorsAnswer,
    RatedConversation,
    RatingsAnswer,
    RatingStatsAnswer,
    blocked_row,
    lead_row,
    pagination,
    rows,
)
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Invalid
from parley.common.events.schemas import Mode
from parley.common.http import Call, Id, Page, Query, decode_cursor, encode_cursor

_MODES: dict[str, Mode] = {"pending": "pending", "active": "operator", "ai": "ai", "closed": "closed"}
Cursor = Annotated[str, StringConstraints(max_length=300)]


def _statuses(value: str) -> str:
    unknown = [part for part in value.split(",") if part not in ("pending", "active", "ai")]
    if unknown:
        raise ValueError("must be pending, active or ai, several separated by commas")
    return value


Status = Annotated[str, StringConstraints(max_length=40), AfterValidator(_statuses)]


class QueueQuery(Query):
    status: Status = Field(
        "pending,active", json_schema_extra={"pattern": "^(pending|active|ai)(,(pending|active|ai))*$"}
    )
    limit: Page = 50
    cursor: Cursor | None = None


class SiteQueueQuery(QueueQuery):
    site_id: Id


class SiteQuery(Query):
    site_id: Id


class SitePageQuery(SiteQuery):
    limit: Page = 50
    cursor: Cursor | None = None


class PageQuery(Query):
    limit: Page = 50
    cursor: Cursor | None = None


class NumberedQuery(PageQuery):
    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    per_page: Page | None = None


class ArchiveQuery(NumberedQuery):
    status: Annotated[str, StringConstraints(pattern=r"^(pending|active|ai|closed)$")] | None = None
    search: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    operator_id: Id | None = Field(None, description="Who has held it at some time.")


class StatsQuery(Query):
    since: AwareDatetime | None = None


class MessagesQuery(Query):
    before_seq: Id | None = None
    after_seq: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None
    limit: Page = 50


def _position(cursor: str | None, tie: type = int) -> list[Any] | None:
    if cursor is None:
        return None
    position = decode_cursor(cursor, int, tie)
    if not 0 <= position[0] <= 253_370_764_800_000 or (tie is int and not 0 <= position[1] < 2**63):
        raise Invalid({"cursor": "is not a cursor of this list"})
    return position


def _next(position: Any) -> str | None:
    return None if position is None else encode_cursor(*position)


@dataclass(frozen=True, slots=True)
class ListHandlers:
    lists: Lists
    conversations: Conversations

    async def active(self, call: Call[OperatorCaller, None, SiteQueueQuery]) -> ChatsAnswer:
        await self.lists.authorize(call.caller, call.query.site_id)
        found, position = await self._queue(call.caller, [call.query.site_id], call.query)
        return ChatsAnswer(chats=rows(found), next_cursor=_next(position))

    async def all_active(self, call: Call[OperatorCaller, None, QueueQuery]) -> AllChatsAnswer:
        found, position = await self._queue(call.caller, call.caller.site_ids, call.query)
        return AllChatsAnswer(chats=rows(found), next_cursor=_next(position), current_user_id=call.caller.operator_id)

    async def _queue(self, caller: OperatorCaller, site_ids: list[int], query: QueueQuery) -> tuple[Any, Any]:
        modes = list(dict.fromkeys(_MODES[part] for part in query.status.split(",")))
        return await self.lists.store.queue(caller.tenant_id, site_ids, modes, _position(query.cursor), query.limit)

    async def counts(self, call: Call[OperatorCaller, None, None]) -> CountsAnswer:
        found = await self.lists.store.counts(call.caller.tenant_id, call.caller.site_ids)
        sites = {
            str(site_id): CountsView(pending=by_mode.get("pending", 0), active=by_mode.get("operator", 0))
            for site_id, by_mode in found.items()
        }
        pending, active = sum(row.pending for row in sites.values()), sum(row.active for row in sites.values())
        return CountsAnswer(pending=pending, active=active, sites=sites)

    async def operators(self, call: Call[OperatorCaller, None, SiteQuery]) -> OperatorsAnswer:
        found = await self.lists.colleagues(call.caller, call.query.site_id)
        views = [
            ColleagueView(id=one.id, name=one.name, online=one.online, active_chats=one.active_chats) for one in found
        ]
        return OperatorsAnswer(operators=views)

    async def blocked(self, call: Call[OperatorCaller, None, SitePageQuery]) -> BlockedAnswer:
        query = call.query
        await self.lists.authorize(call.caller, query.site_id)
        found, position = await self.lists.store.blocked(
            call.caller.tenant_id, query.site_id, _position(query.cursor, str), query.limit
        )
        return BlockedAnswer(visitors=[blocked_row(one) for one in found], next_cursor=_next(position))

    async def archive(self, call: Call[OperatorCaller, None, ArchiveQuery]) -> ArchiveAnswer:
        query, tenant_id, site_id = call.query, call.caller.tenant_id, call.path["site_id"]
        await self.lists.authorize(call.caller, site_id)
        wanted = ArchiveFilter(
            modes=[_MODES[query.status]] if query.status else [],
            search=query.search,
            since=query.since,
            until=query.until,
            operator_id=query.operator_id,
        )
        size, skip = _window(query)
        found, position = await self.lists.store.archive(
            tenant_id, site_id, wanted, _position(query.cursor), skip, size
        )
        total = await self.lists.store.archive_count(tenant_id, site_id, wanted)
        return ArchiveAnswer(
            conversations=rows(found),
            next_cursor=_next(position),
            pagination=pagination(total, query.page, size),
        )

    async def leads(self, call: Call[OperatorCaller, None, NumberedQuery]) -> LeadsAnswer:
        query, tenant_id, site_id = call.query, call.caller.tenant_id, call.path["site_id"]
        await self.lists.authorize(call.caller, site_id)
        size, skip = _window(query)
        found, position = await self.lists.store.leads(tenant_id, site_id, _position(query.cursor, str), skip, size)
        total = await self.lists.store.lead_count(tenant_id, site_id)
        return LeadsAnswer(
            leads=[lead_row(one) for one in found],
            next_cursor=_next(position),
            pagination=pagination(total, query.page, size),
        )

    async def messages(self, call: Call[OperatorCaller, None, MessagesQuery]) -> MessagesAnswer:
        conversation = await self.conversations.find(call.caller, call.path["id"])
        query = call.query
        found = await self.lists.messages.of_conversation(
            conversation, before_seq=query.before_seq, after_seq=query.after_seq, limit=query.limit
        )
        return MessagesAnswer(
            messages=[message.view() for message in found], conversation_id=conversation.id, mode=conversation.mode
        )

    async def ratings(self, call: Call[OperatorCaller, None, PageQuery]) -> RatingsAnswer:
        site_id = call.path["site_id"]
        await self.lists.authorize(call.caller, site_id)
        found, position = await self.lists.store.rated(
            call.caller.tenant_id, site_id, _position(call.query.cursor), call.query.limit
        )
        ratings = [
            RatedConversation(
                conversation_id=one.id,
                score=one.rating or 0,
                comment=one.rating_comment,
                operator=one.operator or _last_holder(one.history),
                rated_at=one.rated_at or one.updated_at,
            )
            for one in found
        ]
        return RatingsAnswer(ratings=ratings, next_cursor=_next(position))

    async def rating_stats(self, call: Call[OperatorCaller, None, StatsQuery]) -> RatingStatsAnswer:
        site_id = call.path["site_id"]
        await self.lists.authorize(call.caller, site_id)
        stats = await self.lists.store.rating_stats(call.caller.tenant_id, site_id, call.query.since)
        by_score = {str(score): times for score, times in stats.by_score.items()}
        return RatingStatsAnswer(count=stats.count, average=stats.average, by_score=by_score)


def _window(query: NumberedQuery) -> tuple[int, int]:
    """How many rows, and how many before them: a cursor goes on from where it points, a page number counts."""
    size = query.per_page or query.limit
    return size, 0 if query.cursor else (query.page - 1) * size


def _last_holder(history: Any) -> Any:
    for entry in reversed(history):
        if entry.action == "transferred":
            return entry.to
        if entry.action == "accepted":
            return entry.by
    return None
