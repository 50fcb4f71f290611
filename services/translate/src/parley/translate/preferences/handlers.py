"""HTTP handlers of the translation endpoints."""

from __future__ import annotations

from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext
from parley.translate.preferences.model import Preferences
from parley.translate.preferences.ports import BacklogTranslator
from parley.translate.preferences.schemas import SetLangBody, ToggleBody, TranslationResponse, TranslationSettings
from parley.translate.preferences.service import PreferenceService


class PreferenceHandlers:
    """`/api/v1/operator/translation/toggle` and `set-lang`."""

    def __init__(self, service: PreferenceService, backlog: BacklogTranslator) -> None:
        self._service = service
        self._backlog = backlog

    async def toggle(self, context: RequestContext[OperatorCaller, ToggleBody, None]) -> TranslationResponse:
        body = context.body
        preferences = await self._service.set_enabled(context.caller, body.conversation_id, body.enabled)
        return self._to_response(await self._start_backlog(preferences))

    async def set_lang(self, context: RequestContext[OperatorCaller, SetLangBody, None]) -> TranslationResponse:
        body = context.body
        preferences = await self._service.set_languages(
            context.caller, body.conversation_id, body.lang, body.operator_lang
        )
        return self._to_response(await self._start_backlog(preferences))

    async def _start_backlog(self, preferences: Preferences) -> Preferences:
        return await self._backlog.start(preferences) if preferences.enabled else preferences

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
