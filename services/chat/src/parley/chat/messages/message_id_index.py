"""Which senders' ids long conversations have seen: so that a new message need not be looked for among the old ones.

Every message has its sender's id, and is kept once however often it is sent. The last ids stand in the conversation
itself; in a longer one the others would have to be looked for each time. This process remembers them as it goes: an id
that is not among them is new, one that may be is looked for.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from parley.chat.conversations.model import RECENT_IDS, Conversation
from parley.chat.conversations.outbox_documents import carried
from parley.common.mongodb import Mongo

_MOST_OF_ONE = 5_000
_MOST_OF_ALL = 200_000
"""Some seventy bytes each."""


@dataclass(slots=True)
class _Seen:
    """Hashes of all ids up to a seq."""

    up_to: int
    ids: set[int]
    counted: int = 0

    def joins(self, conversation: Conversation) -> bool:
        """Whether nothing lies between these and the conversation's recent ids."""
        recent = conversation.recent_ids
        return len(recent) < RECENT_IDS or recent[0][1] <= self.up_to + 1


class SendersIds:
    """Says of an id that it is new to a conversation's visitor, where it knows that."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._seen: OrderedDict[int, _Seen] = OrderedDict()
        self._count = 0

    async def is_new(self, conversation: Conversation, message_id: str) -> bool:
        """Whether no message up to the conversation's last one has this id. False also where that is not known."""
        seen = self._seen.get(conversation.id)
        if seen is None or not seen.joins(conversation):
            seen = await self._read(conversation)
        self._keep(conversation, seen)
        return len(seen.ids) < _MOST_OF_ONE and hash(message_id) not in seen.ids

    async def _read(self, conversation: Conversation) -> _Seen:
        """All of the visitor's; of very many only some."""
        seen = _Seen(conversation.last_seq, set())
        key = conversation.visitor.key
        # The outbox is read first: an entry leaves it only after its message stands in the collection.
        riding = {"visitor_key": key, "outbox.carried.into": "messages"}
        async for holder in self._mongo["conversations"].find(riding, {"outbox.carried": 1}):
            seen.ids.update(hash(one.get("message_id")) for one in carried(holder, "messages"))
        said = {"visitor_key": key, "message_id": {"$type": "string"}}
        found = self._mongo["messages"].find(said, {"message_id": 1, "_id": 0}, limit=_MOST_OF_ONE, hint="message_id")
        async for row in found:
            seen.ids.add(hash(row["message_id"]))
        return seen

    def _keep(self, conversation: Conversation, seen: _Seen) -> None:
        seen.ids.update(hash(message_id) for message_id, seq in conversation.recent_ids if seq > seen.up_to)
        seen.up_to = max(seen.up_to, conversation.last_seq)
        self._forget(conversation.id)
        seen.counted = len(seen.ids)
        if seen.counted < _MOST_OF_ONE:
            self._seen[conversation.id] = seen
            self._count += seen.counted
        while self._count > _MOST_OF_ALL:
            self._forget(next(iter(self._seen)))

    def _forget(self, conversation_id: int) -> None:
        gone = self._seen.pop(conversation_id, None)
        if gone is not None:
            self._count -= gone.counted
