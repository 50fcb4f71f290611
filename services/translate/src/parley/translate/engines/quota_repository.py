"""The characters of paid engines that each site has used, in MongoDB: one counter for each site and day (UTC)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pymongo.errors import DuplicateKeyError

from parley.common.mongodb import Index, Mongo
from parley.common.runtime.clock import Clock, utc_now

COLLECTION: Final = "spending"
INDEXES = (Index(COLLECTION, [("expires_at", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),)
_RETENTION = timedelta(days=40)


class MongoCharacterQuotaRepository:
    """Implements `CharacterQuota`. Each charge is one atomic write, so replicas never charge the same characters."""

    def __init__(self, mongo: Mongo, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._clock = clock

    async def charge(self, site_id: int, characters: int, limit: int) -> bool:
        if limit and characters > limit:
            return False
        now = self._clock()
        within_limit = {"used": {"$lte": limit - characters}} if limit else {}
        try:
            await self._mongo[COLLECTION].update_one(
                {"_id": self._counter_id(site_id), **within_limit},
                {"$inc": {"used": characters}, "$setOnInsert": {"site_id": site_id, "expires_at": now + _RETENTION}},
                upsert=True,
            )
        except DuplicateKeyError:
            # Either the counter exists and the limit does not allow the charge, so that the upsert tried to insert it
            # again; or another replica inserted it at the same time.
            if not limit:
                return await self.charge(site_id, characters, limit)
            return await self._charge_existing(site_id, characters, limit)
        return True

    async def refund(self, site_id: int, characters: int) -> None:
        await self._mongo[COLLECTION].update_one({"_id": self._counter_id(site_id)}, {"$inc": {"used": -characters}})

    async def _charge_existing(self, site_id: int, characters: int, limit: int) -> bool:
        result = await self._mongo[COLLECTION].update_one(
            {"_id": self._counter_id(site_id), "used": {"$lte": limit - characters}}, {"$inc": {"used": characters}}
        )
        return result.modified_count == 1

    def _counter_id(self, site_id: int) -> str:
        return f"{site_id}:{self._clock():%Y-%m-%d}"
