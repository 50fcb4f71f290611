"""Preferences in MongoDB: one document for each conversation, with the events of its changes in its outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from pymongo import ReplaceOne, ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.common.events import Event
from parley.common.mongodb import Document, Index, Mongo, Outbox, to_outbox_entry
from parley.common.runtime.clock import Clock, utc_now
from parley.translate.conversations.model import Conversation
from parley.translate.preferences.model import Preferences

COLLECTION: Final = "preferences"
INDEXES = (Index(COLLECTION, [("expires_at", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),)
_TOMBSTONE_RETENTION = timedelta(days=30)
"""For which late messages of an erased conversation are recognized, and therefore not translated."""
_NOT_ERASED = {"erased": {"$exists": False}}


class MongoPreferenceRepository:
    """Implements `PreferenceRepository` and `PreferenceData`, with optimistic locking by version."""

    def __init__(self, mongo: Mongo, outbox: Outbox, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._outbox = outbox
        self._clock = clock

    async def find(self, conversation_id: int) -> Preferences | None:
        document = await self._mongo[COLLECTION].find_one({"_id": conversation_id, **_NOT_ERASED}, {"outbox": 0})
        return _to_preferences(document) if document is not None else None

    async def save(self, preferences: Preferences, event: Event) -> bool:
        conversation = preferences.conversation
        fields = {
            "tenant_id": conversation.tenant_id,
            "site_id": conversation.site_id,
            "session": conversation.session,
            "enabled": preferences.enabled,
            "lang": preferences.lang,
            "operator_lang": preferences.operator_lang,
            "detected": preferences.detected,
            "version": preferences.version,
        }
        try:
            document = await self._mongo[COLLECTION].find_one_and_update(
                {"_id": conversation.id, "version": preferences.version - 1},
                {"$set": fields, "$push": {"outbox": to_outbox_entry(event)}},
                # Only the first version may insert the document: if there is one, the insert fails on its _id.
                upsert=preferences.version == 1,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:
            return False
        if document is None:
            return False
        self._outbox.enqueue(COLLECTION, document)
        return True

    async def find_all(self, conversation_ids: Sequence[int]) -> Sequence[Preferences]:
        filter_ = {"_id": {"$in": list(conversation_ids)}, **_NOT_ERASED}
        return [_to_preferences(document) async for document in self._mongo[COLLECTION].find(filter_, {"outbox": 0})]

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        expires_at = self._clock() + _TOMBSTONE_RETENTION
        tombstones = [
            ReplaceOne({"_id": conversation_id}, {"erased": True, "expires_at": expires_at}, upsert=True)
            for conversation_id in conversation_ids
        ]
        if tombstones:
            await self._mongo[COLLECTION].bulk_write(tombstones, ordered=False)


def _to_preferences(document: Document) -> Preferences:
    return Preferences(
        conversation=Conversation(document["_id"], document["tenant_id"], document["site_id"], document["session"]),
        enabled=document["enabled"],
        lang=document["lang"],
        operator_lang=document["operator_lang"],
        detected=document["detected"],
        version=document["version"],
    )
