"""Request and response bodies of API keys."""

from __future__ import annotations

from pydantic import BaseModel

from parley.chat.api_keys.model import ApiKey
from parley.chat.common_fields import Name
from parley.common.events.schemas import Timestamp
from parley.common.http import RequestBody, SuccessResponse


class CreateApiKeyBody(RequestBody):
    name: Name


class ApiKeySchema(BaseModel):
    """A key without its secret text: only its first characters."""

    id: int
    name: str
    prefix: str
    created_at: Timestamp
    last_used_at: Timestamp | None


class ApiKeyListResponse(SuccessResponse):
    api_keys: list[ApiKeySchema]
    next_cursor: str | None


class CreatedApiKeyResponse(SuccessResponse):
    """`key` is the secret text, which cannot be read again."""

    api_key: ApiKeySchema
    key: str


def serialize_api_key(key: ApiKey) -> ApiKeySchema:
    return ApiKeySchema(
        id=key.id, name=key.name, prefix=key.prefix, created_at=key.created_at, last_used_at=key.last_used_at
    )
