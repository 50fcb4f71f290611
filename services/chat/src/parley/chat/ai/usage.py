"""What each site's AI has cost today, in one counter a site and day."""

from __future__ import annotations

from datetime import timedelta

from parley.common.mongodb import Index, Mongo
from parley.common.runtime.clock import Clock

INDEXES = [Index("spending", [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0})]
_KEEP = timedelta(days=40)


class MongoSpending:
    """The domain's Spending. An answer under way when the cap is reached is finished: the cap is passed by one."""

    def __init__(self, mongo: Mongo, clock: Clock, daily_tokens: int) -> None:
        self._mongo = mongo
        self._clock = clock
        self._daily = daily_tokens

    async def left(self, site_id: int, cap: int | None) -> bool:
        # A site may spend less than the installation allows, never more.
        daily = min((limit for limit in (self._daily, cap) if limit), default=0)
        if not daily:
            return True
        found = await self._mongo["spending"].find_one({"_id": self._key(site_id)}, {"tokens": 1})
        return found is None or found["tokens"] < daily

    async def spend(self, site_id: int, tokens: int) -> None:
        if tokens:
            await self._mongo["spending"].update_one(
                {"_id": self._key(site_id)},
                {"$inc": {"tokens": tokens}, "$setOnInsert": {"expires_at": self._clock() + _KEEP}},
                upsert=True,
            )

    def _key(self, site_id: int) -> str:
        return f"{site_id}:{self._clock():%Y-%m-%d}"
