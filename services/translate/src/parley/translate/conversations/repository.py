"""The read model of conversations: whose each is, kept for a quarter after it was last told of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from parley.common.mongodb import Index, Mongo
from parley.common.runtime.clock import Clock, utc_now
from parley.translate.conversations.service import Conversation

_KEEP = timedelta(days=90)


class MongoConversations:
    """KnownConversations in MongoDB. What is gone is asked of chat again."""

    indexes = (Index("conversations", [("expires_at", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),)

    def __init__(self, mongo: Mongo, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._clock = clock

    async def find(self, tenant_id: int, conversation_id: int) -> Conversation | None:
        row = await self._mongo["conversations"].find_one({"_id": conversation_id, "tenant_id": tenant_id})
        if row is None:
            return None
        return Conversation(row["_id"], row["tenant_id"], row["site_id"], row["session"])

    async def remember(self, conversation: Conversation) -> None:
        facts = {
            "tenant_id": conversation.tenant_id,
            "site_id": conversation.site_id,
            "session": conversation.session,
            "expires_at": self._clock() + _KEEP,
        }
        await self._mongo["conversations"].update_one({"_id": conversation.id}, {"$set": facts}, upsert=True)

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        await self._mongo["conversations"].delete_many({"_id": {"$in": list(conversation_ids)}})
