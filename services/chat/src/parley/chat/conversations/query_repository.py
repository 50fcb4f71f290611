"""The lists that operators look at, in MongoDB, each served by one index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from parley.chat.conversations.mappers import (
    NOT_WAITING,
    label_facet,
    language_facet,
    operator_facet,
    rating_facet,
    team_facet,
    to_conversation,
)
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.queries import ArchiveFilter, ConversationFilter, QueueSelection, RatingStats
from parley.chat.conversations.visitor_search import SearchTerm, parse_query
from parley.chat.paging.model import ListPage, Position
from parley.chat.paging.mongo import fetch_page
from parley.common.events.schemas import Mode
from parley.common.mongodb import Document, Index, Mongo
from parley.common.runtime.clock import Clock, utc_now

_COLLECTION = "conversations"
_COUNTED_MODES: tuple[Mode, ...] = ("pending", "operator")
"""The AI's conversations are not counted: there may be any number of them."""

INDEXES = [
    Index(
        _COLLECTION,
        [("tenant_id", 1), ("site_id", 1), ("mode", 1), ("queue_at", 1), ("_id", 1)],
        {"name": "queue"},
    ),
    Index(
        _COLLECTION,
        [("tenant_id", 1), ("site_id", 1), ("mode", 1), ("operator.id", 1)],
        {"name": "held", "partialFilterExpression": {"open": True}},
    ),
    Index(_COLLECTION, [("tenant_id", 1), ("site_id", 1), ("created_at", -1), ("_id", -1)], {"name": "archive"}),
    Index(
        _COLLECTION,
        [("tenant_id", 1), ("site_id", 1), ("handled_by", 1), ("created_at", -1), ("_id", -1)],
        {"name": "handled"},
    ),
    Index(_COLLECTION, [("tenant_id", 1), ("site_id", 1), ("words", 1)], {"name": "words"}),
    # Of the open ones alone, as a common word finds any number of closed ones.
    Index(
        _COLLECTION,
        [("tenant_id", 1), ("site_id", 1), ("words", 1)],
        {"name": "open_words", "partialFilterExpression": {"open": True}},
    ),
    Index(
        _COLLECTION,
        [("tenant_id", 1), ("site_id", 1), ("mode", 1), ("facets", 1), ("queue_at", 1), ("_id", 1)],
        {"name": "queue_facets", "partialFilterExpression": {"open": True}},
    ),
    Index(
        _COLLECTION,
        [("tenant_id", 1), ("site_id", 1), ("facets", 1), ("created_at", -1), ("_id", -1)],
        {"name": "archive_facets"},
    ),
    Index(
        _COLLECTION,
        [("tenant_id", 1), ("site_id", 1), ("snoozed_until", 1), ("_id", 1)],
        {"name": "snoozed", "partialFilterExpression": {"snoozed_until": {"$type": "date"}}},
    ),
    Index(
        _COLLECTION,
        [("tenant_id", 1), ("site_id", 1), ("rated_at", -1), ("_id", -1), ("rating", 1)],
        {"name": "rated", "partialFilterExpression": {"rated_at": {"$type": "date"}}},
    ),
]


@dataclass(frozen=True, slots=True)
class IndexedQuery:
    """A query, the field by which its index sorts, and where that ends; None as hint: the server chooses an index."""

    query: Document
    sort_field: str
    until: datetime | None = None
    hint: str | None = None

    @property
    def whole(self) -> Document:
        """The query with its end."""
        if self.until is None:
            return self.query
        return {**self.query, self.sort_field: {"$lte": self.until}}


