"""What this process wrote or read last of each conversation: so that most changes need no find.

Another replica's change does not show here. So nothing is ever believed for being known: a change that is built on it
is guarded by the version, and whatever is not written is decided by what was read for it (`store.commits`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from parley.chat.conversations.model import Conversation
from parley.common.mongodb import Document

_REMEMBERED = 4000
"""Conversations, some kilobytes each."""


@dataclass(frozen=True, slots=True)
class Known:
    """A conversation, and what of its outbox this process has not told yet."""

    conversation: Conversation
    riding: tuple[Document, ...] = ()


class KnownConversations:
    """The conversations that were changed or read last."""

    def __init__(self) -> None:
        self._by_id: OrderedDict[int, Known] = OrderedDict()
        self._open: dict[str, int] = {}
        """The open conversation of a visitor, by the visitor's key."""

    def get(self, conversation_id: int) -> Known | None:
        return self._by_id.get(conversation_id)

    def open_of(self, visitor_key: str) -> Conversation | None:
        """The visitor's open conversation, where it is known."""
        conversation_id = self._open.get(visitor_key)
        return None if conversation_id is None else self._by_id[conversation_id].conversation

    def remember(self, known: Known) -> None:
        conversation = known.conversation
        before = self._by_id.get(conversation.id)
        if before is not None and before.conversation.version > conversation.version:
            return  # It was read before what was written meanwhile.
        self._by_id[conversation.id] = known
        self._by_id.move_to_end(conversation.id)
        if conversation.open:
            self._open[conversation.visitor.key] = conversation.id
        else:
            self._no_longer_open(conversation)
        if len(self._by_id) > _REMEMBERED:
            _, oldest = self._by_id.popitem(last=False)
            self._no_longer_open(oldest.conversation)

    def forget(self, conversation_ids: Iterable[int]) -> None:
        """Read these anew when they are changed next."""
        for conversation_id in conversation_ids:
            known = self._by_id.pop(conversation_id, None)
            if known is not None:
                self._no_longer_open(known.conversation)

    def _no_longer_open(self, conversation: Conversation) -> None:
        if self._open.get(conversation.visitor.key) == conversation.id:
            del self._open[conversation.visitor.key]
