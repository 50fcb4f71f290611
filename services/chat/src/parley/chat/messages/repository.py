"""Messages and notes in MongoDB, read together with those still embedded in their conversation's outbox."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pymongo.errors import DuplicateKeyError

from parley.chat.batching import BatchingQueue
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.outbox_documents import outbox_documents
from parley.chat.messages.mappers import to_message, to_note
from parley.chat.messages.message_id_index import MessageIdIndex
from parley.chat.messages.model import Message, Note
from parley.chat.visitors.model import Visitor
from parley.common.events.schemas import MessageTranslation, Role
from parley.common.mongodb import Document, Index, Mongo

_MessageKey = tuple[str, str]
"""A visitor's key, and the id of a message in their conversations."""
_MAX_BATCH = 64
_MAX_NOTES = 200

INDEXES = [
    Index("messages", [("conversation_id", 1), ("seq", 1)], {"name": "seq", "unique": True}),
    Index(
        "messages",
        [("visitor_key", 1), ("message_id", 1)],
        {"name": "message_id", "partialFilterExpression": {"message_id": {"$type": "string"}}},
    ),
    Index(
        "messages",
        [("conversation_id", 1), ("reply_to", 1)],
        {"name": "reply_to", "partialFilterExpression": {"reply_to": {"$type": "number"}}},
    ),
    Index(
        "notes",
        [("unread_by", 1), ("_id", -1)],
        {"name": "unread_mentions", "partialFilterExpression": {"unread_by": {"$exists": True}}},
    ),
    Index("notes", [("conversation_id", 1), ("created_at", 1), ("_id", 1)], {"name": "of_conversation"}),
]