class MongoConversationQueryRepository:
    """A ConversationQueryRepository."""

    def __init__(self, mongo: Mongo, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._clock = clock

    async def list_queue(
        self, tenant_id: int, site_ids: Sequence[int], selection: QueueSelection, after: Position | None, limit: int
    ) -> ListPage[Conversation]:
        indexed = _queue_query(tenant_id, site_ids, selection, self._clock())
        return await fetch_page(
            self._mongo,
            _COLLECTION,
            indexed.query,
            indexed.sort_field,
            1,
            to_conversation,
            after=after,
            limit=limit,
            until=indexed.until,
            hint=indexed.hint,
        )

    async def count_queue(self, tenant_id: int, site_ids: Sequence[int], selection: QueueSelection, limit: int) -> int:
        indexed = _queue_query(tenant_id, site_ids, selection, self._clock())
        return await self._count(indexed, limit)

    async def count_archive(self, tenant_id: int, site_id: int, filter_: ArchiveFilter, limit: int) -> int:
        return await self._count(_archive_query(tenant_id, site_id, filter_), limit)

    async def _count(self, indexed: IndexedQuery, limit: int) -> int:
        options: dict[str, Any] = {} if indexed.hint is None else {"hint": indexed.hint}
        return await self._mongo[_COLLECTION].count_documents(indexed.whole, limit=limit, **options)

    async def count_by_mode(self, tenant_id: int, site_ids: Sequence[int]) -> Mapping[int, Mapping[Mode, int]]:
        match = {
            "tenant_id": tenant_id,
            "site_id": {"$in": list(site_ids)},
            "mode": {"$in": list(_COUNTED_MODES)},
            "queue_at": {"$lte": NOT_WAITING},
        }
        pipeline: list[Document] = [
            {"$match": match},
            {"$group": {"_id": {"site": "$site_id", "mode": "$mode"}, "count": {"$sum": 1}}},
        ]
        counts: dict[int, dict[Mode, int]] = {site_id: {} for site_id in site_ids}
        async for row in await self._mongo[_COLLECTION].aggregate(pipeline, hint="queue"):
            counts[row["_id"]["site"]][row["_id"]["mode"]] = row["count"]
        return counts

    async def count_by_operator(self, tenant_id: int, site_id: int) -> Mapping[int, int]:
        pipeline: list[Document] = [
            {"$match": {"tenant_id": tenant_id, "site_id": site_id, "mode": "operator", "open": True}},
            {"$group": {"_id": "$operator.id", "count": {"$sum": 1}}},
        ]
        cursor = await self._mongo[_COLLECTION].aggregate(pipeline, hint="held")
        return {row["_id"]: row["count"] async for row in cursor}

    async def list_archive(
        self, tenant_id: int, site_id: int, filter_: ArchiveFilter, after: Position | None, skip: int, limit: int
    ) -> ListPage[Conversation]:
        indexed = _archive_query(tenant_id, site_id, filter_)
        page = await fetch_page(
            self._mongo,
            _COLLECTION,
            indexed.query,
            indexed.sort_field,
            -1,
            to_conversation,
            after=after,
            limit=limit,
            skip=skip,
            hint=indexed.hint,
        )
        return replace(page, total=await self._mongo[_COLLECTION].count_documents(indexed.query))

    async def list_rated(
        self, tenant_id: int, site_id: int, after: Position | None, limit: int
    ) -> ListPage[Conversation]:
        query: Document = {"tenant_id": tenant_id, "site_id": site_id, "rated_at": {"$type": "date"}}
        return await fetch_page(
            self._mongo, _COLLECTION, query, "rated_at", -1, to_conversation, after=after, limit=limit
        )

    async def get_rating_stats(self, tenant_id: int, site_id: int, since: datetime | None) -> RatingStats:
        bounds: Document = {"$type": "date"}
        if since is not None:
            bounds["$gte"] = since
        pipeline: list[Document] = [
            {"$match": {"tenant_id": tenant_id, "site_id": site_id, "rated_at": bounds}},
            {"$group": {"_id": "$rating", "count": {"$sum": 1}}},
        ]
        cursor = await self._mongo[_COLLECTION].aggregate(pipeline, hint="rated")
        by_score = dict.fromkeys(range(1, 6), 0)
        by_score.update({row["_id"]: row["count"] async for row in cursor})
        count = sum(by_score.values())
        total = sum(score * times for score, times in by_score.items())
        return RatingStats(count, round(total / count, 2) if count else None, by_score)


def _queue_query(tenant_id: int, site_ids: Sequence[int], selection: QueueSelection, at: datetime) -> IndexedQuery:
    fields = selection.fields
    query: Document = {"tenant_id": tenant_id, "site_id": {"$in": list(site_ids)}, **_text_query(fields)}
    facets = _facets(fields)
    if fields.operator_id is not None:
        facets.append(operator_facet(fields.operator_id))
    waiting_before = None if fields.min_waiting is None else at - fields.min_waiting
    if facets:
        query["facets"] = {"$all": facets}
    if selection.snoozed:
        query["snoozed_until"] = {"$type": "date"}
        if waiting_before is not None:
            query["waiting_since"] = {"$lte": waiting_before}
        return IndexedQuery(query, "snoozed_until", hint="snoozed")
    query["mode"] = {"$in": list(selection.modes)}
    # Snoozed conversations are behind all others.
    until = waiting_before or NOT_WAITING
    if facets or fields.search is not None:
        query["open"] = True
    return IndexedQuery(query, "queue_at", until, "queue_facets" if facets else None)


def _archive_query(tenant_id: int, site_id: int, filter_: ArchiveFilter) -> IndexedQuery:
    fields = filter_.fields
    query: Document = {"tenant_id": tenant_id, "site_id": site_id, **_text_query(fields)}
    if filter_.modes:
        query["mode"] = {"$in": list(filter_.modes)}
    if filter_.operator_id is not None:
        query["handled_by"] = filter_.operator_id
    bounds = {"$gte": filter_.since, "$lt": filter_.until}
    bounds = {operator: moment for operator, moment in bounds.items() if moment is not None}
    if bounds:
        query["created_at"] = bounds
    facets = _facets(fields)
    if facets:
        query["facets"] = {"$all": facets}
    by_facets = facets and filter_.operator_id is None and not fields.search
    return IndexedQuery(query, "created_at", hint="archive_facets" if by_facets else None)


def _facets(fields: ConversationFilter) -> list[str]:
    """The terms of a filter, except for the operator. The index finds the first one, so the rarer ones come first."""
    facets = []
    if fields.label_id is not None:
        facets.append(label_facet(fields.label_id))
    if fields.rating is not None:
        facets.append(rating_facet(fields.rating))
    if fields.team_id is not None:
        facets.append(team_facet(fields.team_id))
    if fields.language is not None:
        facets.append(language_facet(fields.language))
    return facets


def _text_query(fields: ConversationFilter) -> Document:
    search = parse_query(fields.search) if fields.search else None
    if search:
        alternatives: list[Document] = [{"$and": [{"words": _matching(term)} for term in search.words]}]
        alternatives += [{"words": _matching(term)} for term in search.numbers]
        if fields.found_by_messages:
            alternatives.append({"_id": {"$in": list(fields.found_by_messages)}})
        return {"$or": alternatives} if len(alternatives) > 1 else alternatives[0]
    if fields.search and fields.search.strip():
        return {"_id": {"$in": []}}  # Punctuation alone is found nowhere.
    return {}


def _matching(term: SearchTerm) -> object:
    # An anchored prefix uses the index. It is escaped: a search is never read as a regular expression.
    return term.text if term.exact else {"$regex": "^" + _escape(term.text)}


def _escape(word: str) -> str:
    return "".join(letter if letter.isalnum() else f"\\{letter}" for letter in word)
