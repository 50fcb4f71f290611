"""Routes of identification, for visitors, and of a site's identity secrets, for its managers."""

from __future__ import annotations

from parley.chat.identification import schemas
from parley.chat.identification.handlers import IdentificationHandlers, IdentitySecretHandlers
from parley.chat.schemas import OkResponse
from parley.chat.widget.schemas import WidgetBody
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_SECRETS = "/api/v1/sites/{site_id}/identity-secrets"


def visitor_routes(handlers: IdentificationHandlers) -> list[Route]:
    return [
        Route(
            "POST",
            "/api/v1/chat/identify",
            handlers.identify,
            CallerType.VISITOR,
            schemas.IdentifyResponse,
            "Identify yourself with a token that the site's server has signed",
            body=schemas.IdentifyBody,
            example={
                "site_key": "pk_0123456789abcdef01234567",
                "session_id": "0123456789abcdef0123456789abcdef",
                "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiIsImV4cCI6MTc5NTk1MzYwMH0.c2lnbmF0dXJl",
            },
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "POST",
            "/api/v1/chat/end-session",
            handlers.end_session,
            CallerType.VISITOR,
            OkResponse,
            "End your session: its session id is refused from now on, and operators keep the chat",
            body=WidgetBody,
            example={"site_key": "pk_0123456789abcdef01234567", "session_id": "0123456789abcdef0123456789abcdef"},
            rate_limit=RateLimitClass.WRITE,
        ),
    ]


def secret_routes(handlers: IdentitySecretHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _SECRETS,
            handlers.list_secrets,
            CallerType.OPERATOR,
            schemas.IdentitySecretListResponse,
            "List the secrets by which a site's server identifies visitors",
            required_permission=Permission.MANAGE,
        ),
        Route(
            "POST",
            _SECRETS,
            handlers.create,
            CallerType.OPERATOR,
            schemas.CreatedIdentitySecretResponse,
            "Create an identity secret; its text is shown only once",
            body=schemas.CreateIdentitySecretBody,
            status=201,
            example={"name": "Shop server"},
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "DELETE",
            f"{_SECRETS}/{{secret_id}}",
            handlers.revoke,
            CallerType.OPERATOR,
            OkResponse,
            "Revoke an identity secret, and end the sessions of people who were identified by it",
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
    ]
