"""Live translation: each message of a translated conversation, into the other side's language, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from parley.common.events import Event, new_event
from parley.common.events.messages import MessageTranslated
from parley.common.events.schemas import MessageTranslation
from parley.common.observability.logging import logger
from parley.translate import metrics
from parley.translate.conversations.service import Conversation
from parley.translate.languages.detection import Detector, guess_language
from parley.translate.languages.tags import language_tag, same_language
from parley.translate.preferences.service import Preferences, PreferenceUse
from parley.translate.translations.translator import Translation, Translator

log = logger(__name__)

Role = Literal["visitor", "ai", "operator", "system"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as chat told of it. `translated` is its translation's status, where it went out with one."""

    id: int
    seq: int
    role: Role
    content: str
    translated: str | None
    browser_language: str | None


class Deliveries(Protocol):
    """Which messages have had their translation, so that a message told of twice is translated once."""

    async def done(self, message_id: int, target: str) -> bool: ...

    async def deliver(self, message_id: int, target: str, event: Event) -> None:
        """Note it down together with the event that carries it. The first one counts."""


class MessageUse:
    """Translates messages as they come, and answers what chat wants translated before it goes out."""

    def __init__(
        self,
        preferences: PreferenceUse,
        translator: Translator,
        deliveries: Deliveries,
        detector: Detector,
        *,
        answer_seconds: float,
    ) -> None:
        self._preferences = preferences
        self._translator = translator
        self._deliveries = deliveries
        self._detector = detector
        self._answer_seconds = answer_seconds

    async def created(self, conversation: Conversation, message: Message) -> None:
        """Translate a message, and tell; or tell that there is no translation."""
        preferences = await self._preferences.of(conversation.id)
        if preferences is None or not preferences.enabled or not message.content.strip() or message.role == "system":
            return
        if message.translated in ("done", "unsupported"):
            return
        if message.role == "visitor":
            preferences = await self._detected(preferences, message)
        source, target = self._direction(preferences, message)
        if target is None or (source is not None and same_language(source, target)):
            return
        if await self._deliveries.done(message.id, target):
            return
        translation = await self._translator.translate(
            conversation.site_id, message.content, source, target, conversation_id=conversation.id
        )
        await self._deliveries.deliver(message.id, target, _told(conversation, message, translation))

    async def answer(
        self, site_id: int, conversation_id: int | None, text: str, target: str, source: str | None
    ) -> Translation:
        """A text's translation before chat's patience ends, or that there is none. Raises Invalid for no language."""
        target = language_tag(target, "target")
        if source is not None:
            source = language_tag(source, "source")
        elif conversation_id is not None:
            known = await self._preferences.of(conversation_id)
            source = known.operator_lang if known is not None else None
        return await self._translator.translate(site_id, text, source, target, self._answer_seconds, conversation_id)

    async def _detected(self, preferences: Preferences, message: Message) -> Preferences:
        """The preferences with the language that the visitor turns out to write."""
        if preferences.lang is not None and not preferences.detected:
            return preferences
        found = guess_language(self._detector, message.content, preferences.lang, message.browser_language)
        if found is None or found == preferences.lang:
            return preferences
        metrics.DETECTIONS.inc()
        return await self._preferences.detected(preferences.conversation, found)

    def _direction(self, preferences: Preferences, message: Message) -> tuple[str | None, str | None]:
        own, theirs = preferences.operator_lang or "en", preferences.lang
        match message.role:
            case "visitor":
                return theirs, own
            case "ai":
                # The AI answers in the visitor's language as a rule: then it is the operator who has to be helped.
                guess = self._detector.detect(message.content)
                written = guess.lang if guess is not None else theirs
                helped = theirs is not None and written is not None and same_language(written, theirs)
                return written, own if helped else theirs
            case _:
                return own, theirs


def _told(conversation: Conversation, message: Message, translation: Translation) -> Event:
    data = MessageTranslated(
        id=message.id,
        seq=message.seq,
        role=message.role,
        translation=MessageTranslation(lang=translation.lang, content=translation.content, status=translation.status),
    )
    return new_event(
        data,
        tenant_id=conversation.tenant_id,
        site_id=conversation.site_id,
        conversation_id=conversation.id,
        session=conversation.session,
    )
