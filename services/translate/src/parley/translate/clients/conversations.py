"""Conversations, read from chat over RPC."""

from __future__ import annotations

from parley.common.messaging import RpcClient
from parley.translate.conversations.model import Conversation


class RpcConversations:
    """Implements `ConversationSource`."""

    def __init__(self, chat: RpcClient) -> None:
        self._chat = chat

    async def get(self, conversation_id: int) -> Conversation | None:
        owner = await self._chat("conversation", conversation_id=conversation_id)
        if owner is None:
            return None
        return Conversation(conversation_id, owner["tenant_id"], owner["site_id"], owner["session"])
