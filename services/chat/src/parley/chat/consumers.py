"""What chat consumes from other services: events by type, and the RPC methods that it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from parley.chat.conversations.lost_access import LostAccess
from parley.chat.conversations.model import TranslationState
from parley.chat.conversations.queries import ConversationQueries
from parley.chat.conversations.service import ConversationService
from parley.chat.messages.translations import MessageTranslations
from parley.chat.presence.service import PresenceService
from parley.chat.search.feed import SearchFeed
from parley.chat.transcripts.service import TranscriptService
from parley.common.events import Event
from parley.common.events.messages import MessageTranslated
from parley.common.events.presence import OperatorOffline, OperatorOnline
from parley.common.events.team import OperatorAccessChanged
from parley.common.events.translation import TranslationUpdated

EventHandler = Callable[[Event], Awaitable[None]]
RpcMethod = Callable[[dict[str, Any]], Awaitable[dict[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class EventHandlers:
    presence: PresenceService
    message_translations: MessageTranslations
    conversations: ConversationService
    lost_access: LostAccess
    search: SearchFeed

    def by_type(self) -> Mapping[str, EventHandler]:
        return {
            "operator.online": self.on_operator_online,
            "operator.offline": self.on_operator_offline,
            "operator.access_changed": self.on_access_changed,
            "message.translated": self.on_message_translated,
            "translation.updated": self.on_translation_updated,
        }

    async def on_operator_online(self, event: Event) -> None:
        operator_id = event.parse_data(OperatorOnline).operator_id
        await self.presence.record_operator(event.site_id, operator_id, event.occurred_at, online=True)

    async def on_operator_offline(self, event: Event) -> None:
        operator_id = event.parse_data(OperatorOffline).operator_id
        await self.presence.record_operator(event.site_id, operator_id, event.occurred_at, online=False)

    async def on_access_changed(self, event: Event) -> None:
        data = event.parse_data(OperatorAccessChanged)
        if data.session_id is None:  # Otherwise only a login session ended.
            await self.lost_access.return_conversations(event.tenant_id, data.operator_id)

    async def on_message_translated(self, event: Event) -> None:
        """Raises MessageNotPersisted: the event is then delivered again."""
        data = event.parse_data(MessageTranslated)
        assert event.conversation_id is not None
        await self.message_translations.save(event.conversation_id, data.seq, data.translation)
        await self.search.index_translation(event.conversation_id, data.seq)

    async def on_translation_updated(self, event: Event) -> None:
        data = event.parse_data(TranslationUpdated)
        assert event.conversation_id is not None
        translation = TranslationState(data.enabled, data.lang, data.operator_lang, data.supported, data.version)
        await self.conversations.apply_translation_update(event.tenant_id, event.conversation_id, translation)


@dataclass(frozen=True, slots=True)
class ConversationRpc:
    """RPC methods about conversations. Each returns None for what does not exist."""

    queries: ConversationQueries
    transcripts: TranscriptService

    def methods(self) -> dict[str, RpcMethod]:
        return {
            "conversation": self.get_conversation,
            "message": self.get_message,
            "recent_messages": self.list_recent_messages,
            "transcript_mail": self.get_transcript_mail,
        }

    async def get_conversation(self, request: dict[str, Any]) -> dict[str, Any] | None:
        conversation = await self.queries.find_by_id(int(request["conversation_id"]))
        if conversation is None:
            return None
        return {
            "tenant_id": conversation.tenant_id,
            "site_id": conversation.site_id,
            "session": conversation.visitor.session,
            "mode": conversation.mode,
            "operator_id": conversation.operator.id if conversation.operator else None,
            "language": conversation.visitor.language,
            "visitor_name": conversation.visitor.name,
            "operator_read_seq": conversation.operator_read_seq,
        }

    async def list_recent_messages(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The newest `limit` messages, oldest first, and the language that the visitor's browser asks for."""
        result = await self.queries.find_recent_messages(int(request["conversation_id"]), int(request["limit"]))
        if result is None:
            return None
        conversation, messages = result
        return {
            "language": conversation.visitor.language,
            "messages": [message.to_schema().model_dump(mode="json") for message in messages],
        }

    async def get_transcript_mail(self, request: dict[str, Any]) -> dict[str, Any] | None:
        mail = await self.transcripts.find_mail(str(request["request_id"]))
        return asdict(mail) if mail is not None else None

    async def get_message(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The message `seq`, or the first one after it."""
        message = await self.queries.find_message(int(request["conversation_id"]), int(request["seq"]))
        return {"message": message.to_schema().model_dump(mode="json")} if message else None
