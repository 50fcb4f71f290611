"""The route of the search."""

from __future__ import annotations

from parley.chat.search.handlers import SearchHandlers
from parley.chat.search.schemas import SearchQuery, SearchResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route


def routes(handlers: SearchHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            "/api/v1/operator/search",
            handlers.search,
            CallerType.OPERATOR,
            SearchResponse,
            "Search in messages, notes and visitors, newest first",
            required_permission=Permission.VIEW,
            rate_limit=RateLimitClass.SEARCH,
            query=SearchQuery,
            example={"q": "invoice"},
        ),
    ]
