"""What the copilot needs besides the AI's ports: conversations and their messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from parley.chat.conversations.model import Conversation
from parley.chat.messages.model import Message


class ConversationReader(Protocol):
    async def find(self, tenant_id: int, conversation_id: int) -> Conversation | None: ...


class RecentMessages(Protocol):
    async def list_for_conversation(
        self,
        conversation: Conversation,
        *,
        before_seq: int | None = None,
        after_seq: int | None = None,
        limit: int = 50,
    ) -> Sequence[Message]:
        """The last `limit` messages in the order of seq."""
