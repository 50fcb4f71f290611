"""Integer ids from a counter in MongoDB, reserved in blocks: one write for many ids."""

from __future__ import annotations

import asyncio

from pymongo import ReturnDocument

from parley.common.conversation_partitions import partitioned_id
from parley.common.mongodb import Mongo


class BlockIdGenerator:
    """Generates the ids of one kind of document: unique across replicas, not ordered by time across them.

    Ids of a block that are not used before the process ends are skipped.
    """

    def __init__(self, mongo: Mongo, kind: str, block: int = 100) -> None:
        self._mongo = mongo
        self._kind = kind
        self._block = block
        self._next = 0
        self._end = 0
        self._lock = asyncio.Lock()

    async def next(self) -> int:
        """Return a new id. Raises what pymongo raises when a block has to be reserved."""
        async with self._lock:
            if self._next >= self._end:
                counter = await self._mongo["counters"].find_one_and_update(
                    {"_id": self._kind},
                    {"$inc": {"reserved": self._block}},
                    upsert=True,
                    return_document=ReturnDocument.AFTER,
                )
                assert counter is not None, "an upsert returns the document"
                self._end = counter["reserved"] + 1
                self._next = self._end - self._block
            self._next += 1
            return self._next - 1


class ConversationIdGenerator:
    """Generates the ids of conversations, with the partition of their visitor."""

    def __init__(self, mongo: Mongo) -> None:
        self._numbers = BlockIdGenerator(mongo, "conversation")

    async def next(self, session: str) -> int:
        """Return a new id for a conversation of this session handle. Raises what pymongo raises."""
        return partitioned_id(await self._numbers.next(), session)
