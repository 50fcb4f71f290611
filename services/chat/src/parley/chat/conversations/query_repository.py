"""The lists that operators look at, each answered from one index; positions are the sort key of the last row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from parley.chat.conversations.mappers import conversation_of, visitor_of
from parley.chat.conversations.model import Conversation, Visitor
from parley.chat.conversations.queries import ArchiveFilter, RatingStats
from parley.common.events.schemas import Mode
from parley.common.mongodb import Document, Index, Mongo

T = TypeVar("T")
_WITH_PEOPLE: tuple[Mode, ...] = ("pending", "operator")
"""Those that operators count: of what the AI holds there may be any number."""

INDEXES = [
    Index(
        "conversations",
        [("tenant_id", 1), ("site_id", 1), ("mode", 1), ("queue_at", 1), ("_id", 1)],
        {"name": "queue"},
    ),
    Index(
        "conversations",
        [("tenant_id", 1), ("site_id", 1), ("mode", 1), ("operator.id", 1)],
        {"name": "held", "partialFilterExpression": {"open": True}},
    ),
    Index("conversations", [("tenant_id", 1), ("site_id", 1), ("created_at", -1), ("_id", -1)], {"name": "archive"}),
    Index(
        "conversations",
        [("tenant_id", 1), ("site_id", 1), ("handled_by", 1), ("created_at", -1), ("_id", -1)],
        {"name": "handled"},
    ),
    Index("conversations", [("tenant_id", 1), ("site_id", 1), ("words", 1)], {"name": "words"}),
    Index(
        "conversations",
        [("tenant_id", 1), ("site_id", 1), ("rated_at", -1), ("_id", -1), ("rating", 1)],
        {"name": "rated", "partialFilterExpression": {"rated_at": {"$type": "date"}}},
    ),
]


class MongoLists:
    """The domain's ListStore."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def queue(
        self, tenant_id: int, site_ids: Sequence[int], modes: Sequence[Mode], after: Sequence[Any] | None, limit: int
    ) -> tuple[Sequence[Conversation], Sequence[Any] | None]:
        query: Document = {
            "tenant_id": tenant_id,
            "site_id": {"$in": list(site_ids)},
            "mode": {"$in": list(modes)},
            **_past("queue_at", "_id", after, "$gt"),
        }
        return await self._page(
            "conversations", query, [("queue_at", 1), ("_id", 1)], 0, limit, conversation_of, "queue_at"
        )

    async def counts(self, tenant_id: int, site_ids: Sequence[int]) -> Mapping[int, Mapping[Mode, int]]:
        pipeline: list[Document] = [
            {
                "$match": {
                    "tenant_id": tenant_id,
                    "site_id": {"$in": list(site_ids)},
                    "mode": {"$in": list(_WITH_PEOPLE)},
                }
            },
            {"$group": {"_id": {"site": "$site_id", "mode": "$mode"}, "count": {"$sum": 1}}},
        ]
        found: dict[int, dict[Mode, int]] = {site_id: {} for site_id in site_ids}
        async for row in await self._mongo["conversations"].aggregate(pipeline, hint="queue"):
            found[row["_id"]["site"]][row["_id"]["mode"]] = row["count"]
        return found

    async def held_counts(self, tenant_id: int, site_id: int) -> Mapping[int, int]:
        pipeline: list[Document] = [
            {"$match": {"tenant_id": tenant_id, "site_id": site_id, "mode": "operator", "open": True}},
            {"$group": {"_id": "$operator.id", "count": {"$sum": 1}}},
        ]
        cursor = await self._mongo["conversations"].aggregate(pipeline, hint="held")
        return {row["_id"]: row["count"] async for row in cursor}

    async def archive(
        self, tenant_id: int, site_id: int, wanted: ArchiveFilter, after: Sequence[Any] | None, skip: int, limit: int
    ) -> tuple[Sequence[Conversation], Sequence[Any] | None]:
        query = _archive_query(tenant_id, site_id, wanted)
        past = _past("created_at", "_id", after, "$lt")
        if past:
            query = {"$and": [query, past]}
        return await self._page(
            "conversations", query, [("created_at", -1), ("_id", -1)], skip, limit, conversation_of, "created_at"
        )

    async def archive_count(self, tenant_id: int, site_id: int, wanted: ArchiveFilter) -> int:
        return await self._mongo["conversations"].count_documents(_archive_query(tenant_id, site_id, wanted))

    async def blocked(
        self, tenant_id: int, site_id: int, after: Sequence[Any] | None, limit: int
    ) -> tuple[Sequence[Visitor], Sequence[Any] | None]:
        return await self._visitors(tenant_id, site_id, "blocked_at", after, 0, limit)

    async def leads(
        self, tenant_id: int, site_id: int, after: Sequence[Any] | None, skip: int, limit: int
    ) -> tuple[Sequence[Visitor], Sequence[Any] | None]:
        return await self._visitors(tenant_id, site_id, "lead_at", after, skip, limit)

    async def lead_count(self, tenant_id: int, site_id: int) -> int:
        query = {"tenant_id": tenant_id, "site_id": site_id, "lead_at": {"$type": "date"}}
        return await self._mongo["visitors"].count_documents(query)

    async def rated(
        self, tenant_id: int, site_id: int, after: Sequence[Any] | None, limit: int
    ) -> tuple[Sequence[Conversation], Sequence[Any] | None]:
        query: Document = {
            "tenant_id": tenant_id,
            "site_id": site_id,
            "rated_at": {"$type": "date"},
            **_past("rated_at", "_id", after, "$lt"),
        }
        return await self._page(
            "conversations", query, [("rated_at", -1), ("_id", -1)], 0, limit, conversation_of, "rated_at"
        )

    async def rating_stats(self, tenant_id: int, site_id: int, since: datetime | None) -> RatingStats:
        bounds: Document = {"$type": "date"}
        if since is not None:
            bounds["$gte"] = since
        pipeline: list[Document] = [
            {"$match": {"tenant_id": tenant_id, "site_id": site_id, "rated_at": bounds}},
            {"$group": {"_id": "$rating", "count": {"$sum": 1}}},
        ]
        cursor = await self._mongo["conversations"].aggregate(pipeline, hint="rated")
        by_score = dict.fromkeys(range(1, 6), 0)
        by_score.update({row["_id"]: row["count"] async for row in cursor})
        count = sum(by_score.values())
        total = sum(score * times for score, times in by_score.items())
        return RatingStats(count, round(total / count, 2) if count else None, by_score)

    async def _visitors(
        self, tenant_id: int, site_id: int, field: str, after: Sequence[Any] | None, skip: int, limit: int
    ) -> tuple[Sequence[Visitor], Sequence[Any] | None]:
        query: Document = {"tenant_id": tenant_id, "site_id": site_id, field: {"$type": "date"}}
        past = _past(field, "_id", after, "$lt", text=True)
        if past:
            query = {"$and": [query, past]}
        return await self._page("visitors", query, [(field, -1), ("_id", -1)], skip, limit, visitor_of, field)

    async def _page(
        self,
        collection: str,
        query: Document,
        sort: list[tuple[str, int]],
        skip: int,
        limit: int,
        read: Callable[[Document], T],
        field: str,
    ) -> tuple[Sequence[T], Sequence[Any] | None]:
        """One row more than asked for tells whether there is a next page."""
        cursor = self._mongo[collection].find(query, {"outbox": 0}).sort(sort).skip(skip).limit(limit + 1)
        rows = [row async for row in cursor]
        more = len(rows) > limit
        rows = rows[:limit]
        position = [_millis(rows[-1][field]), rows[-1]["_id"]] if more else None
        return [read(row) for row in rows], position


