"""The login endpoints: their routes, and their description in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from parley.common.http import CallerType, RateLimitClass, RequestBody, Route, SuccessResponse
from parley.gateway.auth.handlers import AuthHandlers
from parley.gateway.auth.schemas import InvitationBody, LoginBody, LoginResponse, LogoutBody, RefreshBody

LOGIN_PATH = "/api/v1/auth/login"
REFRESH_PATH = "/api/v1/auth/refresh"
LOGOUT_PATH = "/api/v1/auth/logout"
ACCEPT_INVITATION_PATH = "/api/v1/invitations/accept"


def add_auth_routes(router: web.UrlDispatcher, handlers: AuthHandlers) -> None:
    router.add_route("POST", LOGIN_PATH, handlers.login)
    router.add_route("POST", REFRESH_PATH, handlers.refresh)
    router.add_route("POST", LOGOUT_PATH, handlers.logout)
    router.add_route("POST", ACCEPT_INVITATION_PATH, handlers.accept_invitation)


def documented_routes() -> list[Route]:
    """Return the login endpoints as the OpenAPI builder takes them. VISITOR means: no bearer token is required."""
    secret = "0f3c…"  # noqa: S105 - an example
    login = {"email": "alex@example.com", "password": secret}
    invitation = {"token": secret, "password": secret, "name": "Alex"}
    return [
        _document(LOGIN_PATH, "Log in", LoginBody, login, RateLimitClass.LOGIN),
        _document(REFRESH_PATH, "Get the next token", RefreshBody, {"refresh_token": secret}, RateLimitClass.WRITE),
        _document(LOGOUT_PATH, "Log out", LogoutBody, {"refresh_token": secret}, RateLimitClass.WRITE, SuccessResponse),
        _document(ACCEPT_INVITATION_PATH, "Join a team", InvitationBody, invitation, RateLimitClass.LOGIN),
    ]


def _document(
    path: str,
    summary: str,
    body: type[RequestBody],
    example: dict[str, str],
    rate_limit: RateLimitClass,
    response_model: type[SuccessResponse] = LoginResponse,
) -> Route:
    return Route(
        "POST",
        path,
        _not_served,
        CallerType.VISITOR,
        response_model,
        summary,
        body=body,
        rate_limit=rate_limit,
        example=example,
    )


async def _not_served(_context: Any) -> web.StreamResponse:
    raise web.HTTPNotFound  # These routes are only described; `add_auth_routes` adds those that are served.
