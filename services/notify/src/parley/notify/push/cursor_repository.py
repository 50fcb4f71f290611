"""The planner's cursor in MongoDB: one document, under a lease."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.common.mongodb import Mongo
from parley.common.runtime.clock import Clock
from parley.notify.push.model import INITIAL_POSITION, PlannerCursor
from parley.notify.timeouts import CURSOR_LEASE_SECONDS

_COLLECTION = "cursors"
_ID = "push"
_LEASE: Final = timedelta(seconds=CURSOR_LEASE_SECONDS)


class MongoCursorRepository:
    """The `CursorRepository` on MongoDB."""

    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._mongo = mongo
        self._clock = clock

    async def acquire(self, holder: str, initial_position: int) -> PlannerCursor:
        now = self._clock()
        try:
            row = await self._mongo[_COLLECTION].find_one_and_update(
                {"_id": _ID, "$or": [{"holder": holder}, {"until": {"$lt": now}}]},
                {"$set": {"holder": holder, "until": now + _LEASE}, "$setOnInsert": {"position": initial_position}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:
            # Another replica holds the cursor, so the filter matched nothing and the upsert's insert was refused.
            row = await self._mongo[_COLLECTION].find_one({"_id": _ID})
            return PlannerCursor(row["position"] if row is not None else initial_position, is_holder=False)
        assert row is not None, "an upsert returns its document"
        return PlannerCursor(row["position"], is_holder=True)

    async def advance(self, holder: str, position: int) -> None:
        await self._mongo[_COLLECTION].update_one(
            {"_id": _ID, "holder": holder, "position": {"$lt": position}}, {"$set": {"position": position}}
        )

    async def release(self, holder: str) -> None:
        await self._mongo[_COLLECTION].update_one({"_id": _ID, "holder": holder}, {"$set": {"until": self._clock()}})

    async def get_position(self) -> int | None:
        row = await self._mongo[_COLLECTION].find_one({"_id": _ID})
        return row["position"] if row is not None else None

    async def reset(self) -> None:
        await self._mongo[_COLLECTION].update_one({"_id": _ID}, {"$set": {"position": INITIAL_POSITION}})
