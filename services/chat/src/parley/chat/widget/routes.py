"""The routes of the widget, for visitors."""

from __future__ import annotations

from parley.chat.schemas import OkResponse
from parley.chat.widget import schemas
from parley.chat.widget.handlers import WidgetHandlers
from parley.common.http import CallerType, RateLimitClass, Route

_CHAT = "/api/v1/chat"
_EXAMPLE = {"site_key": "pk_0123456789abcdef01234567", "session_id": "0123456789abcdef0123456789abcdef"}


def routes(handlers: WidgetHandlers) -> list[Route]:
    return [*_read_routes(handlers), *_write_routes(handlers)]


def _read_routes(handlers: WidgetHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            f"{_CHAT}/history",
            handlers.get_history,
            CallerType.VISITOR,
            schemas.HistoryResponse,
            "The messages of your latest conversation",
            query=schemas.HistoryQuery,
        ),
        Route(
            "GET",
            f"{_CHAT}/operator-messages",
            handlers.list_operator_messages,
            CallerType.VISITOR,
            schemas.WidgetMessagesResponse,
            "Operators' messages after a seq",
            query=schemas.OperatorMessagesQuery,
        ),
        Route(
            "GET",
            f"{_CHAT}/pending-proactive",
            handlers.list_unread_proactive,
            CallerType.VISITOR,
            schemas.WidgetMessagesResponse,
            "Operators' messages in your open conversation that you have not read",
            query=schemas.WidgetQuery,
        ),
        Route(
            "GET",
            f"{_CHAT}/block-status",
            handlers.get_block_status,
            CallerType.VISITOR,
            schemas.BlockStatusResponse,
            "Whether you are blocked",
            query=schemas.WidgetQuery,
        ),
        Route(
            "GET",
            f"{_CHAT}/config",
            handlers.get_config,
            CallerType.VISITOR,
            schemas.ConfigResponse,
            "The widget's configuration",
            query=schemas.ConfigQuery,
        ),
    ]


def _write_routes(handlers: WidgetHandlers) -> list[Route]:
    return [
        Route(
            "POST",
            f"{_CHAT}/stream",
            handlers.stream,
            CallerType.VISITOR,
            None,
            "Send a message, and read the reply while it is generated",
            body=schemas.SendMessageBody,
            response_media_type="text/event-stream",
            example={**_EXAMPLE, "message": "What are your opening hours?"},
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "POST",
            f"{_CHAT}/email",
            handlers.leave_email,
            CallerType.VISITOR,
            OkResponse,
            "Leave an e-mail address",
            body=schemas.EmailBody,
            example={**_EXAMPLE, "email": "jane@example.com"},
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "POST",
            f"{_CHAT}/contact",
            handlers.leave_contact,
            CallerType.VISITOR,
            OkResponse,
            "Leave a name, an e-mail address or a telephone number",
            body=schemas.ContactBody,
            example={**_EXAMPLE, "name": "Jane"},
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "POST",
            f"{_CHAT}/rate",
            handlers.rate,
            CallerType.VISITOR,
            OkResponse,
            "Rate a conversation of yours from 1 to 5",
            body=schemas.RatingBody,
            example={**_EXAMPLE, "score": 5},
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "POST",
            f"{_CHAT}/read",
            handlers.mark_read,
            CallerType.VISITOR,
            OkResponse,
            "Mark messages as read, up to a seq",
            body=schemas.VisitorReadBody,
            example={**_EXAMPLE, "seq": 2},
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "POST",
            f"{_CHAT}/typing",
            handlers.show_typing,
            CallerType.VISITOR,
            OkResponse,
            "Show operators that you are typing",
            body=schemas.WidgetBody,
            example=_EXAMPLE,
            rate_limit=RateLimitClass.HEARTBEAT,
        ),
        Route(
            "POST",
            f"{_CHAT}/handoff",
            handlers.request_handoff,
            CallerType.VISITOR,
            schemas.ModeResponse,
            "Request a handoff to a person",
            body=schemas.WidgetBody,
            example=_EXAMPLE,
            rate_limit=RateLimitClass.WRITE,
        ),
    ]
