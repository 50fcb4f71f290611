"""The read model of conversations in MongoDB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from parley.common.mongodb import Index, Mongo
from parley.common.runtime.clock import Clock, utc_now
from parley.translate.conversations.model import Conversation

COLLECTION: Final = "conversations"
INDEXES = (Index(COLLECTION, [("expires_at", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),)
_RETENTION = timedelta(days=90)
"""After that, chat is asked again."""


class MongoConversationRepository:
    """Implements `ConversationRepository` and `ConversationData`."""

    def __init__(self, mongo: Mongo, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._clock = clock

    async def find(self, tenant_id: int, conversation_id: int) -> Conversation | None:
        document = await self._mongo[COLLECTION].find_one({"_id": conversation_id, "tenant_id": tenant_id})
        if document is None:
            return None
        return Conversation(document["_id"], document["tenant_id"], document["site_id"], document["session"])

    async def save(self, conversation: Conversation) -> None:
        fields = {
            "tenant_id": conversation.tenant_id,
            "site_id": conversation.site_id,
            "session": conversation.session,
            "expires_at": self._clock() + _RETENTION,
        }
        await self._mongo[COLLECTION].update_one({"_id": conversation.id}, {"$set": fields}, upsert=True)

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        await self._mongo[COLLECTION].delete_many({"_id": {"$in": list(conversation_ids)}})
