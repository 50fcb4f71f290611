"""Translations of messages, as the translate service reports them."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.conversations.ports import ConversationRepository
from parley.chat.messages.errors import MessageNotPersisted
from parley.chat.messages.ports import MessageRepository
from parley.common.events.schemas import MessageTranslation


@dataclass(frozen=True, slots=True)
class MessageTranslations:
    conversations: ConversationRepository
    messages: MessageRepository

    async def save(self, conversation_id: int, seq: int, translation: MessageTranslation) -> None:
        """Store a message's translation; no effect if the conversation was erased. Raises MessageNotPersisted."""
        if await self.messages.set_translation(conversation_id, seq, translation):
            return
        if await self.conversations.find_by_id(conversation_id) is not None:
            raise MessageNotPersisted
