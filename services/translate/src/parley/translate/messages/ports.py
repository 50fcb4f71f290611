"""Which messages are translated already."""

from __future__ import annotations

from typing import Protocol

from parley.common.events import Event
from parley.translate.messages.model import Message


class ProcessedMessages(Protocol):
    """Messages that are translated, so that a message whose event arrives twice is translated once."""

    async def contains(self, message_id: int, target: str) -> bool:
        """Return whether the message is translated into the target language."""

    async def add(self, message_id: int, target: str, event: Event) -> None:
        """Store the message together with the event to publish. Does nothing if the message is stored already."""


class RecentMessages(Protocol):
    """Chat, for messages that were written before translation was on."""

    async def list(self, conversation_id: int, limit: int) -> list[Message]:
        """Return the newest messages, oldest first. Raises Unavailable."""
