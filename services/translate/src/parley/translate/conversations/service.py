"""What this service knows of a conversation: whose it is. Chat owns the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from parley.common.auth.identity import OperatorCaller
from parley.common.errors import NotFound


@dataclass(frozen=True, slots=True)
class Conversation:
    """Whose a conversation is. `session` is the public handle of the visitor's session."""

    id: int
    tenant_id: int
    site_id: int
    session: str


class KnownConversations(Protocol):
    """The read model, fed by chat's events."""

    async def find(self, tenant_id: int, conversation_id: int) -> Conversation | None: ...
    async def remember(self, conversation: Conversation) -> None: ...


class ConversationOwner(Protocol):
    """Chat, asked for what its events have not told yet."""

    async def conversation(self, conversation_id: int) -> Conversation | None:
        """None where there is no such conversation. Raises Unavailable."""


class Conversations:
    """Conversations as callers may see them."""

    def __init__(self, known: KnownConversations, owner: ConversationOwner) -> None:
        self._known = known
        self._owner = owner

    async def for_caller(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        """Raises NotFound for what is not there or another tenant's, Forbidden without the site or the permission."""
        found = await self._known.find(caller.tenant_id, conversation_id)
        if found is None:
            found = await self._owner.conversation(conversation_id)
            if found is None:
                raise NotFound
            await self._known.remember(found)
        caller.authorize(found.tenant_id, found.site_id)
        return found

    async def created(self, conversation: Conversation) -> None:
        """Chat told of a new conversation."""
        await self._known.remember(conversation)
