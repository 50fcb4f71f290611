"""Event consumers and RPC methods of translate. Each calls one method of a service."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from parley.common.events import Event
from parley.common.events.conversations import VisitorErased
from parley.common.events.messages import MessageCreated
from parley.common.events.translation import TranslationUpdated
from parley.common.http import Id
from parley.common.messaging import BroadcastSubscriber, Consumer, PoisonMessage, RpcServer
from parley.common.messaging.topology import EVENTS_EXCHANGE
from parley.translate.conversations.model import Conversation
from parley.translate.conversations.service import ConversationService
from parley.translate.languages.tags import MAX_TAG_LENGTH
from parley.translate.messages.backlog import Backlog
from parley.translate.messages.model import Message
from parley.translate.messages.service import MessageTranslationService
from parley.translate.privacy.service import PrivacyService
from parley.translate.translations.cache import TranslationCache

_SERVICE = "translate"
_MESSAGES_TO_TRANSLATE = "message.created.#.translate.#"
"""Chat adds this routing tag to messages in conversations that have translation on."""

_MAX_CONCURRENT_BACKLOGS = 4
"""Few: live messages go before what was written earlier."""

LanguageTag = Annotated[str, Field(min_length=1, max_length=MAX_TAG_LENGTH)]


class TranslateRequest(BaseModel):
    """Parameters of the RPC method `translate`, which chat calls before it sends an operator's message."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    site_id: Id
    conversation_id: Id | None = None
    text: str = Field(max_length=100_000)
    target: LanguageTag
    source: LanguageTag | None = None


def message_consumer(messages: MessageTranslationService, max_concurrency: int) -> Consumer:
    """Translates messages: conversations concurrently, the messages of each in order."""

    async def on_message_created(event: Event) -> None:
        data = event.parse_data(MessageCreated)
        message = Message(
            id=data.id,
            seq=data.seq,
            role=data.role,
            content=data.content,
            translation_status=data.translation.status if data.translation is not None else None,
            browser_language=data.conversation.visitor.language,
            labels=tuple(reply.label for reply in data.quick_replies),
        )
        await messages.translate_message(_to_conversation(event), message)

    return Consumer(
        _SERVICE,
        "messages",
        {"message.created": on_message_created},
        prefetch=max_concurrency,
        binding_patterns={"message.created": _MESSAGES_TO_TRANSLATE},
        concurrent_partitions=True,
    )


def backlog_consumer(backlog: Backlog) -> Consumer:
    """Translates what was written before translation was on: conversations concurrently."""

    async def on_translation_updated(event: Event) -> None:
        if event.parse_data(TranslationUpdated).enabled:
            await backlog.translate(_to_conversation(event).id)

    return Consumer(
        _SERVICE,
        "backlog",
        {"translation.updated": on_translation_updated},
        prefetch=_MAX_CONCURRENT_BACKLOGS,
        concurrent_partitions=True,
    )


def conversation_consumer(conversations: ConversationService, privacy: PrivacyService) -> Consumer:
    """Stores new conversations and erases visitors' data, in the order of the events."""

    async def on_conversation_created(event: Event) -> None:
        await conversations.add(_to_conversation(event))

    async def on_visitor_erased(event: Event) -> None:
        await privacy.erase(event.parse_data(VisitorErased).conversation_ids)

    return Consumer(
        _SERVICE,
        "conversations",
        {"conversation.created": on_conversation_created, "visitor.erased": on_visitor_erased},
    )


def erasure_subscriber(cache: TranslationCache) -> BroadcastSubscriber:
    """Clears every replica's memory when a visitor is erased: it may hold what one replica erases from the database."""

    async def on_visitor_erased(_: Event) -> None:
        cache.clear_memory()

    return BroadcastSubscriber(
        "erasures", EVENTS_EXCHANGE, ("*.*.visitor.erased",), on_visitor_erased, cache.clear_memory
    )


def rpc_methods(messages: MessageTranslationService, privacy: PrivacyService) -> RpcServer:
    """RPC methods: translation of a text, and the personal data of a visitor."""

    async def translate(body: dict[str, Any]) -> dict[str, Any]:
        request = TranslateRequest.model_validate(body)
        translation = await messages.translate_text(
            request.site_id, request.conversation_id, request.text, request.target, request.source
        )
        return {"content": translation.content, "lang": translation.lang, "status": translation.status}

    async def visitor_data(body: dict[str, Any]) -> dict[str, Any] | None:
        return await privacy.export([int(conversation_id) for conversation_id in body["conversation_ids"]])

    return RpcServer(_SERVICE, {"translate": translate, "visitor_data": visitor_data})


def _to_conversation(event: Event) -> Conversation:
    """Raises PoisonMessage if the event belongs to no conversation."""
    if event.conversation_id is None or event.session is None:
        raise PoisonMessage(f"{event.type} without a conversation")
    return Conversation(event.conversation_id, event.tenant_id, event.site_id, event.session)
