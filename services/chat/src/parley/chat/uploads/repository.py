"""Records of uploaded images in MongoDB."""

from __future__ import annotations

from parley.common.mongodb import Mongo
from parley.common.runtime.clock import Clock

COLLECTION = "uploads"


class MongoUploadRepository:
    """Implements UploadRepository."""

    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._mongo = mongo
        self._clock = clock

    async def add(self, name: str, tenant_id: int, site_id: int | None, session: str | None, size: int) -> None:
        await self._mongo[COLLECTION].insert_one(
            {
                "_id": name,
                "tenant_id": tenant_id,
                "site_id": site_id,
                "session": session,
                "bytes": size,
                "at": self._clock(),
            }
        )

    async def exists(self, name: str, tenant_id: int) -> bool:
        return await self._mongo[COLLECTION].find_one({"_id": name, "tenant_id": tenant_id}, {"_id": 1}) is not None
