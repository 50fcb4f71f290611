"""The routes of bulk actions."""

from __future__ import annotations

from typing import Any

from parley.chat.bulk_actions.handlers import BulkActionHandlers
from parley.chat.bulk_actions.schemas import BulkBody, BulkResponse, UndoResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_BULK = "/api/v1/operator/conversations/bulk"
_WRITE: Any = {"required_permission": Permission.CHAT, "rate_limit": RateLimitClass.WRITE}


def routes(handlers: BulkActionHandlers) -> list[Route]:
    return [
        Route(
            "POST",
            _BULK,
            handlers.perform,
            CallerType.OPERATOR,
            BulkResponse,
            "Close, assign, label or snooze up to 200 conversations",
            body=BulkBody,
            example={"action": "assign", "conversation_ids": [50, 51], "operator_id": 7},
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_BULK}/{{action_id}}/undo",
            handlers.undo,
            CallerType.OPERATOR,
            UndoResponse,
            "Undo what you did to several conversations, within a minute",
            **_WRITE,
        ),
    ]
