"""The routes of knowledge entries."""

from __future__ import annotations

from typing import Any

from parley.chat.knowledge.handlers import KnowledgeHandlers
from parley.chat.knowledge.schemas import (
    KnowledgeEntryBody,
    KnowledgeEntryResponse,
    KnowledgeListResponse,
    ReplaceEntryBody,
)
from parley.chat.paging.schemas import PageQuery
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_ENTRIES = "/api/v1/sites/{site_id}/chatbot/knowledge"
_ENTRY = f"{_ENTRIES}/{{entry_id}}"
_EXAMPLE = {"question": "When are you open?", "answer": "Monday to Friday, nine to six."}
_WRITE: Any = {"required_permission": Permission.MANAGE, "rate_limit": RateLimitClass.WRITE}


def routes(handlers: KnowledgeHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _ENTRIES,
            handlers.list_page,
            CallerType.OPERATOR,
            KnowledgeListResponse,
            "A site's knowledge entries",
            query=PageQuery,
        ),
        Route(
            "POST",
            _ENTRIES,
            handlers.add,
            CallerType.OPERATOR,
            KnowledgeEntryResponse,
            "Add a knowledge entry",
            body=KnowledgeEntryBody,
            status=201,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route(
            "PUT",
            _ENTRY,
            handlers.replace,
            CallerType.OPERATOR,
            KnowledgeEntryResponse,
            "Replace a knowledge entry",
            body=ReplaceEntryBody,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route(
            "DELETE",
            _ENTRY,
            handlers.delete,
            CallerType.OPERATOR,
            OkResponse,
            "Delete a knowledge entry",
            **_WRITE,
        ),
    ]
