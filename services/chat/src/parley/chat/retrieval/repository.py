"""Vectors of passages and the versions of sites' passages in MongoDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bson import Binary
from pymongo import ReplaceOne

from parley.common.mongodb import Index, Mongo

VECTORS = "passage_vectors"
VERSIONS = "passage_versions"

INDEXES = [Index(VECTORS, [("site_id", 1)], {"name": "site"})]

_BATCH = 1000


class MongoVectorRepository:
    """Implements VectorRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def get_version(self, site_id: int) -> int:
        document = await self._mongo[VERSIONS].find_one({"_id": site_id})
        return document["version"] if document else 0

    async def increment_version(self, site_id: int) -> None:
        await self._mongo[VERSIONS].update_one({"_id": site_id}, {"$inc": {"version": 1}}, upsert=True)

    async def find(self, site_id: int, keys: Sequence[str]) -> Mapping[str, bytes]:
        found: dict[str, bytes] = {}
        for start in range(0, len(keys), _BATCH):
            ids = [f"{site_id}:{key}" for key in keys[start : start + _BATCH]]
            rows = self._mongo[VECTORS].find({"_id": {"$in": ids}}, {"vectors": 1})
            found |= {row["_id"].partition(":")[2]: bytes(row["vectors"]) async for row in rows}
        return found

    async def store(self, site_id: int, vectors: Mapping[str, bytes]) -> None:
        documents = [
            {"_id": f"{site_id}:{key}", "site_id": site_id, "vectors": Binary(data)} for key, data in vectors.items()
        ]
        requests = [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents]
        if requests:
            await self._mongo[VECTORS].bulk_write(requests, ordered=False)

    async def remove_others(self, site_id: int, keys: Sequence[str]) -> None:
        kept = {f"{site_id}:{key}" for key in keys}
        rows = self._mongo[VECTORS].find({"site_id": site_id}, {"_id": 1})
        outdated = [row["_id"] async for row in rows if row["_id"] not in kept]
        for start in range(0, len(outdated), _BATCH):
            await self._mongo[VECTORS].delete_many({"_id": {"$in": outdated[start : start + _BATCH]}})

    async def remove_site(self, site_id: int) -> None:
        await self._mongo[VECTORS].delete_many({"site_id": site_id})
        await self._mongo[VERSIONS].delete_one({"_id": site_id})
