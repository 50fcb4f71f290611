"""Routes of the export and the erasure of a visitor's personal data."""

from __future__ import annotations

from parley.chat.privacy.handlers import PersonalDataHandlers
from parley.chat.privacy.schemas import EraseBody, EraseResponse, ExportQuery, ExportResponse
from parley.common.http import CallerType, RateLimitClass, Route

_VISITOR = "/api/v1/operator/visitor"
_EXAMPLE = {"site_id": 1, "session_id": "sess_" + "0" * 32}


def routes(handlers: PersonalDataHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            f"{_VISITOR}/export",
            handlers.export,
            CallerType.OPERATOR,
            ExportResponse,
            "Export what is stored about a visitor",
            owner_only=True,
            query=ExportQuery,
            example=_EXAMPLE,
        ),
        Route(
            "POST",
            f"{_VISITOR}/erase",
            handlers.erase,
            CallerType.OPERATOR,
            EraseResponse,
            "Erase everything that is stored about a visitor, permanently",
            owner_only=True,
            body=EraseBody,
            rate_limit=RateLimitClass.WRITE,
            example=_EXAMPLE,
        ),
    ]
