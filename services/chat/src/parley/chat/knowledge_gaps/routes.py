"""The routes of gaps."""

from __future__ import annotations

from typing import Any

from parley.chat.knowledge.schemas import KnowledgeEntryResponse
from parley.chat.knowledge_gaps.handlers import GapHandlers
from parley.chat.knowledge_gaps.schemas import (
    GapDetailsResponse,
    GapEntryBody,
    GapListResponse,
    GapResponse,
    GapsQuery,
    GapStateBody,
)
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_GAPS = "/api/v1/sites/{site_id}/knowledge-gaps"
_GAP = f"{_GAPS}/{{gap_id}}"
_READ: Any = {"required_permission": Permission.VIEW}
_WRITE: Any = {"required_permission": Permission.MANAGE, "rate_limit": RateLimitClass.WRITE}


def routes(handlers: GapHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _GAPS,
            handlers.list_page,
            CallerType.OPERATOR,
            GapListResponse,
            "Questions that the AI could not answer, grouped by meaning, most frequent first",
            query=GapsQuery,
            **_READ,
        ),
        Route(
            "GET",
            _GAP,
            handlers.get_details,
            CallerType.OPERATOR,
            GapDetailsResponse,
            "A gap with its newest questions, how often it was asked about, and the draft of an entry",
            **_READ,
        ),
        Route(
            "PUT",
            _GAP,
            handlers.set_state,
            CallerType.OPERATOR,
            GapResponse,
            "Dismiss a gap, open it again, or mark it as answered",
            body=GapStateBody,
            example={"state": "dismissed"},
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_GAP}/entry",
            handlers.make_entry,
            CallerType.OPERATOR,
            KnowledgeEntryResponse,
            "Add a knowledge entry that closes a gap",
            body=GapEntryBody,
            status=201,
            example={"question": "Do you ship to Austria?", "answer": "Yes, within three days."},
            **_WRITE,
        ),
    ]
