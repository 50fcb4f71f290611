"""Conversations in MongoDB: one document each, changed by compare-and-set on its version, telling by its outbox.

A message is first of all an entry of the conversation's outbox: seq, holder, counters, message and event are one
write. From there it goes to the `messages` collection, and readers look at both.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.chat import metrics
from parley.chat.domain.errors import TooBusy
from parley.chat.domain.model import Change, Conversation, Visitor
from parley.chat.domain.ports import Transition
from parley.chat.store.audit import COLLECTION as AUDIT
from parley.chat.store.audit import document_of as audit_document
from parley.chat.store.codec import (
    conversation_document,
    conversation_of,
    message_document,
    note_document,
)
from parley.common.mongo import Document, Index, Mongo, Outbox, Projection, entry_of

COLLECTION = "conversations"
_TRIES = 30

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
        self._outbox = outbox

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
        document = {"_id": conversation.id, **conversation_document(conversation), "outbox": _entries(change)}
        try:
            await self._mongo[COLLECTION].insert_one(document)
        except DuplicateKeyError:
            return False
        self._told(document, change)
        return True

    async def change(self, tenant_id: int, conversation_id: int, transition: Transition) -> Change | None:
        for attempt in range(_TRIES):
            found = await self.find(tenant_id, conversation_id)
            if found is None:
                return None
            change = transition(replace(found, version=found.version + 1))
            if change is None:
                return None
            # A transition that changes nothing gives back what it was given.
            if not change.events and change.conversation == replace(found, version=found.version + 1):
                return replace(change, conversation=found)
            after = await self._mongo[COLLECTION].find_one_and_update(
                {"_id": conversation_id, "tenant_id": tenant_id, "version": found.version},
                {
                    "$set": conversation_document(change.conversation),
                    "$push": {"outbox": {"$each": _entries(change)}},
                },
                return_document=ReturnDocument.AFTER,
                projection={"outbox": 1},
            )
            if after is not None:
                self._told(after, change)
                return change
            metrics.RETRIES.inc()
            await asyncio.sleep(random.uniform(0, 0.002 * (attempt + 1)))  # noqa: S311 - jitter
        raise TooBusy

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
        return [conversation_of(found) async for found in cursor]

    def _told(self, document: Document, change: Change) -> None:
        self._outbox.tell(COLLECTION, document)
        for event in change.events:
            metrics.CONVERSATIONS.labels(event.type).inc()
        for message in change.messages:
            metrics.MESSAGES.labels(message.role).inc()


def _entries(change: Change) -> list[Document]:
    """The outbox entries of a change: events carry the messages and notes they tell of, the first the audit entry."""
    carried = {
        "message.created": [Projection("messages", message_document(message)) for message in change.messages],
        "note.created": [Projection("notes", note_document(note)) for note in change.notes],
    }
    entries: list[Document] = []
    for event in change.events:
        waiting = carried.get(event.type)
        luggage = [waiting.pop(0)] if waiting else []
        if change.audit is not None and not entries:
            luggage.append(Projection(AUDIT, audit_document(change.audit)))
        entries.append(entry_of(event, *luggage))
    return entries
