"""Routes of the internal API."""

from __future__ import annotations

from parley.chat.internal_api.handlers import InternalApiHandlers
from parley.chat.internal_api.schemas import (
    AcceptInvitationBody,
    AccessQuery,
    AccessResponse,
    ApiKeyBody,
    LoginBody,
    LoginResponse,
    LogoutBody,
    OriginQuery,
    OriginResponse,
    RefreshBody,
    SiteInfoResponse,
    SiteKeyQuery,
    VisitorSessionQuery,
    VisitorSessionResponse,
)
from parley.chat.schemas import OkResponse
from parley.common.http import CallerType, RateLimitClass, Route


def routes(handlers: InternalApiHandlers) -> list[Route]:
    return [
        Route(
            "POST",
            "/internal/login",
            handlers.login,
            CallerType.GATEWAY,
            LoginResponse,
            "Verify a password and create a session",
            body=LoginBody,
            rate_limit=RateLimitClass.LOGIN,
        ),
        Route(
            "POST",
            "/internal/refresh",
            handlers.refresh,
            CallerType.GATEWAY,
            LoginResponse,
            "Exchange a refresh token for the next one",
            body=RefreshBody,
            rate_limit=RateLimitClass.LOGIN,
        ),
        Route(
            "POST",
            "/internal/logout",
            handlers.logout,
            CallerType.GATEWAY,
            OkResponse,
            "End a session",
            body=LogoutBody,
        ),
        Route(
            "GET",
            "/internal/access/{operator_id}",
            handlers.operator_access,
            CallerType.GATEWAY,
            AccessResponse,
            "Get the access of an operator",
            query=AccessQuery,
        ),
        Route(
            "POST",
            "/internal/access-by-key",
            handlers.api_key_access,
            CallerType.GATEWAY,
            AccessResponse,
            "Get the access of an API key",
            body=ApiKeyBody,
        ),
        Route(
            "POST",
            "/internal/accept-invitation",
            handlers.accept_invitation,
            CallerType.GATEWAY,
            LoginResponse,
            "Accept an invitation and create a session",
            body=AcceptInvitationBody,
            rate_limit=RateLimitClass.LOGIN,
        ),
        Route(
            "GET",
            "/internal/site",
            handlers.site_by_key,
            CallerType.GATEWAY,
            SiteInfoResponse,
            "Get the site with a public key",
            query=SiteKeyQuery,
        ),
        Route(
            "GET",
            "/internal/origin",
            handlers.origin,
            CallerType.GATEWAY,
            OriginResponse,
            "Get whether any site allows an origin",
            query=OriginQuery,
        ),
        Route(
            "GET",
            "/internal/visitor-session",
            handlers.visitor_session,
            CallerType.GATEWAY,
            VisitorSessionResponse,
            "Get whether a visitor's session id has ended",
            query=VisitorSessionQuery,
        ),
    ]
