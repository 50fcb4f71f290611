"""Translations in MongoDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from bson import Binary
from pymongo import UpdateOne

from parley.common.mongodb import Index, Mongo
from parley.common.runtime.clock import Clock, utc_now

COLLECTION: Final = "cache"
INDEXES = (
    Index(COLLECTION, [("expires_at", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),
    Index(COLLECTION, [("made_for", 1)], {"name": "made_for", "sparse": True}),
)


class MongoTranslationRepository:
    """Implements `TranslationRepository` and `TranslationData`."""

    def __init__(self, mongo: Mongo, retention: timedelta, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._retention = retention
        self._clock = clock

    async def find(self, keys: Sequence[bytes]) -> Mapping[bytes, str]:
        cursor = self._mongo[COLLECTION].find({"_id": {"$in": [Binary(key) for key in keys]}})
        now = self._clock()
        return {bytes(document["_id"]): document["text"] async for document in cursor if document["expires_at"] > now}

    async def save(self, translations: Mapping[bytes, str], conversation_id: int | None) -> None:
        expires_at = self._clock() + self._retention
        add_conversation = {"$addToSet": {"made_for": conversation_id}} if conversation_id is not None else {}
        updates = [
            UpdateOne(
                {"_id": Binary(key)},
                {"$set": {"text": text, "expires_at": expires_at}, **add_conversation},
                upsert=True,
            )
            for key, text in translations.items()
        ]
        await self._mongo[COLLECTION].bulk_write(updates, ordered=False)

    async def list_texts(self, conversation_ids: Sequence[int]) -> Sequence[str]:
        cursor = self._mongo[COLLECTION].find({"made_for": {"$in": list(conversation_ids)}}, {"text": 1})
        return [document["text"] async for document in cursor]

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        await self._mongo[COLLECTION].delete_many({"made_for": {"$in": list(conversation_ids)}})
