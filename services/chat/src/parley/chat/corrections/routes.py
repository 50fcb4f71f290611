"""The routes of corrections."""

from __future__ import annotations

from typing import Any

from parley.chat.corrections.handlers import CorrectionHandlers
from parley.chat.corrections.schemas import (
    AffectedConversationsResponse,
    ApplyCorrectionBody,
    CitedPassagesQuery,
    CitedPassagesResponse,
    CorrectionBody,
    CorrectionListResponse,
    CorrectionResponse,
)
from parley.chat.paging.schemas import PageQuery
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_SITE = "/api/v1/sites/{site_id}"
_CORRECTIONS = f"{_SITE}/corrections"
_CORRECTION = f"{_CORRECTIONS}/{{correction_id}}"
_READ: Any = {"required_permission": Permission.VIEW}


def routes(handlers: CorrectionHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            f"{_SITE}/cited-passages",
            handlers.find_passages,
            CallerType.OPERATOR,
            CitedPassagesResponse,
            "The passages that an answer of the AI cites",
            query=CitedPassagesQuery,
            example={"conversation_id": 50, "seq": 2},
            **_READ,
        ),
        Route(
            "GET",
            _CORRECTIONS,
            handlers.list_page,
            CallerType.OPERATOR,
            CorrectionListResponse,
            "Wrong answers of the AI that operators have reported, newest first",
            query=PageQuery,
            **_READ,
        ),
        Route(
            "POST",
            _CORRECTIONS,
            handlers.add,
            CallerType.OPERATOR,
            CorrectionResponse,
            "Report that an answer of the AI is wrong, and what is right",
            body=CorrectionBody,
            status=201,
            example={"conversation_id": 50, "seq": 2, "right_answer": "Returns take 30 days."},
            required_permission=Permission.CHAT,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "POST",
            f"{_CORRECTION}/apply",
            handlers.apply,
            CallerType.OPERATOR,
            CorrectionResponse,
            "Put the right answer into the knowledge, as a new entry or into one that there is",
            body=ApplyCorrectionBody,
            example={"question": "How long can I return an item?", "answer": "Within 30 days."},
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "GET",
            f"{_CORRECTION}/conversations",
            handlers.list_affected,
            CallerType.OPERATOR,
            AffectedConversationsResponse,
            "Other conversations in which the AI had answered from the same passages before, newest first",
            query=PageQuery,
            **_READ,
        ),
    ]
