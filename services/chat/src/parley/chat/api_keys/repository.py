"""API keys in MongoDB: inside their operator's document, so that revoking one and telling of it is one write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from parley.chat.accounts.repository import OPERATORS, operator_of, save_operator
from parley.chat.accounts.service import ChangedMeanwhile, Operator
from parley.chat.api_keys.service import ApiKey
from parley.chat.audit.service import Told
from parley.common.mongodb import Document, Index, Mongo, Outbox

INDEXES = [
    Index(
        OPERATORS,
        [("api_keys.key_hash", 1)],
        {"name": "api_key", "unique": True, "partialFilterExpression": {"api_keys.key_hash": {"$exists": True}}},
    )
]


class MongoApiKeys:
    """An ApiKeyStore."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._outbox = outbox

    async def of(self, tenant_id: int, operator_id: int) -> Sequence[ApiKey]:
        row = await self._mongo[OPERATORS].find_one({"_id": operator_id, "tenant_id": tenant_id}, {"api_keys": 1})
        return [_key(kept) for kept in (row or {}).get("api_keys", ())]

    async def add(self, operator_id: int, key: ApiKey, most: int) -> bool:
        document = {
            "id": key.id,
            "name": key.name,
            "key_hash": key.key_hash,
            "prefix": key.prefix,
            "created_at": key.created_at,
            "last_used_at": None,
        }
        done = await self._mongo[OPERATORS].update_one(
            {"_id": operator_id, "removed": False, f"api_keys.{most - 1}": {"$exists": False}},
            {"$push": {"api_keys": document}},
        )
        return done.matched_count == 1

    async def remove(self, before: Operator, after: Operator, key_id: int, told: Told) -> bool:
        if not any(key.id == key_id for key in await self.of(before.tenant_id, before.id)):
            return False
        pull = {"$pull": {"api_keys": {"id": key_id}}}
        if not await save_operator(self._mongo, self._outbox, before, after, told, pull):
            raise ChangedMeanwhile
        return True

    async def owner_of(self, key_hash: str) -> tuple[Operator, ApiKey] | None:
        row = await self._mongo[OPERATORS].find_one({"api_keys.key_hash": key_hash})
        if row is None:
            return None
        kept = next(key for key in row["api_keys"] if key["key_hash"] == key_hash)
        return operator_of(row), _key(kept)

    async def touch(self, operator_id: int, key_id: int, at: datetime) -> None:
        await self._mongo[OPERATORS].update_one(
            {"_id": operator_id, "api_keys.id": key_id}, {"$set": {"api_keys.$.last_used_at": at}}
        )


def _key(kept: Document) -> ApiKey:
    return ApiKey(kept["id"], kept["name"], kept["key_hash"], kept["prefix"], kept["created_at"], kept["last_used_at"])
