"""Where the conversation service reads conversations."""

from __future__ import annotations

from typing import Protocol

from parley.translate.conversations.model import Conversation


class ConversationRepository(Protocol):
    """The read model of conversations, filled from chat's events."""

    async def find(self, tenant_id: int, conversation_id: int) -> Conversation | None:
        """Return the tenant's conversation; None if it is not stored."""

    async def save(self, conversation: Conversation) -> None:
        """Store the conversation and renew its retention."""


class ConversationSource(Protocol):
    """Chat, for conversations that are not in the read model."""

    async def get(self, conversation_id: int) -> Conversation | None:
        """Return the conversation; None if there is none. Raises Unavailable."""
