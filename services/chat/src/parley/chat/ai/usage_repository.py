"""Tokens that each site's AI has used today, in MongoDB: one counter per site and day (UTC)."""

from __future__ import annotations

from datetime import timedelta

from parley.common.mongodb import Index, Mongo
from parley.common.runtime.clock import Clock

_COLLECTION = "spending"
_RETENTION = timedelta(days=40)

INDEXES = [Index(_COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0})]


class MongoTokenBudget:
    """A TokenBudget. A reply that is running when the limit is reached is finished, so the limit is passed by it."""

    def __init__(self, mongo: Mongo, clock: Clock, daily_tokens: int) -> None:
        """`daily_tokens` is the installation's limit per site; 0 for no limit."""
        self._mongo = mongo
        self._clock = clock
        self._daily_tokens = daily_tokens

    async def has_budget(self, site_id: int, daily_limit: int | None) -> bool:
        limit = min((limit for limit in (self._daily_tokens, daily_limit) if limit), default=0)
        if not limit:
            return True
        counter = await self._mongo[_COLLECTION].find_one({"_id": self._key(site_id)}, {"tokens": 1})
        return counter is None or counter["tokens"] < limit

    async def charge(self, site_id: int, tokens: int) -> None:
        if tokens:
            await self._mongo[_COLLECTION].update_one(
                {"_id": self._key(site_id)},
                {"$inc": {"tokens": tokens}, "$setOnInsert": {"expires_at": self._clock() + _RETENTION}},
                upsert=True,
            )

    def _key(self, site_id: int) -> str:
        return f"{site_id}:{self._clock():%Y-%m-%d}"