class MongoMessageRepository:
    """A MessageRepository.

    The outbox is always read before the collection: an entry is removed from the outbox only after its message is in
    the collection, so a message is found in at least one of them.
    """

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._id_index = MessageIdIndex(mongo)
        self._find_batched: BatchingQueue[_MessageKey, Document | None] = BatchingQueue(
            self._find_by_keys, max_batch_size=_MAX_BATCH
        )

    async def list_for_conversation(
        self,
        conversation: Conversation,
        *,
        before_seq: int | None = None,
        after_seq: int | None = None,
        limit: int = 50,
        role: Role | None = None,
    ) -> Sequence[Message]:
        embedded = await self._list_embedded(conversation, "messages")
        bounds: Document = {}
        if before_seq is not None:
            bounds["$lt"] = before_seq
        if after_seq is not None:
            bounds["$gt"] = after_seq
        query: Document = {"conversation_id": conversation.id, "tenant_id": conversation.tenant_id}
        if bounds:
            query["seq"] = bounds
        if role is not None:
            query["role"] = role
            embedded = [document for document in embedded if document["role"] == role]
        ascending = after_seq is not None
        cursor = self._mongo["messages"].find(query).sort("seq", 1 if ascending else -1).limit(limit)
        by_seq = {document["seq"]: document async for document in cursor}
        for document in embedded:
            seq = document["seq"]
            if (before_seq is None or seq < before_seq) and (after_seq is None or seq > after_seq):
                by_seq.setdefault(seq, document)
        messages = [to_message(by_seq[seq]) for seq in sorted(by_seq)]
        return messages[:limit] if ascending else messages[-limit:]

    async def find_by_message_id(self, visitor: Visitor, message_id: str) -> Message | None:
        document = await self._find_batched((visitor.key, message_id))
        return to_message(document) if document else None

    async def find_duplicate(self, conversation: Conversation, message_id: str) -> Message | None:
        if await self._id_index.is_new(conversation, message_id):
            return None
        return await self.find_by_message_id(conversation.visitor, message_id)

    async def _find_by_keys(self, keys: Sequence[_MessageKey]) -> list[Document | Exception | None]:
        visitor_keys = sorted({visitor_key for visitor_key, _ in keys})
        embedded = {
            "visitor_key": {"$in": visitor_keys},
            "outbox.carried.document.message_id": {"$in": [message_id for _, message_id in keys]},
        }
        found: dict[_MessageKey, Document] = {}
        async for holder in self._mongo["conversations"].find(embedded, {"outbox.carried": 1}):
            for document in outbox_documents(holder, "messages"):
                found[document["visitor_key"], document["message_id"]] = document
        # The index is partial: without `$type`, MongoDB does not see that it applies.
        each = [
            {"visitor_key": visitor_key, "message_id": {"$eq": message_id, "$type": "string"}}
            for visitor_key, message_id in keys
        ]
        async for document in self._mongo["messages"].find({"$or": each}):
            found[document["visitor_key"], document["message_id"]] = document
        return [found.get(key) for key in keys]

    async def find_ai_reply(self, conversation: Conversation, seq: int) -> Message | None:
        embedded = await self._list_embedded(conversation, "messages")
        document = next((document for document in embedded if document.get("reply_to") == seq), None)
        document = document or await self._mongo["messages"].find_one(
            {"conversation_id": conversation.id, "tenant_id": conversation.tenant_id, "reply_to": seq}
        )
        return to_message(document) if document else None

    async def list_unread_mentions(
        self, tenant_id: int, operator_id: int, site_ids: Sequence[int], limit: int
    ) -> Sequence[Note]:
        query = {"unread_by": operator_id, "tenant_id": tenant_id, "site_id": {"$in": list(site_ids)}}
        cursor = self._mongo["notes"].find(query).sort("_id", -1).limit(limit)
        return [to_note(document) async for document in cursor]

    async def mark_mentions_read(self, conversation: Conversation, operator_id: int) -> None:
        query = {
            "conversation_id": conversation.id,
            "tenant_id": conversation.tenant_id,
            "unread_by": operator_id,
        }
        await self._mongo["notes"].update_many(query, {"$pull": {"unread_by": operator_id}})

    async def list_notes(self, conversation: Conversation) -> Sequence[Note]:
        embedded = await self._list_embedded(conversation, "notes")
        cursor = (
            self._mongo["notes"]
            .find({"conversation_id": conversation.id, "tenant_id": conversation.tenant_id})
            .sort([("created_at", -1), ("_id", -1)])
            .limit(_MAX_NOTES)
        )
        by_id = {document["_id"]: document async for document in cursor}
        by_id.update({document["_id"]: document for document in embedded})
        notes = (to_note(document) for document in by_id.values())
        return sorted(notes, key=lambda note: (note.created_at, note.id))

    async def set_translation(self, conversation_id: int, seq: int, translation: MessageTranslation) -> bool:
        if await self._update_translation(conversation_id, seq, translation):
            return True
        # The message may still be embedded in the outbox. Inserting it from here is harmless: ids are unique.
        query = {"_id": conversation_id, "outbox.carried.into": "messages"}
        holder = await self._mongo["conversations"].find_one(query, {"outbox.carried": 1})
        for document in outbox_documents(holder, "messages"):
            if document["seq"] == seq:
                with suppress(DuplicateKeyError):
                    await self._mongo["messages"].insert_one(document)
        return await self._update_translation(conversation_id, seq, translation)

    async def _update_translation(self, conversation_id: int, seq: int, translation: MessageTranslation) -> bool:
        result = await self._mongo["messages"].update_one(
            {"conversation_id": conversation_id, "seq": seq}, {"$set": {"translation": translation.model_dump()}}
        )
        return result.matched_count == 1

    async def _list_embedded(self, conversation: Conversation, collection: str) -> list[Document]:
        holder = await self._mongo["conversations"].find_one(
            {"_id": conversation.id, "tenant_id": conversation.tenant_id, "outbox.carried.into": collection},
            {"outbox.carried": 1},
        )
        return list(outbox_documents(holder, collection))
