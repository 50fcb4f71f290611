"""The table: every path this service serves, and what it demands of its caller."""

from __future__ import annotations

from parley.common.auth.identity import Permission
from parley.common.http import Rate, Route, Who
from parley.translate.preferences.handlers import (
    PreferenceHandlers,
    SetLangRequest,
    ToggleRequest,
    TranslationAnswer,
)


def routes(preferences: PreferenceHandlers) -> list[Route]:
    """The service's routes, bound to their handlers."""
    return [
        Route(
            "POST",
            "/api/v1/operator/translation/toggle",
            preferences.toggle,
            Who.OPERATOR,
            TranslationAnswer,
            "Switch a conversation's live translation on or off",
            needs=Permission.CHAT,
            body=ToggleRequest,
            rate=Rate.WRITE,
            example={"conversation_id": 50, "enabled": True},
        ),
        Route(
            "POST",
            "/api/v1/operator/translation/set-lang",
            preferences.set_lang,
            Who.OPERATOR,
            TranslationAnswer,
            "Set the visitor's language for translation",
            needs=Permission.CHAT,
            body=SetLangRequest,
            rate=Rate.WRITE,
            example={"conversation_id": 50, "lang": "de"},
        ),
    ]
