"""Messages and notes in MongoDB: read together with what still rides in their conversation's outbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from parley.chat.domain.model import Conversation, Message, Note, Visitor
from parley.chat.store.codec import message_of, note_of
from parley.common.mongo import Document, Index, Mongo

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
        found = await self._mongo["messages"].find_one({"visitor_key": visitor.key, "message_id": message_id})
        if found is None:
            # After a crash a message may ride in its conversation's outbox for a while yet.
            holder = await self._mongo["conversations"].find_one(
                {"visitor_key": visitor.key, "outbox.carried.document.message_id": message_id}, {"outbox.carried": 1}
            )
            found = next((one for one in _carried(holder, "messages") if one["message_id"] == message_id), None)
        return message_of(found) if found else None

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
        """Keep a message's translation. False when the message is not in the collection yet."""
        outcome = await self._mongo["messages"].update_one(
            {"conversation_id": conversation_id, "seq": seq}, {"$set": {"translation": translation}}
        )
        return outcome.matched_count == 1

    async def _riding(self, conversation: Conversation, collection: str) -> list[Document]:
        found = await self._mongo["conversations"].find_one(
            {"_id": conversation.id, "tenant_id": conversation.tenant_id, "outbox.carried.into": collection},
            {"outbox.carried": 1},
        )
        return list(_carried(found, collection))


def _carried(holder: Document | None, collection: str) -> Iterator[Document]:
    """What a conversation's outbox carries for a collection."""
    entries: list[Any] = holder["outbox"] if holder else []
    for entry in entries:
        for carried in entry.get("carried", ()):
            if carried["into"] == collection:
                yield carried["document"]
