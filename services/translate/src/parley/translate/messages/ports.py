"""Which messages are translated already."""

from __future__ import annotations

from typing import Protocol

from parley.common.events import Event


class ProcessedMessages(Protocol):
    """Messages that are translated, so that a message whose event arrives twice is translated once."""

    async def contains(self, message_id: int, target: str) -> bool:
        """Return whether the message is translated into the target language."""

    async def add(self, message_id: int, target: str, event: Event) -> None:
        """Store the message together with the event to publish. Does nothing if the message is stored already."""
