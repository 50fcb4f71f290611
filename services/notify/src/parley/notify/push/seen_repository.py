"""Which streams have shown which events, in MongoDB, for as long as a push may be pending."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from pymongo import UpdateOne

from parley.common.mongodb import Index, Mongo
from parley.common.runtime.clock import Clock

_COLLECTION = "seen"
_RETENTION = timedelta(hours=2)

INDEXES = (Index(_COLLECTION, [("expires_at", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),)


class MongoSeenRepository:
    """The `SeenRepository` on MongoDB: one document per operator and event."""

    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._mongo = mongo
        self._clock = clock

    async def add(self, operators_by_event: Mapping[str, Iterable[int]]) -> None:
        expiry = {"$setOnInsert": {"expires_at": self._clock() + _RETENTION}}
        await self._mongo[_COLLECTION].bulk_write(
            [
                UpdateOne({"_id": f"{operator_id}:{event_id}"}, expiry, upsert=True)
                for event_id, operator_ids in operators_by_event.items()
                for operator_id in operator_ids
            ],
            ordered=False,
        )

    async def filter_seen(self, operator_id: int, event_ids: Sequence[str]) -> set[str]:
        prefix = f"{operator_id}:"
        ids = [prefix + event_id for event_id in event_ids]
        cursor = self._mongo[_COLLECTION].find({"_id": {"$in": ids}}, {"_id": 1})
        return {row["_id"].removeprefix(prefix) async for row in cursor}
