"""The tables of what comes over the broker: events heard, questions answered; one domain call each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from parley.common.events import Event
from parley.common.events.conversations import VisitorErased
from parley.common.events.messages import MessageCreated
from parley.common.http import Id
from parley.common.messaging import AnswerQuestions, Consumer, Undeliverable
from parley.translate.conversations.service import Conversation, Conversations
from parley.translate.languages.tags import LONGEST_TAG
from parley.translate.messages.service import Message, MessageUse
from parley.translate.privacy import PersonalData
from parley.translate.translations.cache import Cache

_SERVICE = "translate"
_TO_TRANSLATE = "message.created.#.translate.#"
"""Chat marks so the messages of conversations that have translation on: the others never come here."""

Tag = Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]


class TranslateQuestion(BaseModel):
    """What chat asks before an operator's message goes out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    site_id: Id
    conversation_id: Id | None = None
    text: str = Field(max_length=100_000)
    target: Tag
    source: Tag | None = None


def message_consumer(messages: MessageUse, at_once: int) -> Consumer:
    """Messages to translate: conversations side by side, each in its order."""

    async def created(event: Event) -> None:
        data = event.read(MessageCreated)
        visitor = data.conversation.visitor
        message = Message(
            id=data.id,
            seq=data.seq,
            role=data.role,
            content=data.content,
            translated=data.translation.status if data.translation is not None else None,
            browser_language=visitor.language,
        )
        await messages.created(_conversation(event), message)

    return Consumer(
        _SERVICE,
        "messages",
        {"message.created": created},
        prefetch=at_once,
        keys={"message.created": _TO_TRANSLATE},
        side_by_side=True,
    )


def conversation_consumer(conversations: Conversations, personal_data: PersonalData) -> Consumer:
    """Conversations that begin, and those that are erased: whose each is never changes in between."""

    async def created(event: Event) -> None:
        await conversations.created(_conversation(event))

    async def erased(event: Event) -> None:
        await personal_data.erase(event.read(VisitorErased).conversation_ids)

    return Consumer(_SERVICE, "conversations", {"conversation.created": created, "visitor.erased": erased})


def forget_near(cache: Cache) -> Callable[[Event], Awaitable[None]]:
    """In every replica: what one of them erases, the others may remember."""

    async def erased(_: Event) -> None:
        cache.forget_near()

    return erased


def answers(messages: MessageUse, personal_data: PersonalData) -> AnswerQuestions:
    """The questions this service answers."""

    async def translate(body: dict[str, Any]) -> dict[str, Any]:
        asked = TranslateQuestion.model_validate(body)
        found = await messages.answer(asked.site_id, asked.conversation_id, asked.text, asked.target, asked.source)
        return {"content": found.content, "lang": found.lang, "status": found.status}

    async def visitor_data(body: dict[str, Any]) -> dict[str, Any] | None:
        return await personal_data.kept([int(number) for number in body["conversation_ids"]])

    return AnswerQuestions(_SERVICE, {"translate": translate, "visitor_data": visitor_data})


def _conversation(event: Event) -> Conversation:
    if event.conversation_id is None or event.session is None:
        raise Undeliverable(f"{event.type} without a conversation")
    return Conversation(event.conversation_id, event.tenant_id, event.site_id, event.session)
