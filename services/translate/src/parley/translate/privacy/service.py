"""Export and erasure of what translate stores of a visitor: languages, and translations of their conversations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parley.translate.preferences.model import Preferences
from parley.translate.privacy.ports import ConversationData, PreferenceData, TranslationData


class PrivacyService:
    """Exports and erases personal data. `others` hold no content, so they are erased but not exported."""

    def __init__(
        self, preferences: PreferenceData, translations: TranslationData, others: Sequence[ConversationData]
    ) -> None:
        self._preferences = preferences
        self._translations = translations
        self._others = others

    async def export(self, conversation_ids: Sequence[int]) -> dict[str, Any] | None:
        """Return all data of the conversations, in a form the visitor can read; None if there is none."""
        preferences = await self._preferences.find_all(conversation_ids)
        translations = await self._translations.list_texts(conversation_ids)
        if not preferences and not translations:
            return None
        return {
            "preferences": [_serialize_preferences(one) for one in preferences],
            "translations": list(translations),
        }

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        """Erase the data of the conversations. Idempotent."""
        # Preferences first: from then on, no message of these conversations is translated.
        await self._preferences.erase(conversation_ids)
        await self._translations.erase(conversation_ids)
        for data in self._others:
            await data.erase(conversation_ids)


def _serialize_preferences(preferences: Preferences) -> dict[str, Any]:
    return {
        "conversation_id": preferences.conversation.id,
        "enabled": preferences.enabled,
        "lang": preferences.lang,
        "operator_lang": preferences.operator_lang,
        "detected": preferences.detected,
    }
