"""Integer ids, handed out in blocks: one write to the counter for many ids, so that no document is a hot spot."""

from __future__ import annotations

import asyncio

from pymongo import ReturnDocument

from parley.common.mongodb.client import Mongo


class BlockIdGenerator:
    """Ids of one kind. Unique across replicas; not in the order of time across them."""

    def __init__(self, mongo: Mongo, kind: str, block: int = 100) -> None:
        self._mongo = mongo
        self._kind = kind
        self._block = block
        self._next = 0
        self._end = 0
        self._lock = asyncio.Lock()

    async def next(self) -> int:
        async with self._lock:
            if self._next >= self._end:
                counter = await self._mongo["counters"].find_one_and_update(
                    {"_id": self._kind},
                    {"$inc": {"reserved": self._block}},
                    upsert=True,
                    return_document=ReturnDocument.AFTER,
                )
                assert counter is not None, "an upsert gives its document back"
                self._end = counter["reserved"] + 1
                self._next = self._end - self._block
            self._next += 1
            return self._next - 1
