"""The routes of transcripts, for visitors and operators."""

from __future__ import annotations

from parley.chat.schemas import OkResponse
from parley.chat.transcripts import schemas
from parley.chat.transcripts.handlers import TranscriptHandlers
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_EXAMPLE = {"site_key": "pk_0123456789abcdef01234567", "session_id": "0123456789abcdef0123456789abcdef"}


def routes(handlers: TranscriptHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            "/api/v1/chat/transcript",
            handlers.download,
            CallerType.VISITOR,
            None,
            "Your latest conversation as a text file",
            query=schemas.TranscriptQuery,
            response_media_type="text/plain",
        ),
        Route(
            "POST",
            "/api/v1/chat/transcript/email",
            handlers.send,
            CallerType.VISITOR,
            OkResponse,
            "Have your latest conversation sent by e-mail",
            body=schemas.SendTranscriptBody,
            example={**_EXAMPLE, "email": "jane@example.com"},
            rate_limit=RateLimitClass.MAIL,
        ),
        Route(
            "POST",
            "/api/v1/operator/conversation/{id}/transcript/email",
            handlers.send_as_operator,
            CallerType.OPERATOR,
            OkResponse,
            "Have a conversation sent by e-mail, without its notes",
            body=schemas.OperatorSendTranscriptBody,
            example={"email": "jane@example.com"},
            required_permission=Permission.CHAT,
            rate_limit=RateLimitClass.MAIL,
        ),
    ]
