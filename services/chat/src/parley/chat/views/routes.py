"""The routes of saved views."""

from __future__ import annotations

from typing import Any

from parley.chat.paging.schemas import PageQuery
from parley.chat.schemas import OkResponse
from parley.chat.views.handlers import ViewHandlers
from parley.chat.views.schemas import ViewBody, ViewCountsResponse, ViewResponse, ViewsResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_VIEWS = "/api/v1/views"
_VIEW = f"{_VIEWS}/{{id}}"
_EXAMPLE = {
    "name": "Waits for five minutes",
    "filter": {"status": "pending", "waiting": 300},
    "scope": "site",
    "site_id": 1,
}
_WRITE: Any = {
    "rate_limit": RateLimitClass.WRITE,
    "key_scopes": frozenset({Permission.VIEW, Permission.CHAT, Permission.MANAGE}),
}


def routes(handlers: ViewHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _VIEWS,
            handlers.list_page,
            CallerType.OPERATOR,
            ViewsResponse,
            "The saved views that you may use",
            query=PageQuery,
        ),
        Route(
            "GET",
            f"{_VIEWS}/counts",
            handlers.count,
            CallerType.OPERATOR,
            ViewCountsResponse,
            "How many conversations each saved view shows, at most 100",
            required_permission=Permission.VIEW,
        ),
        Route(
            "POST",
            _VIEWS,
            handlers.add,
            CallerType.OPERATOR,
            ViewResponse,
            "Save a view",
            body=ViewBody,
            status=201,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route(
            "PUT",
            _VIEW,
            handlers.replace,
            CallerType.OPERATOR,
            ViewResponse,
            "Replace a saved view",
            body=ViewBody,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route(
            "DELETE",
            _VIEW,
            handlers.delete,
            CallerType.OPERATOR,
            OkResponse,
            "Delete a saved view",
            **_WRITE,
        ),
    ]
