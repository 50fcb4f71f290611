"""The message ids of long conversations, in memory: shows that a new message's id is new, without a query.

A conversation itself holds its latest ids only; in a longer one each new message would need a query for older ones.
An id that is not in this index is new; one that may be in it is looked up.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from parley.chat.conversations.model import MAX_RECENT_IDS, Conversation
from parley.chat.conversations.outbox_documents import outbox_documents
from parley.common.mongodb import Mongo

_MAX_IDS_PER_CONVERSATION = 5_000
_MAX_IDS = 200_000
"""About seventy bytes each."""


@dataclass(slots=True)
class _IdSet:
    """Hashes of all ids up to a seq."""

    up_to_seq: int
    hashes: set[int]
    counted: int = 0
    """How many of them are in the index's total."""

    def reaches(self, conversation: Conversation) -> bool:
        """Whether no message lies between this set and the conversation's recent ids."""
        recent = conversation.recent_ids
        return len(recent) < MAX_RECENT_IDS or recent[0][1] <= self.up_to_seq + 1


class MessageIdIndex:
    """Keeps the conversations used last, up to a total number of ids."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._by_conversation: OrderedDict[int, _IdSet] = OrderedDict()
        self._total = 0

    async def is_new(self, conversation: Conversation, message_id: str) -> bool:
        """Whether no message up to the conversation's last one has this id. False also if that is not known."""
        ids = self._by_conversation.get(conversation.id)
        if ids is None or not ids.reaches(conversation):
            ids = await self._load(conversation)
        self._store(conversation, ids)
        return len(ids.hashes) < _MAX_IDS_PER_CONVERSATION and hash(message_id) not in ids.hashes

    async def _load(self, conversation: Conversation) -> _IdSet:
        """The ids of all the visitor's messages, up to the limit per conversation."""
        ids = _IdSet(conversation.last_seq, set())
        key = conversation.visitor.key
        # The outbox is read first: an entry is removed from it only after its message is in the collection.
        embedded = {"visitor_key": key, "outbox.carried.into": "messages"}
        async for holder in self._mongo["conversations"].find(embedded, {"outbox.carried": 1}):
            ids.hashes.update(hash(document.get("message_id")) for document in outbox_documents(holder, "messages"))
        cursor = self._mongo["messages"].find(
            {"visitor_key": key, "message_id": {"$type": "string"}},
            {"message_id": 1, "_id": 0},
            limit=_MAX_IDS_PER_CONVERSATION,
            hint="message_id",
        )
        async for document in cursor:
            ids.hashes.add(hash(document["message_id"]))
        return ids

    def _store(self, conversation: Conversation, ids: _IdSet) -> None:
        ids.hashes.update(hash(message_id) for message_id, seq in conversation.recent_ids if seq > ids.up_to_seq)
        ids.up_to_seq = max(ids.up_to_seq, conversation.last_seq)
        self._remove(conversation.id)
        ids.counted = len(ids.hashes)
        if ids.counted < _MAX_IDS_PER_CONVERSATION:
            self._by_conversation[conversation.id] = ids
            self._total += ids.counted
        while self._total > _MAX_IDS:
            self._remove(next(iter(self._by_conversation)))

    def _remove(self, conversation_id: int) -> None:
        removed = self._by_conversation.pop(conversation_id, None)
        if removed is not None:
            self._total -= removed.counted
