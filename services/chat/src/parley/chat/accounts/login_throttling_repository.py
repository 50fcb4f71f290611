"""Counts of wrong passwords in MongoDB: each replica sees all of them, and the database forgets the old."""

from __future__ import annotations

from datetime import datetime

from pymongo import ReturnDocument

from parley.chat.accounts.login_throttling import BLOCK, Failures, Patience
from parley.common.mongodb import Index, Mongo

COLLECTION = "login_failures"

INDEXES = [Index(COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0})]


class MongoFailures:
    """A FailureStore."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def find(self, key: str, now: datetime) -> Failures | None:
        row = await self._mongo[COLLECTION].find_one({"_id": key, "expires_at": {"$gt": now}})
        return None if row is None else Failures(row["count"], row["blocked_until"])

    async def add(self, key: str, now: datetime, patience: Patience) -> None:
        expires_at = now + BLOCK
        # The database deletes what has run out within a minute or so; until then it must not count.
        count = {"$cond": [{"$gt": ["$expires_at", now]}, {"$add": ["$count", 1]}, 1]}
        row = await self._mongo[COLLECTION].find_one_and_update(
            {"_id": key},
            [
                {"$set": {"count": count}},
                {"$set": {"expires_at": expires_at, "blocked_until": {"$ifNull": ["$blocked_until", now]}}},
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        assert row is not None, "an upsert gives its document back"
        pause = patience.pause(row["count"])
        if pause:
            await self._mongo[COLLECTION].update_one(
                {"_id": key}, {"$max": {"blocked_until": now + pause, "expires_at": now + pause}}
            )

    async def forget(self, key: str) -> None:
        await self._mongo[COLLECTION].delete_one({"_id": key})
