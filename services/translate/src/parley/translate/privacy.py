"""What is kept here of one visitor: their conversations' languages, and translations of what was said in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from parley.translate.preferences.service import Preferences
from parley.translate.translations.cache import StoredTranslations


class Erasable(Protocol):
    """Something that keeps documents of conversations."""

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        """Forget them; done twice, it is the same."""


class ErasablePreferences(Erasable, Protocol):
    """Preferences, which remember that there is nothing to translate any more."""

    async def of(self, conversation_ids: Sequence[int]) -> list[Preferences]: ...


@dataclass(frozen=True, slots=True)
class PersonalData:
    preferences: ErasablePreferences
    translations: StoredTranslations
    others: Sequence[Erasable]
    """What only says that something was done, and holds nothing that a visitor could read."""

    async def kept(self, conversation_ids: Sequence[int]) -> dict[str, Any] | None:
        """All of it, as the visitor may read it; None where there is nothing."""
        preferences = await self.preferences.of(conversation_ids)
        translations = await self.translations.made_for(conversation_ids)
        if not preferences and not translations:
            return None
        return {"preferences": [_shown(one) for one in preferences], "translations": list(translations)}

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        """Preferences first: from then on nothing of these conversations is translated."""
        await self.preferences.erase(conversation_ids)
        await self.translations.erase(conversation_ids)
        for part in self.others:
            await part.erase(conversation_ids)


def _shown(preferences: Preferences) -> dict[str, Any]:
    return {
        "conversation_id": preferences.conversation.id,
        "enabled": preferences.enabled,
        "lang": preferences.lang,
        "operator_lang": preferences.operator_lang,
        "detected": preferences.detected,
    }
