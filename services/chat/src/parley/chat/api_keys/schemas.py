"""Request and response bodies of API keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from parley.chat.api_keys.model import ApiKey
from parley.chat.common_fields import Name
from parley.common.auth.identity import Permission
from parley.common.events.schemas import Timestamp
from parley.common.http import RequestBody, SuccessResponse


class CreateApiKeyBody(RequestBody):
    """A key without scopes may do all that you may, except make credentials."""

    name: Name
    scopes: Annotated[list[Permission], Field(min_length=1, max_length=10)] | None = Field(
        None,
        description="Permissions of the key, on those sites on which you have them. A key with scopes changes nothing"
        " that is yours rather than a site's, such as your name.",
    )
    expires_at: AwareDatetime | None = Field(None, description="When the key stops working; never by default.")


class ApiKeySchema(BaseModel):
    """A key without its secret text: only its first characters."""

    id: int
    name: str
    prefix: str
    created_at: Timestamp
    last_used_at: Timestamp | None
    scopes: list[Permission] | None = Field(description="Null: everything that you may do.")
    expires_at: Timestamp | None


class ApiKeyListResponse(SuccessResponse):
    api_keys: list[ApiKeySchema]
    next_cursor: str | None


class CreatedApiKeyResponse(SuccessResponse):
    """`key` is the secret text, which cannot be read again."""

    api_key: ApiKeySchema
    key: str


def serialize_api_key(key: ApiKey) -> ApiKeySchema:
    return ApiKeySchema(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        scopes=None if key.scopes is None else [scope for scope in Permission if scope in key.scopes],
        expires_at=key.expires_at,
    )