def _archive_query(tenant_id: int, site_id: int, wanted: ArchiveFilter) -> Document:
    query: Document = {"tenant_id": tenant_id, "site_id": site_id}
    if wanted.modes:
        query["mode"] = {"$in": list(wanted.modes)}
    if wanted.operator_id is not None:
        query["handled_by"] = wanted.operator_id
    period = {"$gte": wanted.since, "$lt": wanted.until}
    period = {bound: moment for bound, moment in period.items() if moment is not None}
    if period:
        query["created_at"] = period
    words = wanted.search.casefold().split() if wanted.search else []
    if words:
        # An anchored, escaped prefix walks the index; the words are never read as an expression.
        query["$and"] = [{"words": {"$regex": "^" + _escaped(word)}} for word in words[:5]]
    return query


def _escaped(word: str) -> str:
    return "".join(letter if letter.isalnum() else f"\\{letter}" for letter in word)


def _past(field: str, tie: str, after: Sequence[Any] | None, direction: str, *, text: bool = False) -> Document:
    """Rows behind a position in the order of (field, tie)."""
    if after is None:
        return {}
    moment = (
        datetime.fromtimestamp(after[0] / 1000, UTC) if after[0] < 253370764800000 else datetime(9999, 1, 1, tzinfo=UTC)
    )
    last = str(after[1]) if text else after[1]
    return {"$or": [{field: {direction: moment}}, {field: moment, tie: {direction: last}}]}


def _millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
