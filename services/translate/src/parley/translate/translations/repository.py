"""Translations in MongoDB: the cache that replicas share, and which messages have had theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bson import Binary
from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from parley.common.events import Event
from parley.common.mongodb import Index, Mongo, Outbox, entry_of
from parley.common.runtime.clock import Clock, utc_now

DELIVERIES = "deliveries"
_KEEP_DELIVERIES = timedelta(days=7)
"""For which a message told of again is known: longer than a dead letter is likely to wait for its replay."""


class MongoCache:
    """StoredTranslations: bounded by age, and each entry by the longest text that is translated."""

    indexes = (
        Index("cache", [("expires_at", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),
        Index("cache", [("made_for", 1)], {"name": "made_for", "sparse": True}),
    )

    def __init__(self, mongo: Mongo, keep: timedelta, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._keep = keep
        self._clock = clock

    async def find(self, keys: Sequence[bytes]) -> Mapping[bytes, str]:
        cursor = self._mongo["cache"].find({"_id": {"$in": [Binary(key) for key in keys]}})
        return {bytes(row["_id"]): row["text"] async for row in cursor if row["expires_at"] > self._clock()}

    async def keep(self, made: Mapping[bytes, str], conversation_id: int | None) -> None:
        until = self._clock() + self._keep
        owned = {"$addToSet": {"made_for": conversation_id}} if conversation_id is not None else {}
        writes = [
            UpdateOne({"_id": Binary(key)}, {"$set": {"text": text, "expires_at": until}, **owned}, upsert=True)
            for key, text in made.items()
        ]
        await self._mongo["cache"].bulk_write(writes, ordered=False)

    async def made_for(self, conversation_ids: Sequence[int]) -> Sequence[str]:
        cursor = self._mongo["cache"].find({"made_for": {"$in": list(conversation_ids)}}, {"text": 1})
        return [row["text"] async for row in cursor]

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        await self._mongo["cache"].delete_many({"made_for": {"$in": list(conversation_ids)}})


class MongoDeliveries:
    """Deliveries: a document a message and language, its event riding inside until the broker has it."""

    indexes = (
        Index(DELIVERIES, [("expires_at", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),
        Index(DELIVERIES, [("conversation_id", 1)], {"name": "conversation"}),
    )

    def __init__(self, mongo: Mongo, outbox: Outbox, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._outbox = outbox
        self._clock = clock

    async def done(self, message_id: int, target: str) -> bool:
        return await self._mongo[DELIVERIES].find_one({"_id": _key(message_id, target)}, {"_id": 1}) is not None

    async def deliver(self, message_id: int, target: str, event: Event) -> None:
        document = {
            "_id": _key(message_id, target),
            "conversation_id": event.conversation_id,
            "expires_at": self._clock() + _KEEP_DELIVERIES,
            "outbox": [entry_of(event)],
        }
        try:
            await self._mongo[DELIVERIES].insert_one(document)
        except DuplicateKeyError:
            return
        self._outbox.tell(DELIVERIES, document)

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        await self._mongo[DELIVERIES].delete_many({"conversation_id": {"$in": list(conversation_ids)}})


def _key(message_id: int, target: str) -> str:
    return f"{message_id}:{target}"
