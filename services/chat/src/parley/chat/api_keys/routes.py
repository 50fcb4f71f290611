"""Routes of an operator's own API keys."""

from __future__ import annotations

from parley.chat.api_keys.handlers import ApiKeyHandlers
from parley.chat.api_keys.schemas import ApiKeyListResponse, CreateApiKeyBody, CreatedApiKeyResponse
from parley.chat.paging.schemas import PageQuery
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_API_KEYS = "/api/v1/api-keys"
_CHECKED_BY_SERVICE = frozenset(Permission)
"""No API key may create one, and each may revoke itself, whatever its scopes."""


def routes(handlers: ApiKeyHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _API_KEYS,
            handlers.list_page,
            CallerType.OPERATOR,
            ApiKeyListResponse,
            "List your API keys",
            query=PageQuery,
        ),
        Route(
            "POST",
            _API_KEYS,
            handlers.create,
            CallerType.OPERATOR,
            CreatedApiKeyResponse,
            "Create an API key; its text is shown only once",
            body=CreateApiKeyBody,
            status=201,
            key_scopes=_CHECKED_BY_SERVICE,
            rate_limit=RateLimitClass.WRITE,
            example={"name": "Nightly export"},
        ),
        Route(
            "DELETE",
            f"{_API_KEYS}/{{id}}",
            handlers.revoke,
            CallerType.OPERATOR,
            OkResponse,
            "Revoke an API key",
            key_scopes=_CHECKED_BY_SERVICE,
            rate_limit=RateLimitClass.WRITE,
        ),
    ]
