"""Preferences in MongoDB, one document a conversation, its events riding inside."""

from __future__ import annotations

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.common.events import Event
from parley.common.mongo import Document, Mongo, Outbox, entry_of
from parley.translate.domain.conversations import Conversation
from parley.translate.domain.preferences import Preferences

COLLECTION = "preferences"


class MongoPreferences:
    """StoredPreferences: a change is written only over the version it was made from."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._outbox = outbox

    async def find(self, conversation_id: int) -> Preferences | None:
        row = await self._mongo[COLLECTION].find_one({"_id": conversation_id}, {"outbox": 0})
        return _preferences(row) if row is not None else None

    async def save(self, preferences: Preferences, event: Event) -> bool:
        conversation = preferences.conversation
        facts = {
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
            row = await self._mongo[COLLECTION].find_one_and_update(
                {"_id": conversation.id, "version": preferences.version - 1},
                {"$set": facts, "$push": {"outbox": entry_of(event)}},
                # Only the first version may make the document: over an old one the upsert meets its _id and fails.
                upsert=preferences.version == 1,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:
            return False
        if row is None:
            return False
        self._outbox.tell(COLLECTION, row)
        return True


def _preferences(row: Document) -> Preferences:
    return Preferences(
        conversation=Conversation(row["_id"], row["tenant_id"], row["site_id"], row["session"]),
        enabled=row["enabled"],
        lang=row["lang"],
        operator_lang=row["operator_lang"],
        detected=row["detected"],
        version=row["version"],
    )
