"""Counts of failed logins in MongoDB, shared by all replicas; old counts expire in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymongo import ReturnDocument

from parley.chat.accounts.login_throttling import BLOCK_DURATION, FailureCount, ThrottlePolicy
from parley.common.mongodb import Index, Mongo

COLLECTION = "login_failures"

KNOWN_ORIGINS = "login_origins"

INDEXES = [
    Index(COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0}),
    Index(KNOWN_ORIGINS, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0}),
    Index(KNOWN_ORIGINS, [("account", 1)], {"name": "account"}),
]


class MongoLoginFailureRepository:
    """Implements LoginFailureRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def find(self, key: str, now: datetime) -> FailureCount | None:
        row = await self._mongo[COLLECTION].find_one({"_id": key, "expires_at": {"$gt": now}})
        return None if row is None else FailureCount(row["count"], row["blocked_until"])

    async def increment(self, key: str, now: datetime, policy: ThrottlePolicy) -> int:
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
        return int(row["count"])

    async def reset(self, key: str) -> None:
        await self._mongo[COLLECTION].delete_one({"_id": key})

    async def count_unseen(self, key: str, until: datetime) -> None:
        await self._mongo[COLLECTION].update_one(
            {"_id": key}, {"$inc": {"count": 1}, "$set": {"expires_at": until}}, upsert=True
        )

    async def take_unseen(self, key: str) -> int:
        row = await self._mongo[COLLECTION].find_one_and_delete({"_id": key})
        return 0 if row is None else int(row["count"])


class MongoKnownOriginRepository:
    """Implements KnownOriginRepository. Keys are hashes: neither a client IP nor a token is stored."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def find_known(self, keys: Sequence[str], now: datetime) -> frozenset[str]:
        rows = self._mongo[KNOWN_ORIGINS].find({"_id": {"$in": list(keys)}, "expires_at": {"$gt": now}}, {"_id": 1})
        return frozenset([row["_id"] async for row in rows])

    async def add(self, account: str, keys: Sequence[str], until: datetime) -> None:
        for key in keys:
            await self._mongo[KNOWN_ORIGINS].update_one(
                {"_id": key}, {"$set": {"account": account, "expires_at": until}}, upsert=True
            )

    async def delete_all(self, account: str) -> None:
        await self._mongo[KNOWN_ORIGINS].delete_many({"account": account})
