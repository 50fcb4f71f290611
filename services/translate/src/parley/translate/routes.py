"""Route table of translate: paths, callers, permissions and schemas."""

from __future__ import annotations

from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route
from parley.translate.preferences.handlers import PreferenceHandlers
from parley.translate.preferences.schemas import (
    PreviewBody,
    PreviewResponse,
    SetLangBody,
    ToggleBody,
    TranslationResponse,
)


def build_routes(preferences: PreferenceHandlers) -> list[Route]:
    """Return all routes of the service."""
    return [
        Route(
            "POST",
            "/api/v1/operator/translation/toggle",
            preferences.toggle,
            CallerType.OPERATOR,
            TranslationResponse,
            "Switch a conversation's live translation on or off",
            required_permission=Permission.CHAT,
            body=ToggleBody,
            rate_limit=RateLimitClass.WRITE,
            example={"conversation_id": 50, "enabled": True},
        ),
        Route(
            "POST",
            "/api/v1/operator/translation/set-lang",
            preferences.set_lang,
            CallerType.OPERATOR,
            TranslationResponse,
            "Set the languages of a conversation's live translation",
            required_permission=Permission.CHAT,
            body=SetLangBody,
            rate_limit=RateLimitClass.WRITE,
            example={"conversation_id": 50, "lang": "de"},
        ),
        Route(
            "POST",
            "/api/v1/operator/translation/preview",
            preferences.preview,
            CallerType.OPERATOR,
            PreviewResponse,
            "Translate a reply as the visitor will read it, without sending it",
            required_permission=Permission.CHAT,
            body=PreviewBody,
            rate_limit=RateLimitClass.WRITE,
            example={"conversation_id": 50, "content": "Hello, how can I help?"},
        ),
    ]
