"""Operators' reservations, waiting conversations and waits, in MongoDB."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from parley.chat.assignment.ports import OperatorSlots, Reservation
from parley.chat.assignment.timeouts import WAIT_WINDOW_SECONDS
from parley.chat.conversations.mappers import NOT_WAITING, to_conversation
from parley.chat.conversations.model import Conversation
from parley.common.mongodb import Document, Index, Mongo

SLOTS = "assignment_slots"
WAITS = "queue_waits"
_CONVERSATIONS = "conversations"

INDEXES = [
    # Small: only conversations in the queue.
    Index(
        _CONVERSATIONS,
        [("site_id", 1), ("queue_at", 1)],
        {"name": "waiting", "partialFilterExpression": {"mode": "pending"}},
    ),
    Index(WAITS, [("site_id", 1), ("at", -1)], {"name": "of_site"}),
    Index(WAITS, [("at", 1)], {"name": "expiry", "expireAfterSeconds": WAIT_WINDOW_SECONDS}),
]


class MongoSlotsRepository:
    """A SlotsRepository: one document per operator."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def get(self, operator_id: int) -> OperatorSlots:
        row = await self._mongo[SLOTS].find_one({"_id": operator_id})
        if row is None:
            return OperatorSlots()
        reservations = (
            Reservation(one["token"], operator_id, one["conversation_id"], one["until"]) for one in row["reserved"]
        )
        return OperatorSlots(row["generation"], tuple(reservations), row.get("last_assigned_at"))

    async def get_last_assignments(self, operator_ids: Collection[int]) -> Mapping[int, datetime]:
        query = {"_id": {"$in": sorted(operator_ids)}, "last_assigned_at": {"$exists": True}}
        rows = self._mongo[SLOTS].find(query, {"last_assigned_at": 1})
        return {row["_id"]: row["last_assigned_at"] async for row in rows}

    async def add(
        self, tenant_id: int, operator_id: int, before: OperatorSlots, added: Reservation, expired: Collection[str]
    ) -> bool:
        if before.generation == 0:
            document = {"tenant_id": tenant_id, "generation": 1, "reserved": [_reservation(added)]}
            try:
                await self._mongo[SLOTS].insert_one({"_id": operator_id, **document})
            except DuplicateKeyError:
                return False
            return True
        # Computed by the server from what is stored: a reservation that was removed meanwhile must not come back.
        kept = {"$filter": {"input": "$reserved", "cond": {"$not": {"$in": ["$$this.token", sorted(expired)]}}}}
        reserved = {"$concatArrays": [kept, [_reservation(added)]]}
        result = await self._mongo[SLOTS].update_one(
            {"_id": operator_id, "generation": before.generation},
            [{"$set": {"generation": before.generation + 1, "reserved": reserved}}],
        )
        return result.matched_count == 1

    async def remove(self, reservation: Reservation, assigned_at: datetime | None) -> None:
        update: Document = {"$pull": {"reserved": {"token": reservation.token}}}
        if assigned_at is not None:
            update["$max"] = {"last_assigned_at": assigned_at}
        await self._mongo[SLOTS].update_one({"_id": reservation.operator_id}, update)


def _reservation(reservation: Reservation) -> Document:
    return {
        "token": reservation.token,
        "conversation_id": reservation.conversation_id,
        "until": reservation.until,
    }


class MongoWaitingConversations:
    """A WaitingConversations."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def list_waiting(
        self, tenant_id: int, site_id: int, limit: int, after: Conversation | None = None
    ) -> Sequence[Conversation]:
        # Snoozed conversations, behind all others, wait for their time.
        until = {"$lte": NOT_WAITING}
        query: Document = {"tenant_id": tenant_id, "site_id": site_id, "mode": "pending", "queue_at": until}
        if after is not None:
            since = after.waiting_since or NOT_WAITING
            query["$or"] = [{"queue_at": {"$gt": since}}, {"queue_at": since, "_id": {"$gt": after.id}}]
        rows = self._mongo[_CONVERSATIONS].find(query, limit=limit).sort([("queue_at", 1), ("_id", 1)])
        return [to_conversation(row) async for row in rows]

    async def list_waiting_sites(self) -> Sequence[tuple[int, int]]:
        pipeline: list[Document] = [
            {"$match": {"mode": "pending", "queue_at": {"$lte": NOT_WAITING}}},
            {"$sort": {"site_id": 1, "queue_at": 1}},
            {"$group": {"_id": "$site_id", "tenant_id": {"$first": "$tenant_id"}}},
        ]
        cursor = await self._mongo[_CONVERSATIONS].aggregate(pipeline, hint="waiting")
        return [(row["tenant_id"], row["_id"]) async for row in cursor]

    async def count_waiting_before(self, conversation: Conversation, limit: int) -> int:
        since = conversation.waiting_since
        query = {
            "tenant_id": conversation.tenant_id,
            "site_id": conversation.site_id,
            "mode": "pending",
            "team_id": conversation.team_id,
            "$or": [{"queue_at": {"$lt": since}}, {"queue_at": since, "_id": {"$lt": conversation.id}}],
        }
        return await self._mongo[_CONVERSATIONS].count_documents(query, limit=limit)

    async def count_open(self, tenant_id: int, operator_ids: Collection[int]) -> Mapping[int, int]:
        pipeline: list[Document] = [
            {"$match": {"tenant_id": tenant_id, "operator.id": {"$in": sorted(operator_ids)}, "open": True}},
            {"$group": {"_id": "$operator.id", "count": {"$sum": 1}}},
        ]
        cursor = await self._mongo[_CONVERSATIONS].aggregate(pipeline, hint="assigned")
        return {row["_id"]: row["count"] async for row in cursor}

    async def list_open_ids(self, tenant_id: int, operator_id: int) -> Collection[int]:
        query = {"tenant_id": tenant_id, "operator.id": operator_id, "open": True}
        return {row["_id"] async for row in self._mongo[_CONVERSATIONS].find(query, {"_id": 1})}


class MongoWaitRepository:
    """A WaitRepository. Nothing in it is about a person."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def add(self, event_id: str, site_id: int, at: datetime, seconds: float) -> None:
        await self._mongo[WAITS].update_one(
            {"_id": event_id}, {"$setOnInsert": {"site_id": site_id, "at": at, "seconds": seconds}}, upsert=True
        )

    async def list_latest(self, site_id: int, since: datetime, limit: int) -> Sequence[float]:
        rows = self._mongo[WAITS].find({"site_id": site_id, "at": {"$gte": since}}, {"seconds": 1}, limit=limit)
        return [row["seconds"] async for row in rows.sort("at", -1)]
