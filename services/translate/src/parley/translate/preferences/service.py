"""How a conversation is translated: whether at all, and between which languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Unavailable
from parley.common.events import Actor, Event, new_event
from parley.common.events.translation import TranslationUpdated
from parley.translate.conversations.service import Conversation, Conversations
from parley.translate.languages.tags import language_tag, same_language

_TRIES = 8


@dataclass(frozen=True, slots=True)
class Preferences:
    """One conversation's. `detected` says that `lang` was guessed; `version` grows with every change."""

    conversation: Conversation
    enabled: bool = False
    lang: str | None = None
    operator_lang: str | None = None
    detected: bool = False
    version: int = 0


class StoredPreferences(Protocol):
    """Where preferences are kept, each with the events that tell of it."""

    async def find(self, conversation_id: int) -> Preferences | None: ...

    async def save(self, preferences: Preferences, event: Event) -> bool:
        """Keep the version after the one that was read, with its event; False where another change came first."""


class Pairs(Protocol):
    """What the engines can do."""

    def can(self, source: str | None, target: str) -> bool: ...


Change = Callable[[Preferences], Preferences]


class PreferenceUse:
    """Reads and changes preferences; whoever changes one, its news goes out once and in order."""

    def __init__(self, stored: StoredPreferences, conversations: Conversations, pairs: Pairs) -> None:
        self._stored = stored
        self._conversations = conversations
        self._pairs = pairs

    async def toggle(self, caller: OperatorCaller, conversation_id: int, enabled: bool) -> Preferences:
        """Switch a conversation's translation; the operator's language is the caller's, where none was set."""
        conversation = await self._conversations.for_caller(caller, conversation_id)

        def switched(now: Preferences) -> Preferences:
            return replace(now, enabled=enabled, operator_lang=now.operator_lang or _language_of(caller))

        return await self._change(conversation, switched, _actor(caller))

    async def set_languages(
        self, caller: OperatorCaller, conversation_id: int, lang: str, operator_lang: str | None
    ) -> Preferences:
        """Set the visitor's language, and the operator's where given. Raises Invalid for what is no language."""
        visitor = language_tag(lang, "lang")
        operator = language_tag(operator_lang, "operator_lang") if operator_lang is not None else None
        conversation = await self._conversations.for_caller(caller, conversation_id)

        def spoken(now: Preferences) -> Preferences:
            own = operator or now.operator_lang or _language_of(caller)
            return replace(now, lang=visitor, operator_lang=own, detected=False)

        return await self._change(conversation, spoken, _actor(caller))

    async def detected(self, conversation: Conversation, lang: str) -> Preferences:
        """A visitor's words told their language. What an operator has set stays as it is."""

        def found(now: Preferences) -> Preferences:
            return replace(now, lang=lang, detected=True) if now.lang is None or now.detected else now

        return await self._change(conversation, found, Actor(kind="system"))

    async def of(self, conversation_id: int) -> Preferences | None:
        """A conversation's preferences; None where nobody has touched them."""
        return await self._stored.find(conversation_id)

    def supported(self, preferences: Preferences) -> bool:
        """Whether an engine can do both directions; while the visitor's language is unknown, the known one."""
        own, theirs = preferences.operator_lang or "en", preferences.lang
        if theirs is None:
            return self._pairs.can(None, own)
        return same_language(theirs, own) or (self._pairs.can(theirs, own) and self._pairs.can(own, theirs))

    async def _change(self, conversation: Conversation, change: Change, actor: Actor) -> Preferences:
        for _ in range(_TRIES):
            now = await self._stored.find(conversation.id) or Preferences(conversation)
            then = change(now)
            if then == now:
                return now
            then = replace(then, version=now.version + 1)
            if await self._stored.save(then, self._news(then, actor)):
                return then
        raise Unavailable("Others are changing this at the same time. Please try again.")

    def _news(self, preferences: Preferences, actor: Actor) -> Event:
        conversation = preferences.conversation
        data = TranslationUpdated(
            enabled=preferences.enabled,
            lang=preferences.lang,
            operator_lang=preferences.operator_lang,
            supported=self.supported(preferences),
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


def _language_of(caller: OperatorCaller) -> str:
    return caller.language or "en"


def _actor(caller: OperatorCaller) -> Actor:
    return Actor(kind="operator", id=caller.operator_id, name=caller.name)
