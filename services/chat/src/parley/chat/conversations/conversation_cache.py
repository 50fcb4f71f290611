"""The conversations that this process wrote or read last, so that most changes need no read before their write.

Changes by other replicas do not appear here. A cached conversation is therefore only used where that is harmless:
a change computed from it is guarded by the version, and a result without a write is computed from a fresh read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from parley.chat.conversations.model import Conversation
from parley.common.mongodb import Document

_MAX_CONVERSATIONS = 4000
"""Some kilobytes each."""


@dataclass(frozen=True, slots=True)
class CachedConversation:
    conversation: Conversation
    outbox: tuple[Document, ...] = ()
    """Outbox entries read with it, which this process has not published."""


class ConversationCache:
    """An LRU cache by id, with an index of each visitor's open conversation."""

    def __init__(self) -> None:
        self._by_id: OrderedDict[int, CachedConversation] = OrderedDict()
        self._open_ids: dict[str, int] = {}
        """Ids of open conversations, by visitor key."""

    def get(self, conversation_id: int) -> CachedConversation | None:
        return self._by_id.get(conversation_id)

    def get_open(self, visitor_key: str) -> Conversation | None:
        conversation_id = self._open_ids.get(visitor_key)
        return None if conversation_id is None else self._by_id[conversation_id].conversation

    def put(self, entry: CachedConversation) -> None:
        """Store an entry, unless a newer version is cached: it may have been read before that was written."""
        conversation = entry.conversation
        cached = self._by_id.get(conversation.id)
        if cached is not None and cached.conversation.version > conversation.version:
            return
        if cached is not None and cached.conversation.visitor.key != conversation.visitor.key:
            # It was joined to another visitor's.
            self._remove_open(cached.conversation)
        self._by_id[conversation.id] = entry
        self._by_id.move_to_end(conversation.id)
        if conversation.open:
            self._open_ids[conversation.visitor.key] = conversation.id
        else:
            self._remove_open(conversation)
        if len(self._by_id) > _MAX_CONVERSATIONS:
            _, oldest = self._by_id.popitem(last=False)
            self._remove_open(oldest.conversation)

    def invalidate(self, conversation_ids: Iterable[int]) -> None:
        for conversation_id in conversation_ids:
            cached = self._by_id.pop(conversation_id, None)
            if cached is not None:
                self._remove_open(cached.conversation)

    def _remove_open(self, conversation: Conversation) -> None:
        if self._open_ids.get(conversation.visitor.key) == conversation.id:
            del self._open_ids[conversation.visitor.key]
