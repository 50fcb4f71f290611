"""The push intake's cursor: one document, under a lease."""

from __future__ import annotations

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.common.mongodb import Mongo
from parley.common.runtime.clock import Clock
from parley.notify.push.planner import BEFORE_ALL, LEASE, Cursor

_NAME = "cursors"
_ID = "push"


class MongoCursor:
    """A CursorStore."""

    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._mongo = mongo
        self._clock = clock

    async def hold(self, holder: str, start: int) -> Cursor:
        now = self._clock()
        try:
            row = await self._mongo[_NAME].find_one_and_update(
                {"_id": _ID, "$or": [{"holder": holder}, {"until": {"$lt": now}}]},
                {"$set": {"holder": holder, "until": now + LEASE}, "$setOnInsert": {"position": start}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:
            # The filter did not fit, since somebody else holds it: an insert was tried and refused.
            row = await self._mongo[_NAME].find_one({"_id": _ID})
            return Cursor(row["position"] if row is not None else start, mine=False)
        assert row is not None, "an upsert gives its document back"
        return Cursor(row["position"], mine=True)

    async def advance(self, holder: str, position: int) -> None:
        await self._mongo[_NAME].update_one(
            {"_id": _ID, "holder": holder, "position": {"$lt": position}}, {"$set": {"position": position}}
        )

    async def release(self, holder: str) -> None:
        await self._mongo[_NAME].update_one({"_id": _ID, "holder": holder}, {"$set": {"until": self._clock()}})

    async def position(self) -> int | None:
        row = await self._mongo[_NAME].find_one({"_id": _ID})
        return row["position"] if row is not None else None

    async def rewind(self) -> None:
        await self._mongo[_NAME].update_one({"_id": _ID}, {"$set": {"position": BEFORE_ALL}})
