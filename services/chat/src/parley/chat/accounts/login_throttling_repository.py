"""Counts of failed logins in MongoDB, shared by all replicas; old counts expire in the database."""

from __future__ import annotations

from datetime import datetime

from pymongo import ReturnDocument

from parley.chat.accounts.login_throttling import BLOCK_DURATION, FailureCount, ThrottlePolicy
from parley.common.mongodb import Index, Mongo

COLLECTION = "login_failures"

INDEXES = [Index(COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0})]


class MongoLoginFailureRepository:
    """Implements LoginFailureRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def find(self, key: str, now: datetime) -> FailureCount | None:
        row = await self._mongo[COLLECTION].find_one({"_id": key, "expires_at": {"$gt": now}})
        return None if row is None else FailureCount(row["count"], row["blocked_until"])

    async def increment(self, key: str, now: datetime, policy: ThrottlePolicy) -> None:
        expires_at = now + BLOCK_DURATION
        # The database deletes expired documents only once a minute; until then they must not count.
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
        assert row is not None, "an upsert returns its document"
        delay = policy.delay(row["count"])
        if delay:
            await self._mongo[COLLECTION].update_one(
                {"_id": key}, {"$max": {"blocked_until": now + delay, "expires_at": now + delay}}
            )

    async def reset(self, key: str) -> None:
        await self._mongo[COLLECTION].delete_one({"_id": key})
