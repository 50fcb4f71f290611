"""The interfaces that the preference service depends on."""

from __future__ import annotations

from typing import Protocol

from parley.common.events import Event
from parley.translate.preferences.model import Preferences
from parley.translate.translations.model import Translation


class PreferenceRepository(Protocol):
    """Stored preferences, each with the events of its changes."""

    async def find(self, conversation_id: int) -> Preferences | None:
        """Return a conversation's preferences; None if there are none."""

    async def save(self, preferences: Preferences, event: Event) -> bool:
        """Store the next version together with its event. Return False if another change was stored first."""


class LanguageSupport(Protocol):
    """The language pairs that can be translated."""

    def supports(self, source: str | None, target: str) -> bool: ...


class LanguageFinder(Protocol):
    """Finds the visitor's language in what was written before translation was on."""

    async def detect_language(self, preferences: Preferences) -> Preferences:
        """Return the preferences with the visitor's language as far as it can be detected."""


class TextTranslator(Protocol):
    """Translates a text as chat does before it sends it."""

    async def translate_text(
        self, site_id: int, conversation_id: int | None, text: str, target: str, source: str | None
    ) -> Translation: ...
