"""The conversation that a visitor writes in: the open one, or a new one."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.conversations import transitions
from parley.chat.conversations.errors import ConcurrentModification
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.ports import ConversationRepository
from parley.chat.forms.errors import PrechatFormRequired
from parley.chat.forms.model import SiteForms, prechat_questions
from parley.chat.ids import NextConversationId
from parley.chat.messages.errors import SessionJoined
from parley.chat.messages.ports import FindJoinedPerson
from parley.chat.visitors.model import Visitor
from parley.common.runtime.clock import Clock

MAX_ATTEMPTS = 5
"""How often a use case starts again when the conversation has changed meanwhile."""


@dataclass(frozen=True, slots=True)
class VisitorConversations:
    """Finds or opens the conversation of a visitor."""

    conversations: ConversationRepository
    clock: Clock
    next_conversation_id: NextConversationId
    find_joined_person: FindJoinedPerson

    async def get_or_open(self, visitor: Visitor, required: SiteForms | None) -> Conversation:
        """The visitor's open conversation, or a new one.

        `required`: the site's forms, of which the visitor must have answered the one before the chat. Raises
        SessionJoined, ConcurrentModification, PrechatFormRequired.
        """
        for _ in range(MAX_ATTEMPTS):
            conversation = await self.conversations.find_open(visitor)
            if conversation is not None:
                return conversation
            await self._require_not_joined(visitor)
            if required is not None and not prechat_questions(required, visitor.form, visitor.proved).is_empty:
                raise PrechatFormRequired
            latest = await self.conversations.find_latest(visitor)
            conversation_id = await self.next_conversation_id(visitor.session)
            change = transitions.open_conversation(
                visitor,
                conversation_id,
                latest.id if latest else None,
                "ai",
                self.clock(),
                chosen_team(visitor, required) if required is not None else None,
            )
            if await self.conversations.create(change):
                await self._close_if_joined(visitor, change.conversation)
                return change.conversation
        raise ConcurrentModification

    async def _require_not_joined(self, visitor: Visitor) -> None:
        person = await self.find_joined_person(visitor)
        if person is not None:
            raise SessionJoined(person)

    async def _close_if_joined(self, visitor: Visitor, conversation: Conversation) -> None:
        """Close a conversation that came too late to join the history of a person. Raises SessionJoined."""
        try:
            await self._require_not_joined(visitor)
        except SessionJoined:
            at = self.clock()
            await self.conversations.change(
                conversation.tenant_id,
                conversation.id,
                # It may have joined all the same.
                lambda current: transitions.close_for_newer(current, at) if is_open_for(visitor, current) else None,
            )
            raise


def is_open_for(visitor: Visitor, conversation: Conversation) -> bool:
    """Whether a visitor may still write in it: it may have been closed, or joined to the history of a person."""
    return conversation.open and conversation.visitor.key == visitor.key


def chosen_team(visitor: Visitor, forms: SiteForms) -> int | None:
    """The team that the visitor chose, if the site still offers it."""
    chosen = visitor.form.department if visitor.form is not None else None
    return chosen.id if chosen is not None and forms.offers(chosen.id) else None
