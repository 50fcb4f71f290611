"""Notes of what streams have shown, for as long as a push may wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from pymongo import UpdateOne

from parley.common.mongodb import Index, Mongo
from parley.common.runtime.clock import Clock

_NAME = "seen"
_KEEP = timedelta(hours=2)

INDEXES = (Index(_NAME, [("expires_at", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),)


class MongoSeen:
    """A SeenStore and a SeenNotesStore."""

    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._mongo = mongo
        self._clock = clock

    async def note(self, seen: Mapping[str, Iterable[int]]) -> None:
        expiry = {"$setOnInsert": {"expires_at": self._clock() + _KEEP}}
        await self._mongo[_NAME].bulk_write(
            [
                UpdateOne({"_id": f"{operator_id}:{event_id}"}, expiry, upsert=True)
                for event_id, operator_ids in seen.items()
                for operator_id in operator_ids
            ],
            ordered=False,
        )

    async def seen(self, operator_id: int, event_ids: Sequence[str]) -> set[str]:
        prefix = f"{operator_id}:"
        cursor = self._mongo[_NAME].find({"_id": {"$in": [prefix + event_id for event_id in event_ids]}}, {"_id": 1})
        return {row["_id"].removeprefix(prefix) async for row in cursor}
