"""API keys: made, listed and revoked by the operator whose they are."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from parley.chat.api_keys.service import ApiKey, ApiKeys
from parley.chat.common_fields import Name, PageQuery, next_cursor
from parley.chat.schemas import Done
from parley.common.auth.identity import OperatorCaller
from parley.common.events.schemas import Timestamp
from parley.common.http import Answer, Call, RequestBody


class KeyBody(RequestBody):
    name: Name


class KeyView(BaseModel):
    """A key as lists show it: its beginning, never the whole."""

    id: int
    name: str
    prefix: str
    created_at: Timestamp
    last_used_at: Timestamp | None


class KeysAnswer(Answer):
    api_keys: list[KeyView]
    next_cursor: str | None


class NewKeyAnswer(Answer):
    """`key` is shown this once."""

    api_key: KeyView
    key: str


@dataclass(frozen=True, slots=True)
class ApiKeyHandlers:
    keys: ApiKeys

    async def page(self, call: Call[OperatorCaller, None, PageQuery]) -> KeysAnswer:
        after, limit = call.query.after, call.query.limit
        # There are twenty at most, in one document: the page is cut from the whole.
        found = sorted((key for key in await self.keys.of(call.caller) if key.id > after), key=lambda key: key.id)
        return KeysAnswer(
            api_keys=[_view(key) for key in found[:limit]], next_cursor=next_cursor([key.id for key in found], limit)
        )

    async def create(self, call: Call[OperatorCaller, KeyBody, None]) -> NewKeyAnswer:
        key, text = await self.keys.create(call.caller, call.body.name)
        return NewKeyAnswer(api_key=_view(key), key=text)

    async def revoke(self, call: Call[OperatorCaller, None, None]) -> Done:
        await self.keys.revoke(call.caller, call.path["id"])
        return Done()


def _view(key: ApiKey) -> KeyView:
    return KeyView(
        id=key.id, name=key.name, prefix=key.prefix, created_at=key.created_at, last_used_at=key.last_used_at
    )
