"""Routes of the AI's administration."""

from __future__ import annotations

from parley.chat.ai.handlers import AiHandlers
from parley.chat.ai.schemas import CheckBody, EngineCheckResponse, SpentTodayResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route


def routes(handlers: AiHandlers) -> list[Route]:
    return [
        Route(
            "POST",
            "/api/v1/sites/{site_id}/chatbot/check",
            handlers.check,
            CallerType.OPERATOR,
            EngineCheckResponse,
            "Check what the AI endpoint of a site can do",
            body=CheckBody,
            example={"base_url": "https://ai.example.com/v1", "api_key": "sk-1", "model": "small-1"},
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "GET",
            "/api/v1/sites/{site_id}/chatbot/usage",
            handlers.get_today,
            CallerType.OPERATOR,
            SpentTodayResponse,
            "Get what a site's AI has used today",
            required_permission=Permission.MANAGE,
        ),
    ]
