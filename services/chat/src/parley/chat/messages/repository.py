"""Messages and notes in MongoDB: read together with what still rides in their conversation's outbox."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pymongo.errors import DuplicateKeyError

from parley.chat.conversations.mappers import message_of, note_of
from parley.chat.conversations.model import Conversation, Message, Note, Visitor
from parley.chat.conversations.outbox_documents import carried
from parley.chat.messages.message_id_index import SendersIds
from parley.common.mongodb import Document, Index, Mongo
from parley.common.runtime.batching import BatchingQueue

_SendersId = tuple[str, str]
"""A visitor's key, and the id that a sender gave a message in their conversation."""
_BATCH = 64

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
    Index("notes", [("conversation_id", 1), ("created_at", 1), ("_id", 1)], {"name": "of_conversation"}),
]


class MongoMessages:
    """The domain's MessageStore."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._senders_ids = SendersIds(mongo)
        self._by_sender: BatchingQueue[_SendersId, Document | None] = BatchingQueue(self._by_senders, most=_BATCH)

    async def of_conversation(
        self,
        conversation: Conversation,
        *,
        before_seq: int | None = None,
        after_seq: int | None = None,
        limit: int = 50,
    ) -> Sequence[Message]:
        # The outbox is read first: an entry leaves it only after its message stands in the collection.
        riding = await self._riding(conversation, "messages")
        bounds: Document = {}
        if before_seq is not None:
            bounds["$lt"] = before_seq
        if after_seq is not None:
            bounds["$gt"] = after_seq
        query: Document = {"conversation_id": conversation.id, "tenant_id": conversation.tenant_id}
        if bounds:
            query["seq"] = bounds
        forward = after_seq is not None
        cursor = self._mongo["messages"].find(query).sort("seq", 1 if forward else -1).limit(limit)
        found = {document["seq"]: document async for document in cursor}
        for document in riding:
            seq = document["seq"]
            if (before_seq is None or seq < before_seq) and (after_seq is None or seq > after_seq):
                found.setdefault(seq, document)
        ordered = [message_of(found[seq]) for seq in sorted(found)]
        return ordered[:limit] if forward else ordered[-limit:]

    async def by_message_id(self, visitor: Visitor, message_id: str) -> Message | None:
        found = await self._by_sender((visitor.key, message_id))
        return message_of(found) if found else None

    async def said_before(self, conversation: Conversation, message_id: str) -> Message | None:
        if await self._senders_ids.is_new(conversation, message_id):
            return None
        return await self.by_message_id(conversation.visitor, message_id)

    async def _by_senders(self, asked: Sequence[_SendersId]) -> list[Document | Exception | None]:
        """The messages with these senders' ids, each visitor's own."""
        keys, ids = {key for key, _ in asked}, [message_id for _, message_id in asked]
        # After a crash a message may ride in its conversation's outbox for a while yet; read first, as ever.
        riding = {"visitor_key": {"$in": sorted(keys)}, "outbox.carried.document.message_id": {"$in": ids}}
        found: dict[_SendersId, Document] = {}
        async for holder in self._mongo["conversations"].find(riding, {"outbox.carried": 1}):
            found.update(((one["visitor_key"], one["message_id"]), one) for one in carried(holder, "messages"))
        # The index is partial: without the type MongoDB does not see that it may use it.
        each = [{"visitor_key": key, "message_id": {"$eq": message_id, "$type": "string"}} for key, message_id in asked]
        async for document in self._mongo["messages"].find({"$or": each}):
            found[document["visitor_key"], document["message_id"]] = document
        return [found.get(one) for one in asked]

    async def answer_to(self, conversation: Conversation, seq: int) -> Message | None:
        riding = await self._riding(conversation, "messages")
        found = next((document for document in riding if document.get("reply_to") == seq), None)
        found = found or await self._mongo["messages"].find_one(
            {"conversation_id": conversation.id, "tenant_id": conversation.tenant_id, "reply_to": seq}
        )
        return message_of(found) if found else None

    async def notes_of(self, conversation: Conversation) -> Sequence[Note]:
        riding = await self._riding(conversation, "notes")
        cursor = (
            self._mongo["notes"]
            .find({"conversation_id": conversation.id, "tenant_id": conversation.tenant_id})
            .sort([("created_at", -1), ("_id", -1)])
            .limit(200)
        )
        found = {document["_id"]: document async for document in cursor}
        found.update({document["_id"]: document for document in riding})
        return sorted((note_of(document) for document in found.values()), key=lambda note: (note.created_at, note.id))

    async def set_translation(self, conversation_id: int, seq: int, translation: Document) -> bool:
        """Keep a message's translation. False when there is no such message, or it has just moved: then ask again."""
        if await self._translated(conversation_id, seq, translation):
            return True
        # It may ride in its conversation's outbox yet. Who brings it in from there does not matter.
        wanted = {"_id": conversation_id, "outbox.carried.into": "messages"}
        holder = await self._mongo["conversations"].find_one(wanted, {"outbox.carried": 1})
        for document in carried(holder, "messages"):
            if document["seq"] == seq:
                with suppress(DuplicateKeyError):
                    await self._mongo["messages"].insert_one(document)
        return await self._translated(conversation_id, seq, translation)

    async def _translated(self, conversation_id: int, seq: int, translation: Document) -> bool:
        outcome = await self._mongo["messages"].update_one(
            {"conversation_id": conversation_id, "seq": seq}, {"$set": {"translation": translation}}
        )
        return outcome.matched_count == 1

    async def _riding(self, conversation: Conversation, collection: str) -> list[Document]:
        found = await self._mongo["conversations"].find_one(
            {"_id": conversation.id, "tenant_id": conversation.tenant_id, "outbox.carried.into": collection},
            {"outbox.carried": 1},
        )
        return list(carried(found, collection))
