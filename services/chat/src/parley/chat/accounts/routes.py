"""Routes of an operator's own account."""

from __future__ import annotations

from parley.chat.accounts.handlers import AccountHandlers
from parley.chat.accounts.schemas import AccountResponse, EndSessionsBody, PasswordBody, ProfileBody
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_ME = "/api/v1/auth/me"
_CHECKED_BY_SERVICE = frozenset(Permission)
"""No API key may do these, whatever its scopes."""


def routes(handlers: AccountHandlers) -> list[Route]:
    return [
        Route("GET", _ME, handlers.show, CallerType.OPERATOR, AccountResponse, "Get your own account"),
        Route(
            "PUT",
            _ME,
            handlers.update,
            CallerType.OPERATOR,
            AccountResponse,
            "Change your name or language",
            body=ProfileBody,
            rate_limit=RateLimitClass.WRITE,
            example={"name": "Alex Moreau", "language": "fr"},
        ),
        Route(
            "POST",
            "/api/v1/auth/change-password",
            handlers.change_password,
            CallerType.OPERATOR,
            OkResponse,
            "Change your password and end all your other sessions",
            body=PasswordBody,
            key_scopes=_CHECKED_BY_SERVICE,
            rate_limit=RateLimitClass.LOGIN,
            example={"current_password": "the current password", "new_password": "a new, longer password"},
        ),
        Route(
            "POST",
            "/api/v1/auth/logout-all",
            handlers.end_all_sessions,
            CallerType.OPERATOR,
            OkResponse,
            "End all your sessions, this one too",
            body=EndSessionsBody,
            key_scopes=_CHECKED_BY_SERVICE,
            rate_limit=RateLimitClass.WRITE,
            example={"revoke_api_keys": True},
        ),
    ]
