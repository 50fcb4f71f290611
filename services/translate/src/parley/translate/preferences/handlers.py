"""Switching a conversation's translation, and saying between which languages."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from parley.common.auth.identity import OperatorCaller
from parley.common.http import Answer, Call, Id, RequestBody
from parley.translate.languages.tags import LONGEST_TAG
from parley.translate.preferences.service import Preferences, PreferenceUse

Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TAG)]


class ToggleRequest(RequestBody):
    """Which conversation, and whether it is to be translated."""

    conversation_id: Id
    enabled: bool


class SetLangRequest(RequestBody):
    """Which languages are spoken in a conversation."""

    conversation_id: Id
    lang: Tag = Field(description="The visitor's language, BCP 47.")
    operator_lang: Tag | None = Field(None, description="The operators' language; the caller's own where never set.")


class TranslationShown(BaseModel):
    """A conversation's translation as it now is."""

    model_config = ConfigDict(frozen=True)

    conversation_id: int
    enabled: bool
    lang: str | None = Field(description="The visitor's language; null until set or detected.")
    operator_lang: str | None
    detected: bool = Field(description="Whether `lang` was guessed from what the visitor writes.")
    supported: bool = Field(description="Whether an engine can do this pair, both ways.")


class TranslationAnswer(Answer):
    """The translation after the change."""

    translation: TranslationShown


class PreferenceHandlers:
    """The two endpoints of translation."""

    def __init__(self, use: PreferenceUse) -> None:
        self._use = use

    async def toggle(self, call: Call[OperatorCaller, ToggleRequest, None]) -> TranslationAnswer:
        return self._shown(await self._use.toggle(call.caller, call.body.conversation_id, call.body.enabled))

    async def set_lang(self, call: Call[OperatorCaller, SetLangRequest, None]) -> TranslationAnswer:
        body = call.body
        return self._shown(
            await self._use.set_languages(call.caller, body.conversation_id, body.lang, body.operator_lang)
        )

    def _shown(self, preferences: Preferences) -> TranslationAnswer:
        return TranslationAnswer(
            translation=TranslationShown(
                conversation_id=preferences.conversation.id,
                enabled=preferences.enabled,
                lang=preferences.lang,
                operator_lang=preferences.operator_lang,
                detected=preferences.detected,
                supported=self._use.supported(preferences),
            )
        )
