"""What each site has spent today, in characters: one counter a site and day."""

from __future__ import annotations

from datetime import timedelta

from pymongo.errors import DuplicateKeyError

from parley.common.mongodb import Index, Mongo
from parley.common.runtime.clock import Clock, utc_now

_KEEP = timedelta(days=40)


class MongoBudget:
    """Budget: taken in one atomic step, so that no two replicas spend the same characters. Days are UTC."""

    indexes = (Index("spending", [("expires_at", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),)

    def __init__(self, mongo: Mongo, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._clock = clock

    async def spend(self, site_id: int, characters: int, limit: int) -> bool:
        if limit and characters > limit:
            return False
        now = self._clock()
        within = {"used": {"$lte": limit - characters}} if limit else {}
        try:
            await self._mongo["spending"].update_one(
                {"_id": self._day(site_id), **within},
                {"$inc": {"used": characters}, "$setOnInsert": {"site_id": site_id, "expires_at": now + _KEEP}},
                upsert=True,
            )
        except DuplicateKeyError:
            # The counter is there and over: the filter did not match it. Or two made it at once; then try again.
            if not limit:
                return await self.spend(site_id, characters, limit)
            return await self._again(site_id, characters, limit)
        return True

    async def _again(self, site_id: int, characters: int, limit: int) -> bool:
        done = await self._mongo["spending"].update_one(
            {"_id": self._day(site_id), "used": {"$lte": limit - characters}}, {"$inc": {"used": characters}}
        )
        return done.modified_count == 1

    async def give_back(self, site_id: int, characters: int) -> None:
        await self._mongo["spending"].update_one({"_id": self._day(site_id)}, {"$inc": {"used": -characters}})

    def _day(self, site_id: int) -> str:
        return f"{site_id}:{self._clock():%Y-%m-%d}"
