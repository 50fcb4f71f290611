"""The routes of the copilot."""

from __future__ import annotations

from typing import Any

from parley.chat.copilot.handlers import CopilotHandlers
from parley.chat.copilot.schemas import CopilotResponse, RewriteBody, SuggestionResponse, TextResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_COPILOT = "/api/v1/operator/conversation/{id}/copilot"
_WRITE: Any = {"required_permission": Permission.CHAT, "rate_limit": RateLimitClass.WRITE}


def routes(handlers: CopilotHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            "/api/v1/sites/{site_id}/copilot",
            handlers.get,
            CallerType.OPERATOR,
            CopilotResponse,
            "Whether the site's AI can write drafts for operators",
            required_permission=Permission.CHAT,
        ),
        Route(
            "POST",
            f"{_COPILOT}/suggestion",
            handlers.suggest,
            CallerType.OPERATOR,
            SuggestionResponse,
            "Draft the next reply with the site's AI",
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_COPILOT}/rewrite",
            handlers.rewrite,
            CallerType.OPERATOR,
            TextResponse,
            "Rewrite a draft with the site's AI",
            body=RewriteBody,
            example={"text": "Your parcel it arrive tomorow.", "style": "correct"},
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_COPILOT}/summary",
            handlers.summarize,
            CallerType.OPERATOR,
            TextResponse,
            "Summarize a conversation with the site's AI",
            **_WRITE,
        ),
    ]
