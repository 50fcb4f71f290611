"""The routes of canned replies."""

from __future__ import annotations

from typing import Any

from parley.chat.canned_replies.handlers import CannedReplyHandlers
from parley.chat.canned_replies.schemas import (
    CannedRepliesQuery,
    CannedRepliesResponse,
    CannedReplyBody,
    CannedReplyResponse,
    UseCountResponse,
)
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_REPLIES = "/api/v1/canned-replies"
_REPLY = f"{_REPLIES}/{{id}}"
_EXAMPLE = {
    "shortcut": "hi",
    "text": "Hi {{visitor.name|there}}, this is {{operator.name}}.",
    "scope": "site",
    "site_id": 1,
}
_WRITE: Any = {
    "rate_limit": RateLimitClass.WRITE,
    "key_scopes": frozenset({Permission.CHAT, Permission.MANAGE}),
}


def routes(handlers: CannedReplyHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _REPLIES,
            handlers.list_page,
            CallerType.OPERATOR,
            CannedRepliesResponse,
            "The canned replies that the operator may use",
            query=CannedRepliesQuery,
        ),
        Route(
            "POST",
            _REPLIES,
            handlers.add,
            CallerType.OPERATOR,
            CannedReplyResponse,
            "Add a canned reply",
            body=CannedReplyBody,
            status=201,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route(
            "PUT",
            _REPLY,
            handlers.replace,
            CallerType.OPERATOR,
            CannedReplyResponse,
            "Replace a canned reply",
            body=CannedReplyBody,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route(
            "DELETE",
            _REPLY,
            handlers.delete,
            CallerType.OPERATOR,
            OkResponse,
            "Delete a canned reply",
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_REPLY}/use",
            handlers.count_use,
            CallerType.OPERATOR,
            UseCountResponse,
            "Count that a canned reply was inserted",
            **_WRITE,
        ),
    ]
