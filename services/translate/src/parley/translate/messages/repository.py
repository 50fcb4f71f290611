"""Translated messages in MongoDB: one document for each message and language, with the event in its outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from pymongo.errors import DuplicateKeyError

from parley.common.events import Event
from parley.common.mongodb import Index, Mongo, Outbox, to_outbox_entry
from parley.common.runtime.clock import Clock, utc_now

COLLECTION: Final = "deliveries"
INDEXES = (
    Index(COLLECTION, [("expires_at", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),
    Index(COLLECTION, [("conversation_id", 1)], {"name": "conversation"}),
)
_RETENTION = timedelta(days=7)
"""Longer than a dead letter is likely to wait for its replay."""


class MongoProcessedMessageRepository:
    """Implements `ProcessedMessages` and `ConversationData`."""

    def __init__(self, mongo: Mongo, outbox: Outbox, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._outbox = outbox
        self._clock = clock

    async def contains(self, message_id: int, target: str) -> bool:
        document = await self._mongo[COLLECTION].find_one({"_id": _document_id(message_id, target)}, {"_id": 1})
        return document is not None

    async def add(self, message_id: int, target: str, event: Event) -> None:
        document = {
            "_id": _document_id(message_id, target),
            "conversation_id": event.conversation_id,
            "expires_at": self._clock() + _RETENTION,
            "outbox": [to_outbox_entry(event)],
        }
        try:
            await self._mongo[COLLECTION].insert_one(document)
        except DuplicateKeyError:
            return
        self._outbox.enqueue(COLLECTION, document)

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        await self._mongo[COLLECTION].delete_many({"conversation_id": {"$in": list(conversation_ids)}})


def _document_id(message_id: int, target: str) -> str:
    return f"{message_id}:{target}"
