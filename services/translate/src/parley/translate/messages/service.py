"""Live translation: each message of a translated conversation, once, into the language of the other side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from parley.common.events import Event, new_event
from parley.common.events.messages import MessageTranslated
from parley.common.events.schemas import MessageTranslation
from parley.translate import metrics
from parley.translate.conversations.model import Conversation
from parley.translate.languages.detection import LanguageDetector, choose_language
from parley.translate.languages.tags import is_same_language, parse_language_tag
from parley.translate.messages.model import Message
from parley.translate.messages.ports import ProcessedMessages
from parley.translate.preferences.model import Preferences
from parley.translate.preferences.service import PreferenceService
from parley.translate.translations.model import Translation, TranslationRequest
from parley.translate.translations.service import TranslationService


class MessageTranslationService:
    """Translates new messages, and texts that chat wants translated before it sends them.

    `chat_wait_seconds` is the time after which chat gets the answer that there is no translation.
    """

    def __init__(
        self,
        preferences: PreferenceService,
        translations: TranslationService,
        processed: ProcessedMessages,
        detector: LanguageDetector,
        *,
        chat_wait_seconds: float,
    ) -> None:
        self._preferences = preferences
        self._translations = translations
        self._processed = processed
        self._detector = detector
        self._chat_wait_seconds = chat_wait_seconds

    async def translate_message(self, conversation: Conversation, message: Message) -> None:
        """Translate a message if its conversation has translation on, and publish the translation or its failure."""
        preferences = await self._preferences.get(conversation.id)
        if preferences is None or not preferences.enabled or not message.content.strip() or message.role == "system":
            return
        if message.translation_status in ("done", "unsupported"):
            return
        if message.role == "visitor":
            preferences = await self._update_detected_language(preferences, message)
        source, target = self._languages(preferences, message)
        if target is None or (source is not None and is_same_language(source, target)):
            return
        if await self._processed.contains(message.id, target):
            return
        request = TranslationRequest(conversation.site_id, message.content, source, target, conversation.id)
        translation = await self._translations.translate(request)
        labels = [await self._translate_label(request, label) for label in message.labels]
        await self._processed.add(message.id, target, _translated_event(conversation, message, translation, labels))

    async def _translate_label(self, request: TranslationRequest, label: str) -> str:
        """The label of a quick reply, as it is if it cannot be translated."""
        return (await self._translations.translate(replace(request, text=label))).content or label

    async def detect_language(self, preferences: Preferences, messages: Sequence[Message]) -> None:
        """Store the language in which the visitor has written these messages. Raises Unavailable."""
        for message in messages:
            if message.role == "visitor" and message.content.strip():
                preferences = await self._update_detected_language(preferences, message)

    async def translate_earlier_message(self, conversation: Conversation, message: Message) -> None:
        """Translate a message from before translation was on, if it is the operator who cannot read it."""
        preferences = await self._preferences.get(conversation.id)
        if preferences is None or message.role not in ("visitor", "ai"):
            return
        _, target = self._languages(preferences, message)
        if target is not None and is_same_language(target, preferences.operator_lang or "en"):
            await self.translate_message(conversation, message)

    async def translate_text(
        self, site_id: int, conversation_id: int | None, text: str, target: str, source: str | None
    ) -> Translation:
        """Translate a text for chat within `chat_wait_seconds`. Raises ValidationFailed for an invalid language.

        A missing `source` is the language of the conversation's operator.
        """
        target = parse_language_tag(target, "target")
        if source is not None:
            source = parse_language_tag(source, "source")
        elif conversation_id is not None:
            preferences = await self._preferences.get(conversation_id)
            source = preferences.operator_lang if preferences is not None else None
        request = TranslationRequest(site_id, text, source, target, conversation_id)
        return await self._translations.translate(request, wait_seconds=self._chat_wait_seconds)

    async def _update_detected_language(self, preferences: Preferences, message: Message) -> Preferences:
        """Return the preferences with the language that the visitor writes, stored if it changed."""
        if preferences.lang is not None and not preferences.detected:
            return preferences
        lang = choose_language(self._detector, message.content, preferences.lang, message.browser_language)
        if lang is None or lang == preferences.lang:
            return preferences
        metrics.DETECTIONS.inc()
        return await self._preferences.set_detected_language(preferences.conversation, lang)

    def _languages(self, preferences: Preferences, message: Message) -> tuple[str | None, str | None]:
        """Return the source and the target language of a message; None where unknown."""
        operator_lang, visitor_lang = preferences.operator_lang or "en", preferences.lang
        match message.role:
            case "visitor":
                return visitor_lang, operator_lang
            case "ai":
                # The AI usually answers in the visitor's language: then it is the operator who needs the translation.
                detected = self._detector.detect(message.content)
                source = detected.lang if detected is not None else visitor_lang
                visitor_reads_it = (
                    visitor_lang is not None and source is not None and is_same_language(source, visitor_lang)
                )
                return source, operator_lang if visitor_reads_it else visitor_lang
            case _:
                return operator_lang, visitor_lang


def _translated_event(
    conversation: Conversation, message: Message, translation: Translation, labels: Sequence[str]
) -> Event:
    data = MessageTranslated(
        id=message.id,
        seq=message.seq,
        role=message.role,
        translation=MessageTranslation(
            lang=translation.lang,
            content=translation.content,
            status=translation.status,
            quick_replies=tuple(labels),
        ),
    )
    return new_event(
        data,
        tenant_id=conversation.tenant_id,
        site_id=conversation.site_id,
        conversation_id=conversation.id,
        session=conversation.session,
    )
