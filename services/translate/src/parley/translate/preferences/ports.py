"""The interfaces that the preference service depends on."""

from __future__ import annotations

from typing import Protocol

from parley.common.events import Event
from parley.translate.preferences.model import Preferences


class PreferenceRepository(Protocol):
    """Stored preferences, each with the events of its changes."""

    async def find(self, conversation_id: int) -> Preferences | None:
        """Return a conversation's preferences; None if there are none."""

    async def save(self, preferences: Preferences, event: Event) -> bool:
        """Store the next version together with its event. Return False if another change was stored first."""


class LanguageSupport(Protocol):
    """The language pairs that can be translated."""

    def supports(self, source: str | None, target: str) -> bool: ...


class BacklogTranslator(Protocol):
    """Translates what was written before translation was on."""

    async def start(self, preferences: Preferences) -> Preferences:
        """Begin, and return the preferences with the visitor's language as far as it can be told."""
