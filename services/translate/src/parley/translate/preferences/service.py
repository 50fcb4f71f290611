"""Reads and changes the translation settings of conversations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Unavailable
from parley.common.events import Actor, Event, new_event
from parley.common.events.translation import TranslationUpdated
from parley.translate.conversations.model import Conversation
from parley.translate.conversations.service import ConversationService
from parley.translate.languages.tags import is_same_language, parse_language_tag
from parley.translate.preferences.model import Preferences
from parley.translate.preferences.ports import LanguageSupport, PreferenceRepository

_MAX_ATTEMPTS = 8

Change = Callable[[Preferences], Preferences]


class PreferenceService:
    """Changes preferences. Each change publishes one event; the event's version gives the order of changes."""

    def __init__(
        self, repository: PreferenceRepository, conversations: ConversationService, engines: LanguageSupport
    ) -> None:
        self._repository = repository
        self._conversations = conversations
        self._engines = engines

    async def set_enabled(self, caller: OperatorCaller, conversation_id: int, enabled: bool) -> Preferences:
        """Switch a conversation's translation on or off. The operator's language defaults to the caller's.

        Raises NotFound, Forbidden, Unavailable.
        """
        conversation = await self._conversations.get_for_caller(caller, conversation_id)

        def change(current: Preferences) -> Preferences:
            operator_lang = current.operator_lang or _caller_language(caller)
            return replace(current, enabled=enabled, operator_lang=operator_lang)

        return await self._update(conversation, change, _to_actor(caller))

    async def set_languages(
        self, caller: OperatorCaller, conversation_id: int, lang: str, operator_lang: str | None
    ) -> Preferences:
        """Set the visitor's language, and the operator's if given.

        Raises ValidationFailed for an invalid language, NotFound, Forbidden, Unavailable.
        """
        visitor_tag = parse_language_tag(lang, "lang")
        operator_tag = parse_language_tag(operator_lang, "operator_lang") if operator_lang is not None else None
        conversation = await self._conversations.get_for_caller(caller, conversation_id)

        def change(current: Preferences) -> Preferences:
            new_operator_lang = operator_tag or current.operator_lang or _caller_language(caller)
            return replace(current, lang=visitor_tag, operator_lang=new_operator_lang, detected=False)

        return await self._update(conversation, change, _to_actor(caller))

    async def set_detected_language(self, conversation: Conversation, lang: str) -> Preferences:
        """Set the visitor's language as detected. A language that an operator set is kept. Raises Unavailable."""

        def change(current: Preferences) -> Preferences:
            if current.lang is not None and not current.detected:
                return current
            return replace(current, lang=lang, detected=True)

        return await self._update(conversation, change, Actor(kind="system"))

    async def get(self, conversation_id: int) -> Preferences | None:
        """Return a conversation's preferences; None if they were never set."""
        return await self._repository.find(conversation_id)

    async def get_for_caller(self, caller: OperatorCaller, conversation_id: int) -> Preferences | None:
        """Return the preferences of a conversation that the caller may use. Raises NotFound, Forbidden, Unavailable."""
        conversation = await self._conversations.get_for_caller(caller, conversation_id)
        return await self._repository.find(conversation.id)

    def is_supported(self, preferences: Preferences) -> bool:
        """Return whether an engine can translate in both directions.

        While the visitor's language is unknown: whether it can translate into the operator's.
        """
        operator_lang, visitor_lang = preferences.operator_lang or "en", preferences.lang
        if visitor_lang is None:
            return self._engines.supports(None, operator_lang)
        return is_same_language(visitor_lang, operator_lang) or (
            self._engines.supports(visitor_lang, operator_lang) and self._engines.supports(operator_lang, visitor_lang)
        )

    async def _update(self, conversation: Conversation, change: Change, actor: Actor) -> Preferences:
        for _ in range(_MAX_ATTEMPTS):
            current = await self._repository.find(conversation.id) or Preferences(conversation)
            changed = change(current)
            if changed == current:
                return current
            changed = replace(changed, version=current.version + 1)
            if await self._repository.save(changed, self._updated_event(changed, actor)):
                return changed
        raise Unavailable("The translation settings are being changed by others. Please try again.")

    def _updated_event(self, preferences: Preferences, actor: Actor) -> Event:
        conversation = preferences.conversation
        data = TranslationUpdated(
            enabled=preferences.enabled,
            lang=preferences.lang,
            operator_lang=preferences.operator_lang,
            supported=self.is_supported(preferences),
            detected=preferences.detected,
            version=preferences.version,
        )
        return new_event(
            data,
            tenant_id=conversation.tenant_id,
            site_id=conversation.site_id,
            conversation_id=conversation.id,
            session=conversation.session,
            actor=actor,
        )


def _caller_language(caller: OperatorCaller) -> str:
    return caller.language or "en"


def _to_actor(caller: OperatorCaller) -> Actor:
    return Actor(kind="operator", id=caller.operator_id, name=caller.name)
