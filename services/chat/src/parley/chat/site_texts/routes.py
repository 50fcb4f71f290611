"""Routes of a site's own texts in other languages."""

from __future__ import annotations

from parley.chat.site_texts import schemas
from parley.chat.site_texts.handlers import SiteTextHandlers
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_TEXTS = "/api/v1/sites/{site_id}/texts"


def routes(handlers: SiteTextHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _TEXTS,
            handlers.show,
            CallerType.OPERATOR,
            schemas.SiteTextsResponse,
            "List a site's own texts with their translations",
            required_permission=Permission.MANAGE,
        ),
        Route(
            "PUT",
            _TEXTS,
            handlers.update,
            CallerType.OPERATOR,
            schemas.SiteTextsResponse,
            "Write, approve or remove translations of a site's own texts",
            body=schemas.UpdateTextsBody,
            example={"language": "de", "texts": {"welcome": {"content": "Hallo! Was suchen Sie?", "approved": True}}},
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "POST",
            f"{_TEXTS}/translate",
            handlers.translate,
            CallerType.OPERATOR,
            schemas.TranslatedTextsResponse,
            "Draft translations of a site's own texts by machine, for a person to approve",
            body=schemas.TranslateTextsBody,
            example={"language": "de"},
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
    ]
