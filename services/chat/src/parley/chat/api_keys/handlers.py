"""HTTP handlers of an operator's own API keys."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.api_keys.schemas import ApiKeyListResponse, CreateApiKeyBody, CreatedApiKeyResponse, serialize_api_key
from parley.chat.api_keys.service import ApiKeyService
from parley.chat.paging.schemas import PageQuery, decode_id, encode_id
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class ApiKeyHandlers:
    api_keys: ApiKeyService

    async def list_page(self, context: RequestContext[OperatorCaller, None, PageQuery]) -> ApiKeyListResponse:
        limit = context.query.limit
        after = decode_id(context.query.cursor)
        keys = [key for key in await self.api_keys.list_keys(context.caller) if key.id > after]
        return ApiKeyListResponse(
            api_keys=[serialize_api_key(key) for key in keys[:limit]],
            next_cursor=encode_id([key.id for key in keys], limit),
        )

    async def create(self, context: RequestContext[OperatorCaller, CreateApiKeyBody, None]) -> CreatedApiKeyResponse:
        body = context.body
        scopes = None if body.scopes is None else frozenset(body.scopes)
        key, secret = await self.api_keys.create(context.caller, body.name, scopes, body.expires_at)
        return CreatedApiKeyResponse(api_key=serialize_api_key(key), key=secret)

    async def revoke(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.api_keys.revoke(context.caller, context.path["id"])
        return OkResponse()
