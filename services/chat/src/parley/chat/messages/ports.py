"""What message use cases need from storage and from the translate service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from parley.chat.conversations.model import Conversation
from parley.chat.messages.model import Message, Note
from parley.chat.visitors.model import Visitor
from parley.common.events.schemas import MessageTranslation, Role


class FindJoinedPerson(Protocol):
    async def __call__(self, visitor: Visitor) -> Visitor | None:
        """Return the person to whom belongs what an unidentified visitor has written; None if nobody is."""


class MessageRepository(Protocol):
    async def list_for_conversation(
        self,
        conversation: Conversation,
        *,
        before_seq: int | None = None,
        after_seq: int | None = None,
        limit: int = 50,
        role: Role | None = None,
    ) -> Sequence[Message]:
        """Messages in the order of seq: the first `limit` after `after_seq`, or else the last `limit`.

        `role`: only those of this role.
        """

    async def find_by_message_id(self, visitor: Visitor, message_id: str) -> Message | None: ...

    async def find_duplicate(self, conversation: Conversation, message_id: str) -> Message | None:
        """As `find_by_message_id`, among the visitor's messages up to the conversation's last one.

        For ids that are not among the conversation's recent ids; cheap for ids that are new.
        """

    async def find_ai_reply(self, conversation: Conversation, seq: int) -> Message | None:
        """The AI's reply to message `seq`."""

    async def list_unread_mentions(
        self, tenant_id: int, operator_id: int, site_ids: Sequence[int], limit: int
    ) -> Sequence[Note]:
        """The notes of these sites that call an operator who has not read them, newest first."""

    async def mark_mentions_read(self, conversation: Conversation, operator_id: int) -> None:
        """An operator has read the notes of a conversation that call them."""

    async def list_notes(self, conversation: Conversation) -> Sequence[Note]:
        """The newest 200 notes, oldest first."""

    async def set_translation(self, conversation_id: int, seq: int, translation: MessageTranslation) -> bool:
        """Store a message's translation. False if the message is not found; it may be on its way to storage."""


class MessageTranslator(Protocol):
    """Translates an operator's message before it is sent, within a timeout of its own."""

    async def __call__(
        self, conversation: Conversation, text: str, labels: Sequence[str] = ()
    ) -> MessageTranslation | None:
        """The text and the labels of its quick replies in the visitor's language, or with the status `failed`.

        None if it needs no translation.
        """
