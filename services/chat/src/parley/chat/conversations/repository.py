"""Conversations in MongoDB: one document each, changed by compare-and-set (`writer`), with an outbox for its events.

A message is first an entry of its conversation's outbox: seq, assignment, counters, message and event are one write.
From there it is inserted into the `messages` collection; readers look at both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from parley.chat.conversations.mappers import conversation_document, to_conversation
from parley.chat.conversations.model import Change, Conversation
from parley.chat.conversations.ports import Assignee, Transition
from parley.chat.conversations.writer import COLLECTION, ConversationWriter, build_outbox_entries
from parley.chat.timeouts import OTHER_REPLICA_DELAY
from parley.chat.visitors.model import Visitor
from parley.common.events import Event
from parley.common.events.conversations import VisitorErased
from parley.common.mongodb import Document, Index, Mongo, Outbox

__all__ = ["COLLECTION", "INDEXES", "MongoConversationRepository"]

_HAS_LABELS = {"labels": {"$gt": 0}}

INDEXES = [
    # One open conversation per visitor: of two concurrent inserts the second fails, and reads the first one's.
    Index(
        COLLECTION, [("visitor_key", 1)], {"name": "open", "unique": True, "partialFilterExpression": {"open": True}}
    ),
    Index(COLLECTION, [("visitor_key", 1), ("created_at", -1), ("_id", -1)], {"name": "of_visitor"}),
    Index(COLLECTION, [("due_at", 1)], {"name": "due", "partialFilterExpression": {"due_at": {"$type": "date"}}}),
    Index(
        COLLECTION,
        [("tenant_id", 1), ("operator.id", 1), ("_id", 1)],
        {"name": "assigned", "partialFilterExpression": {"open": True}},
    ),
    Index(
        COLLECTION,
        [("snoozed_until", 1)],
        {"name": "snooze_ends", "partialFilterExpression": {"snoozed_until": {"$type": "date"}}},
    ),
    Index(
        COLLECTION,
        [("silence.check_at", 1)],
        {"name": "silence_due", "partialFilterExpression": {"silence.check_at": {"$type": "date"}}},
    ),
    Index(COLLECTION, [("tenant_id", 1), ("labels", 1)], {"name": "labels", "partialFilterExpression": _HAS_LABELS}),
    Index(
        COLLECTION,
        [("answer_due.until", 1)],
        {"name": "answer_due", "partialFilterExpression": {"answer_due.until": {"$type": "date"}}},
    ),
]


class MongoConversationRepository:
    """A ConversationRepository. Snapshots are served from the writer's cache."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._writer = ConversationWriter(mongo, outbox)

    async def find(self, tenant_id: int, conversation_id: int) -> Conversation | None:
        document = await self._mongo[COLLECTION].find_one({"_id": conversation_id, "tenant_id": tenant_id})
        return to_conversation(document) if document else None

    async def find_snapshot(self, tenant_id: int, conversation_id: int) -> Conversation | None:
        return await self._writer.find_snapshot(tenant_id, conversation_id)

    async def find_by_id(self, conversation_id: int) -> Conversation | None:
        document = await self._mongo[COLLECTION].find_one({"_id": conversation_id})
        return to_conversation(document) if document else None

    async def find_open(self, visitor: Visitor) -> Conversation | None:
        document = await self._mongo[COLLECTION].find_one({"visitor_key": visitor.key, "open": True})
        return to_conversation(document) if document else None

    async def find_open_snapshot(self, visitor: Visitor) -> Conversation | None:
        return self._writer.find_open_snapshot(visitor.tenant_id, visitor.key) or await self.find_open(visitor)

    async def find_latest(self, visitor: Visitor) -> Conversation | None:
        open_one = await self.find_open(visitor)
        if open_one is not None:
            return open_one
        latest = await self.list_for_visitor(visitor, 1)
        return latest[0] if latest else None

    async def list_for_visitor(self, visitor: Visitor, limit: int) -> Sequence[Conversation]:
        cursor = (
            self._mongo[COLLECTION]
            .find({"visitor_key": visitor.key, "tenant_id": visitor.tenant_id})
            .sort([("created_at", -1), ("_id", -1)])
            .limit(limit)
        )
        return [to_conversation(document) async for document in cursor]

    async def create(self, change: Change) -> bool:
        conversation = replace(change.conversation, version=1)
        change = replace(change, conversation=conversation)
        document = {
            "_id": conversation.id,
            **conversation_document(conversation),
            "outbox": build_outbox_entries(change),
        }
        try:
            await self._mongo[COLLECTION].insert_one(document)
        except DuplicateKeyError:
            return False
        self._writer.on_created(document, change)
        return True

    async def change(self, tenant_id: int, conversation_id: int, transition: Transition) -> Change | None:
        return await self._writer.change(tenant_id, conversation_id, transition)

    async def on_visitor_erased(self, event: Event) -> None:
        """Invalidate the erased conversations, in every replica."""
        self._writer.invalidate(event.parse_data(VisitorErased).conversation_ids)

    async def get_generation(self, conversation_id: int) -> int | None:
        document = await self._mongo[COLLECTION].find_one({"_id": conversation_id}, {"generation": 1, "_id": 0})
        return document["generation"] if document else None

    async def extend_reply_lease(self, conversation_id: int, seq: int, until: datetime) -> None:
        await self._mongo[COLLECTION].update_one(
            {"_id": conversation_id, "answer_due.seq": {"$gte": seq}}, {"$max": {"answer_due.until": until}}
        )

    async def list_operator_overdue(self, before: datetime, limit: int) -> Sequence[Conversation]:
        return await self._list_due("due_at", before, limit, lambda conversation: conversation.due_at or before)

    async def list_assigned(self, tenant_id: int, operator_id: int, after: int, limit: int) -> Sequence[Conversation]:
        query = {"tenant_id": tenant_id, "operator.id": operator_id, "open": True, "_id": {"$gt": after}}
        cursor = self._mongo[COLLECTION].find(query).sort("_id", 1).limit(limit)
        return [to_conversation(document) async for document in cursor]

    async def list_assignees(self) -> Sequence[Assignee]:
        pipeline: list[Document] = [
            {"$match": {"open": True, "operator.id": {"$type": "number"}}},
            {
                "$group": {
                    "_id": {"tenant_id": "$tenant_id", "operator_id": "$operator.id"},
                    "site_ids": {"$addToSet": "$site_id"},
                }
            },
        ]
        cursor = await self._mongo[COLLECTION].aggregate(pipeline, hint="assigned")
        return [Assignee(row["_id"]["tenant_id"], row["_id"]["operator_id"], row["site_ids"]) async for row in cursor]

    async def list_snoozes_ended(self, before: datetime, limit: int) -> Sequence[Conversation]:
        return await self._list_due(
            "snoozed_until", before, limit, lambda conversation: conversation.snoozed_until or before
        )

    async def list_silence_due(self, before: datetime, limit: int) -> Sequence[Conversation]:
        def get_due(conversation: Conversation) -> datetime:
            return conversation.silence.check_at if conversation.silence is not None else before

        return await self._list_due("silence.check_at", before, limit, get_due)

    async def list_labeled(self, tenant_id: int, label_id: int, limit: int) -> Sequence[int]:
        query = {"tenant_id": tenant_id, "labels": label_id}
        cursor = self._mongo[COLLECTION].find(query, {"_id": 1}, hint="labels").limit(limit)
        return [document["_id"] async for document in cursor]

    async def list_expired_replies(self, before: datetime, limit: int) -> Sequence[Conversation]:
        def get_end_of_lease(conversation: Conversation) -> datetime:
            return conversation.reply_lease.until if conversation.reply_lease is not None else before

        return await self._list_due("answer_due.until", before, limit, get_end_of_lease)

    async def _list_due(
        self, field: str, before: datetime, limit: int, get_due: Callable[[Conversation], datetime]
    ) -> Sequence[Conversation]:
        cursor = self._mongo[COLLECTION].find({field: {"$lte": before, "$type": "date"}}).sort(field, 1).limit(limit)
        conversations = [to_conversation(document) async for document in cursor]
        # The replica that changed the conversation last acts first. The others would conflict with its write; they act
        # after a delay, in case that replica has stopped.
        overdue = [
            conversation
            for conversation in conversations
            if self._writer.is_last_writer(conversation) or get_due(conversation) <= before - OTHER_REPLICA_DELAY
        ]
        # The next change must be computed from a fresh read: leases are extended without a new version.
        self._writer.invalidate(conversation.id for conversation in overdue)
        return overdue
