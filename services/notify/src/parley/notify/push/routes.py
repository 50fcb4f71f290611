"""The route table of an operator's devices."""

from __future__ import annotations

from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route, SuccessResponse
from parley.notify.push.handlers import PushTokenHandlers
from parley.notify.push.schemas import RegisterTokenBody, RemoveTokenBody, RemoveTokenQuery, SelfTestResponse

_PATH = "/api/v1/operator/fcm-token"
_KEY_SCOPES = frozenset({Permission.CHAT})
"""A push shows what a visitor wrote, and rings for chats that the operator may answer."""
_EXAMPLE_TOKEN = "fR3kx0:APA91bE"  # noqa: S105 - an example


def push_routes(tokens: PushTokenHandlers) -> list[Route]:
    return [
        Route(
            "POST",
            _PATH,
            tokens.register,
            CallerType.OPERATOR,
            SuccessResponse,
            "Register a device for push notifications; it belongs to the caller from then on",
            body=RegisterTokenBody,
            rate_limit=RateLimitClass.WRITE,
            key_scopes=_KEY_SCOPES,
            example={"token": _EXAMPLE_TOKEN, "platform": "android"},
        ),
        Route(
            "DELETE",
            _PATH,
            tokens.remove,
            CallerType.OPERATOR,
            SuccessResponse,
            "Remove one of the caller's devices, or all of them",
            body=RemoveTokenBody,
            query=RemoveTokenQuery,
            rate_limit=RateLimitClass.WRITE,
            key_scopes=_KEY_SCOPES,
            example={"token": _EXAMPLE_TOKEN},
        ),
        Route(
            "POST",
            f"{_PATH}/test",
            tokens.send_test,
            CallerType.OPERATOR,
            SelfTestResponse,
            "Send a test push to the caller's devices and return the provider's answer for each",
            rate_limit=RateLimitClass.WRITE,
            key_scopes=_KEY_SCOPES,
        ),
    ]
