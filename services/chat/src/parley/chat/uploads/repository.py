"""Which images were uploaded, by whom: what makes an `image_url` ours."""

from __future__ import annotations

from parley.common.mongodb import Mongo
from parley.common.runtime.clock import Clock


class MongoUploads:
    """The domain's UploadStore."""

    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._mongo = mongo
        self._clock = clock

    async def add(self, name: str, tenant_id: int, site_id: int | None, session: str | None, size: int) -> None:
        await self._mongo["uploads"].insert_one(
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
        return await self._mongo["uploads"].find_one({"_id": name, "tenant_id": tenant_id}, {"_id": 1}) is not None
