"""Conversations in MongoDB: one document each, changed by compare-and-set (`store.commits`), telling by its outbox.

A message is first of all an entry of the conversation's outbox: seq, holder, counters, message and event are one
write. From there it goes to the `messages` collection, and readers look at both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from parley.chat.conversations.mappers import conversation_document, conversation_of
from parley.chat.conversations.model import Change, Conversation, Visitor
from parley.chat.conversations.ports import Transition
from parley.chat.conversations.writer import COLLECTION, Commits, entries_of
from parley.common.events import Event
from parley.common.events.conversations import VisitorErased
from parley.common.mongodb import Document, Index, Mongo, Outbox

__all__ = ["COLLECTION", "INDEXES", "MongoConversations"]

INDEXES = [
    # One open conversation a visitor: the second insert of two at once fails and reads the first.
    Index(
        COLLECTION, [("visitor_key", 1)], {"name": "open", "unique": True, "partialFilterExpression": {"open": True}}
    ),
    Index(COLLECTION, [("visitor_key", 1), ("created_at", -1), ("_id", -1)], {"name": "of_visitor"}),
    Index(COLLECTION, [("due_at", 1)], {"name": "due", "partialFilterExpression": {"due_at": {"$type": "date"}}}),
    Index(
        COLLECTION,
        [("answer_due.until", 1)],
        {"name": "answer_due", "partialFilterExpression": {"answer_due.until": {"$type": "date"}}},
    ),
]


class MongoConversations:
    """The domain's ConversationStore."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._commits = Commits(mongo, outbox)

    async def find(self, tenant_id: int, conversation_id: int) -> Conversation | None:
        found = await self.document(tenant_id, conversation_id)
        return conversation_of(found) if found else None

    async def document(self, tenant_id: int, conversation_id: int) -> Document | None:
        return await self._mongo[COLLECTION].find_one({"_id": conversation_id, "tenant_id": tenant_id})

    async def by_id(self, conversation_id: int) -> Conversation | None:
        """For other services' questions and events, which have no caller."""
        found = await self._mongo[COLLECTION].find_one({"_id": conversation_id})
        return conversation_of(found) if found else None

    async def find_open(self, visitor: Visitor) -> Conversation | None:
        found = await self._mongo[COLLECTION].find_one({"visitor_key": visitor.key, "open": True})
        return conversation_of(found) if found else None

    async def find_latest(self, visitor: Visitor) -> Conversation | None:
        latest = await self.of_visitor(visitor, 1)
        return latest[0] if latest else None

    async def of_visitor(self, visitor: Visitor, limit: int) -> Sequence[Conversation]:
        cursor = (
            self._mongo[COLLECTION]
            .find({"visitor_key": visitor.key, "tenant_id": visitor.tenant_id})
            .sort([("created_at", -1), ("_id", -1)])
            .limit(limit)
        )
        return [conversation_of(found) async for found in cursor]

    async def create(self, change: Change) -> bool:
        conversation = replace(change.conversation, version=1)
        change = replace(change, conversation=conversation)
        document = {"_id": conversation.id, **conversation_document(conversation), "outbox": entries_of(change)}
        try:
            await self._mongo[COLLECTION].insert_one(document)
        except DuplicateKeyError:
            return False
        self._commits.made(document, change)
        return True

    async def change(self, tenant_id: int, conversation_id: int, transition: Transition) -> Change | None:
        return await self._commits.change(tenant_id, conversation_id, transition)

    async def recall(self, tenant_id: int, conversation_id: int) -> Conversation | None:
        return await self._commits.recall(tenant_id, conversation_id)

    def recall_open(self, visitor: Visitor) -> Conversation | None:
        return self._commits.recall_open(visitor.tenant_id, visitor.key)

    async def erased(self, event: Event) -> None:
        """In every replica: what one of them has erased, the others may remember."""
        self._commits.forget(event.read(VisitorErased).conversation_ids)

    async def generation(self, conversation_id: int) -> int | None:
        found = await self._mongo[COLLECTION].find_one({"_id": conversation_id}, {"generation": 1, "_id": 0})
        return found["generation"] if found else None

    async def extend_claim(self, conversation_id: int, seq: int, until: datetime) -> None:
        await self._mongo[COLLECTION].update_one(
            {"_id": conversation_id, "answer_due.seq": {"$gte": seq}}, {"$max": {"answer_due.until": until}}
        )

    async def silent(self, before: datetime, limit: int) -> Sequence[Conversation]:
        return await self._due("due_at", before, limit)

    async def unanswered(self, before: datetime, limit: int) -> Sequence[Conversation]:
        return await self._due("answer_due.until", before, limit)

    async def _due(self, field: str, before: datetime, limit: int) -> Sequence[Conversation]:
        cursor = self._mongo[COLLECTION].find({field: {"$lte": before, "$type": "date"}}).sort(field, 1).limit(limit)
        overdue = [conversation_of(found) async for found in cursor]
        # What is overdue is decided by what stands there now, also where that was moved without a new version.
        self._commits.forget(conversation.id for conversation in overdue)
        return overdue
