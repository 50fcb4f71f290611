"""HTTP handlers of the translation endpoints."""

from __future__ import annotations

from parley.common.auth.identity import OperatorCaller
from parley.common.events.schemas import MessageTranslation
from parley.common.http import RequestContext
from parley.translate.preferences.model import Preferences
from parley.translate.preferences.ports import LanguageFinder, TextTranslator
from parley.translate.preferences.schemas import (
    PreviewBody,
    PreviewResponse,
    SetLangBody,
    ToggleBody,
    TranslationResponse,
    TranslationSettings,
)
from parley.translate.preferences.service import PreferenceService


class PreferenceHandlers:
    """`/api/v1/operator/translation/toggle`, `set-lang` and `preview`."""

    def __init__(self, service: PreferenceService, languages: LanguageFinder, translator: TextTranslator) -> None:
        self._service = service
        self._languages = languages
        self._translator = translator

    async def toggle(self, context: RequestContext[OperatorCaller, ToggleBody, None]) -> TranslationResponse:
        body = context.body
        preferences = await self._service.set_enabled(context.caller, body.conversation_id, body.enabled)
        return self._to_response(await self._detect_language(preferences))

    async def set_lang(self, context: RequestContext[OperatorCaller, SetLangBody, None]) -> TranslationResponse:
        body = context.body
        preferences = await self._service.set_languages(
            context.caller, body.conversation_id, body.lang, body.operator_lang
        )
        return self._to_response(await self._detect_language(preferences))

    async def preview(self, context: RequestContext[OperatorCaller, PreviewBody, None]) -> PreviewResponse:
        body = context.body
        preferences = await self._service.get_for_caller(context.caller, body.conversation_id)
        target = preferences.reply_target if preferences is not None else None
        if preferences is None or target is None:
            return PreviewResponse(translation=None)
        translation = await self._translator.translate_text(
            preferences.conversation.site_id,
            preferences.conversation.id,
            body.content,
            target,
            preferences.operator_lang,
        )
        return PreviewResponse(
            translation=MessageTranslation(
                lang=translation.lang, content=translation.content, status=translation.status
            )
        )

    async def _detect_language(self, preferences: Preferences) -> Preferences:
        return await self._languages.detect_language(preferences) if preferences.enabled else preferences

    def _to_response(self, preferences: Preferences) -> TranslationResponse:
        return TranslationResponse(
            translation=TranslationSettings(
                conversation_id=preferences.conversation.id,
                enabled=preferences.enabled,
                lang=preferences.lang,
                operator_lang=preferences.operator_lang,
                detected=preferences.detected,
                supported=self._service.is_supported(preferences),
            )
        )
