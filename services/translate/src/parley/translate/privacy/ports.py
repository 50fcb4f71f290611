"""Repositories that hold personal data of conversations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from parley.translate.preferences.model import Preferences


class ConversationData(Protocol):
    """Documents of conversations."""

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        """Delete the documents of these conversations. Idempotent."""


class PreferenceData(ConversationData, Protocol):
    """Preferences. After an erasure they record that the conversation must not be translated again."""

    async def find_all(self, conversation_ids: Sequence[int]) -> Sequence[Preferences]:
        """Return the preferences of these conversations, where there are any."""


class TranslationData(ConversationData, Protocol):
    """Cached translations."""

    async def list_texts(self, conversation_ids: Sequence[int]) -> Sequence[str]:
        """Return the translations that were made for these conversations."""
