"""What chat listens to: event type → function, one domain or store call each; and the questions it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from parley.chat.clients.presence import MongoWhereabouts
from parley.chat.conversations import transitions
from parley.chat.conversations.model import Translation
from parley.chat.conversations.repository import MongoConversations
from parley.chat.messages.repository import MongoMessages
from parley.common.events import Event
from parley.common.events.messages import MessageTranslated
from parley.common.events.presence import OperatorOffline, OperatorOnline
from parley.common.events.translation import TranslationUpdated
from parley.common.runtime.clock import Clock

Question = Callable[[dict[str, Any]], Awaitable[dict[str, Any] | None]]


class NotStoredYet(Exception):
    """A translation's message was found neither in the collection nor on its way there: try again in a moment."""


class Consumers:
    def __init__(
        self,
        conversations: MongoConversations,
        messages: MongoMessages,
        whereabouts: MongoWhereabouts,
        clock: Clock,
    ) -> None:
        self._conversations = conversations
        self._messages = messages
        self._whereabouts = whereabouts
        self._clock = clock

    def handlers(self) -> Mapping[str, Callable[[Event], Awaitable[None]]]:
        return {
            "operator.online": self.operator_online,
            "operator.offline": self.operator_offline,
            "message.translated": self.message_translated,
            "translation.updated": self.translation_updated,
        }

    async def operator_online(self, event: Event) -> None:
        operator_id = event.read(OperatorOnline).operator_id
        await self._whereabouts.learn(event.site_id, operator_id, event.occurred_at, online=True)

    async def operator_offline(self, event: Event) -> None:
        operator_id = event.read(OperatorOffline).operator_id
        await self._whereabouts.learn(event.site_id, operator_id, event.occurred_at, online=False)

    async def message_translated(self, event: Event) -> None:
        told = event.read(MessageTranslated)
        assert event.conversation_id is not None
        if await self._messages.set_translation(event.conversation_id, told.seq, told.translation.model_dump()):
            return
        # A conversation that is gone was erased: its translation is nobody's any more.
        if await self._conversations.by_id(event.conversation_id) is not None:
            raise NotStoredYet

    async def translation_updated(self, event: Event) -> None:
        told = event.read(TranslationUpdated)
        translation = Translation(told.enabled, told.lang, told.operator_lang, told.supported, told.version)
        assert event.conversation_id is not None
        at = self._clock()
        await self._conversations.change(
            event.tenant_id, event.conversation_id, lambda now: transitions.know_translation(now, translation, at)
        )

    def questions(self) -> dict[str, Question]:
        return {"conversation": self.about_conversation, "message": self.about_message}

    async def about_conversation(self, question: dict[str, Any]) -> dict[str, Any] | None:
        found = await self._conversations.by_id(int(question["conversation_id"]))
        if found is None:
            return None
        return {
            "tenant_id": found.tenant_id,
            "site_id": found.site_id,
            "session": found.visitor.session,
            "mode": found.mode,
            "operator_id": found.operator.id if found.operator else None,
            "language": found.visitor.language,
            "visitor_name": found.visitor.name,
            "operator_read_seq": found.operator_read_seq,
        }

    async def about_message(self, question: dict[str, Any]) -> dict[str, Any] | None:
        found = await self._conversations.by_id(int(question["conversation_id"]))
        if found is None:
            return None
        said = await self._messages.of_conversation(found, after_seq=int(question["seq"]) - 1, limit=1)
        return {"message": said[0].view().model_dump(mode="json")} if said else None
