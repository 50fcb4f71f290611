"""Conversations as their callers may see them."""

from __future__ import annotations

from parley.common.auth.identity import OperatorCaller
from parley.common.errors import NotFound
from parley.translate.conversations.model import Conversation
from parley.translate.conversations.ports import ConversationRepository, ConversationSource


class ConversationService:
    """Looks conversations up in the read model, then in chat, and checks the caller's access."""

    def __init__(self, repository: ConversationRepository, chat: ConversationSource) -> None:
        self._repository = repository
        self._chat = chat

    async def get_for_caller(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        """Return a conversation that the caller may use.

        Raises NotFound if there is none or it is another tenant's, Forbidden without the site or the permission,
        Unavailable if chat has to be asked and cannot be reached.
        """
        conversation = await self._repository.find(caller.tenant_id, conversation_id)
        if conversation is None:
            conversation = await self._chat.get(conversation_id)
            if conversation is None:
                raise NotFound
            await self._repository.save(conversation)
        caller.authorize(conversation.tenant_id, conversation.site_id)
        return conversation

    async def add(self, conversation: Conversation) -> None:
        """Store a conversation that chat created."""
        await self._repository.save(conversation)
