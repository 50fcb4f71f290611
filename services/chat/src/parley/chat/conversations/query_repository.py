"""The lists that operators look at, in MongoDB, each served by one index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from parley.chat.conversations.mappers import to_conversation
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.queries import ArchiveFilter, RatingStats
from parley.chat.conversations.search import SearchTerm, parse_query
from parley.chat.paging.model import ListPage, Position
from parley.chat.paging.mongo import fetch_page
from parley.common.events.schemas import Mode
from parley.common.mongodb import Document, Index, Mongo

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
    Index(
        _COLLECTION,
        [("tenant_id", 1), ("site_id", 1), ("rated_at", -1), ("_id", -1), ("rating", 1)],
        {"name": "rated", "partialFilterExpression": {"rated_at": {"$type": "date"}}},
    ),
]


class MongoConversationQueryRepository:
    """A ConversationQueryRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def list_queue(
        self, tenant_id: int, site_ids: Sequence[int], modes: Sequence[Mode], after: Position | None, limit: int
    ) -> ListPage[Conversation]:
        query: Document = {
            "tenant_id": tenant_id,
            "site_id": {"$in": list(site_ids)},
            "mode": {"$in": list(modes)},
        }
        return await self._fetch_page(query, "queue_at", 1, after, limit)

    async def count_by_mode(self, tenant_id: int, site_ids: Sequence[int]) -> Mapping[int, Mapping[Mode, int]]:
        match = {
            "tenant_id": tenant_id,
            "site_id": {"$in": list(site_ids)},
            "mode": {"$in": list(_COUNTED_MODES)},
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
        query = _archive_query(tenant_id, site_id, filter_)
        page = await self._fetch_page(query, "created_at", -1, after, limit, skip)
        return replace(page, total=await self._mongo[_COLLECTION].count_documents(query))

    async def list_rated(
        self, tenant_id: int, site_id: int, after: Position | None, limit: int
    ) -> ListPage[Conversation]:
        query: Document = {"tenant_id": tenant_id, "site_id": site_id, "rated_at": {"$type": "date"}}
        return await self._fetch_page(query, "rated_at", -1, after, limit)

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

    async def _fetch_page(
        self, query: Document, sort_field: str, direction: int, after: Position | None, limit: int, skip: int = 0
    ) -> ListPage[Conversation]:
        return await fetch_page(
            self._mongo, _COLLECTION, query, sort_field, direction, to_conversation, after=after, limit=limit, skip=skip
        )


def _archive_query(tenant_id: int, site_id: int, filter_: ArchiveFilter) -> Document:
    query: Document = {"tenant_id": tenant_id, "site_id": site_id}
    if filter_.modes:
        query["mode"] = {"$in": list(filter_.modes)}
    if filter_.operator_id is not None:
        query["handled_by"] = filter_.operator_id
    bounds = {"$gte": filter_.since, "$lt": filter_.until}
    bounds = {operator: moment for operator, moment in bounds.items() if moment is not None}
    if bounds:
        query["created_at"] = bounds
    search = parse_query(filter_.search) if filter_.search else None
    if search:
        words = [{"words": _matching(term)} for term in search.words]
        numbers = [{"words": _matching(term)} for term in search.numbers]
        query["$and"] = [{"$or": [{"$and": words}, *numbers]}] if numbers else words
    elif filter_.search and filter_.search.strip():
        query["_id"] = {"$in": []}  # Punctuation alone is found nowhere.
    return query


def _matching(term: SearchTerm) -> object:
    # An anchored prefix uses the index. It is escaped: a search is never read as a regular expression.
    return term.text if term.exact else {"$regex": "^" + _escape(term.text)}


def _escape(word: str) -> str:
    return "".join(letter if letter.isalnum() else f"\\{letter}" for letter in word)
