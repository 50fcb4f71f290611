"""The routes of messages, for operators."""

from __future__ import annotations

from parley.chat.messages.handlers import MessageHandlers
from parley.chat.messages.schemas import (
    MessageResponse,
    MessagesQuery,
    MessagesResponse,
    OperatorMessageBody,
    ProactiveMessageBody,
)
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route


def routes(handlers: MessageHandlers) -> list[Route]:
    return [
        Route(
            "POST",
            "/api/v1/operator/message",
            handlers.send,
            CallerType.OPERATOR,
            MessageResponse,
            "Send a message; in an unassigned conversation, accept it first",
            body=OperatorMessageBody,
            example={"conversation_id": 50, "content": "Hi, this is Alex."},
            required_permission=Permission.CHAT,
            rate_limit=RateLimitClass.WRITE,
            handles_idempotency=True,
        ),
        Route(
            "POST",
            "/api/v1/operator/proactive-message",
            handlers.send_proactive,
            CallerType.OPERATOR,
            MessageResponse,
            "Send the first message to a visitor who is online",
            body=ProactiveMessageBody,
            example={"site_id": 1, "session_id": "sess_" + "0" * 32, "content": "Need help?"},
            required_permission=Permission.CHAT,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "GET",
            "/api/v1/conversations/{id}/messages",
            handlers.list_messages,
            CallerType.OPERATOR,
            MessagesResponse,
            "The messages of a conversation",
            required_permission=Permission.VIEW,
            query=MessagesQuery,
        ),
    ]
