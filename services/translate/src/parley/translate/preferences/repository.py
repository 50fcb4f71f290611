"""Preferences in MongoDB, one document a conversation, its events riding inside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pymongo import ReplaceOne, ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.common.events import Event
from parley.common.mongodb import Document, Index, Mongo, Outbox, entry_of
from parley.common.runtime.clock import Clock, utc_now
from parley.translate.conversations.service import Conversation
from parley.translate.preferences.service import Preferences

COLLECTION = "preferences"
_KEEP_ERASED = timedelta(days=30)
"""For which a message of an erased conversation, however late it comes, finds that it is not to be translated."""
INDEXES = (Index(COLLECTION, [("expires_at", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),)


_NOT_ERASED = {"erased": {"$exists": False}}


class MongoPreferences:
    """StoredPreferences: a change is written only over the version it was made from."""

    def __init__(self, mongo: Mongo, outbox: Outbox, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._outbox = outbox
        self._clock = clock

    async def find(self, conversation_id: int) -> Preferences | None:
        row = await self._mongo[COLLECTION].find_one({"_id": conversation_id, **_NOT_ERASED}, {"outbox": 0})
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

    async def of(self, conversation_ids: Sequence[int]) -> list[Preferences]:
        wanted = {"_id": {"$in": list(conversation_ids)}, **_NOT_ERASED}
        return [_preferences(row) async for row in self._mongo[COLLECTION].find(wanted, {"outbox": 0})]

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        until = self._clock() + _KEEP_ERASED
        # A number stays, so that nothing is made anew from what is still on its way.
        stones = [
            ReplaceOne({"_id": number}, {"erased": True, "expires_at": until}, upsert=True)
            for number in conversation_ids
        ]
        if stones:
            await self._mongo[COLLECTION].bulk_write(stones, ordered=False)


def _preferences(row: Document) -> Preferences:
    return Preferences(
        conversation=Conversation(row["_id"], row["tenant_id"], row["site_id"], row["session"]),
        enabled=row["enabled"],
        lang=row["lang"],
        operator_lang=row["operator_lang"],
        detected=row["detected"],
        version=row["version"],
    )
