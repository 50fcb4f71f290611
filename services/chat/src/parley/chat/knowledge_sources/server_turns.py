"""Turns of requests to websites, over all replicas: a lease per server in MongoDB, by the database's clock."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.chat.timeouts import PAGE_TIMEOUT_SECONDS, SERVER_PAUSE_KEPT_SECONDS, SERVER_TURN_CHECK_SECONDS
from parley.common.mongodb import Document, Index, Mongo

COLLECTION = "crawled_servers"

INDEXES = [Index(COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0})]

_LEASE_MS = int(1000 * (PAGE_TIMEOUT_SECONDS + 5))
"""Longer than a request takes: only a replica that was killed leaves a turn to lapse."""
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_KEPT_MS = int(1000 * SERVER_PAUSE_KEPT_SECONDS)


class MongoServerTurns:
    """Implements ServerTurns."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    @asynccontextmanager
    async def acquire(self, server: str, pause: timedelta) -> AsyncIterator[None]:
        holder = secrets.token_hex(8)
        while True:
            wait_seconds = await self._try_take(server, pause, holder)
            if not wait_seconds:
                break
            await asyncio.sleep(wait_seconds)
        try:
            yield
        finally:
            await self._release(server, holder)

    async def _try_take(self, server: str, pause: timedelta, holder: str) -> float:
        """Return 0 if the turn is taken, else after how many seconds to try again."""
        ready_at = {"$add": ["$ended_at", int(1000 * pause.total_seconds())]}
        taken = {
            "holder": holder,
            "lease_until": {"$add": ["$$NOW", _LEASE_MS]},
            "expires_at": {"$add": ["$$NOW", _KEPT_MS]},
        }
        if_free: Document = {"$cond": [{"$lte": ["$free_at", "$$NOW"]}, taken, {}]}
        try:
            row = await self._mongo[COLLECTION].find_one_and_update(
                {"_id": server},
                [
                    {"$set": {"free_at": {"$max": [_LONG_AGO, "$lease_until", ready_at]}, "seen_at": "$$NOW"}},
                    {"$replaceWith": {"$mergeObjects": ["$$ROOT", if_free]}},
                ],
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:
            # Another replica was the first at this moment.
            return SERVER_TURN_CHECK_SECONDS
        assert row is not None, "an upsert returns a document"
        if row["holder"] == holder:
            return 0
        if row["holder"] is not None:
            return SERVER_TURN_CHECK_SECONDS
        return max(0.001, float((row["free_at"] - row["seen_at"]).total_seconds()))

    async def _release(self, server: str, holder: str) -> None:
        ended = {"ended_at": "$$NOW", "holder": None, "lease_until": None}
        await self._mongo[COLLECTION].update_one({"_id": server, "holder": holder}, [{"$set": ended}])
