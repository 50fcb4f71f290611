"""The planner's cursors in MongoDB, one a partition under a lease, and the replicas that share them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from pymongo import ReturnDocument, UpdateOne

from parley.common.mongodb import Document, Index, Mongo
from parley.common.runtime.clock import Clock
from parley.notify.push.model import INITIAL_POSITION, Cursor, CursorTable
from parley.notify.streaming.positions import RecordFingerprint
from parley.notify.timeouts import CURSOR_LEASE_SECONDS

COLLECTION: Final = "cursors"
_REPLICAS = "push_replicas"
_LEASE: Final = timedelta(seconds=CURSOR_LEASE_SECONDS)
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SINGLE_LOG_OVERLAP: Final = timedelta(minutes=1)
"""After an update from the single log, what the last planner of the previous version may not have come to."""

SINGLE_LOG_CURSOR: Final = "push"
"""The id of the cursor of the version before the partitions."""
INDEXES = (
    Index(COLLECTION, [("partitions", 1)], {"name": "partitions"}),
    Index(_REPLICAS, [("until", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),
)


class MongoCursorRepository:
    """The `CursorRepository` on MongoDB. Cursors belong to a number of partitions; another number starts again."""

    def __init__(self, mongo: Mongo, clock: Clock, partitions: int) -> None:
        self._mongo = mongo
        self._clock = clock
        self._partitions = partitions

    async def create_missing(self) -> None:
        updated = await self._mongo[COLLECTION].find_one({"_id": SINGLE_LOG_CURSOR}) is not None
        since = self._clock() - (_SINGLE_LOG_OVERLAP if updated else timedelta(0))
        new = {"partitions": self._partitions, "position": INITIAL_POSITION, "since": since, "until": _LONG_AGO}
        await self._mongo[COLLECTION].bulk_write(
            [
                UpdateOne({"_id": self._id(number)}, {"$setOnInsert": {"number": number, **new}}, upsert=True)
                for number in range(self._partitions)
            ],
            ordered=False,
        )

    async def read_table(self, holder: str, streams: Sequence[int]) -> CursorTable:
        now = self._clock()
        row = {"streams": list(streams), "partitions": self._partitions, "until": now + _LEASE}
        await self._mongo[_REPLICAS].update_one({"_id": holder}, {"$set": row}, upsert=True)
        await self._mongo[COLLECTION].update_many(
            {"partitions": self._partitions, "holder": holder, "until": {"$gte": now}},
            {"$set": {"until": now + _LEASE}},
        )
        live = self._mongo[_REPLICAS].find({"partitions": self._partitions, "until": {"$gte": now}})
        cursors = self._mongo[COLLECTION].find({"partitions": self._partitions})
        return CursorTable(
            replicas={row["_id"]: frozenset(row["streams"]) async for row in live},
            cursors={row["number"]: _to_cursor(row, now) async for row in cursors},
        )

    async def acquire(self, partition: int, holder: str) -> Cursor | None:
        now = self._clock()
        row = await self._mongo[COLLECTION].find_one_and_update(
            {"_id": self._id(partition), "$or": [{"holder": holder}, {"until": {"$lt": now}}]},
            {"$set": {"holder": holder, "until": now + _LEASE}},
            return_document=ReturnDocument.AFTER,
        )
        return _to_cursor(row, now) if row is not None else None

    async def advance(self, partition: int, holder: str, position: int, fingerprint: RecordFingerprint | None) -> None:
        await self._mongo[COLLECTION].update_one(
            {"_id": self._id(partition), "holder": holder, "position": {"$lt": position}},
            {"$set": {"position": position, **({"mark": list(fingerprint)} if fingerprint is not None else {})}},
        )

    async def release(self, partition: int, holder: str) -> None:
        await self._mongo[COLLECTION].update_one(
            {"_id": self._id(partition), "holder": holder}, {"$set": {"until": _LONG_AGO}}
        )

    async def leave(self, holder: str) -> None:
        await self._mongo[_REPLICAS].delete_one({"_id": holder})
        await self._mongo[COLLECTION].update_many({"holder": holder}, {"$set": {"until": _LONG_AGO}})

    async def get(self, partition: int) -> Cursor | None:
        row = await self._mongo[COLLECTION].find_one({"_id": self._id(partition)})
        return _to_cursor(row, self._clock()) if row is not None else None

    async def reset(self, partition: int) -> None:
        await self._mongo[COLLECTION].update_one(
            {"_id": self._id(partition)}, {"$set": {"position": INITIAL_POSITION, "mark": None}}
        )

    def _id(self, partition: int) -> str:
        return f"push:{self._partitions}:{partition}"


def _to_cursor(row: Document, now: datetime) -> Cursor:
    mark = row.get("mark")
    return Cursor(
        position=row["position"],
        fingerprint=RecordFingerprint(*mark) if mark else None,
        since=row["since"],
        holder=row.get("holder") if row["until"] >= now else None,
    )
