"""API keys in MongoDB, in the document of their operator, so that a revocation and its event are one write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from parley.chat.accounts.errors import EditConflict
from parley.chat.accounts.model import Operator
from parley.chat.accounts.repository import OPERATORS, save_operator, to_operator
from parley.chat.api_keys.model import ApiKey
from parley.chat.audit.model import AuditedEvent
from parley.common.auth.identity import Permission
from parley.common.mongodb import Document, Index, Mongo, Outbox

INDEXES = [
    Index(
        OPERATORS,
        [("api_keys.key_hash", 1)],
        {"name": "api_key", "unique": True, "partialFilterExpression": {"api_keys.key_hash": {"$exists": True}}},
    )
]


class MongoApiKeyRepository:
    """Implements ApiKeyRepository."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._outbox = outbox

    async def list_for_operator(self, tenant_id: int, operator_id: int) -> Sequence[ApiKey]:
        row = await self._mongo[OPERATORS].find_one({"_id": operator_id, "tenant_id": tenant_id}, {"api_keys": 1})
        return [_to_api_key(document) for document in (row or {}).get("api_keys", ())]

    async def add(self, operator_id: int, key: ApiKey, max_keys: int) -> bool:
        document = {
            "id": key.id,
            "name": key.name,
            "key_hash": key.key_hash,
            "prefix": key.prefix,
            "created_at": key.created_at,
            "last_used_at": None,
            "scopes": None if key.scopes is None else sorted(key.scopes),
            "expires_at": key.expires_at,
        }
        result = await self._mongo[OPERATORS].update_one(
            {"_id": operator_id, "removed": False, f"api_keys.{max_keys - 1}": {"$exists": False}},
            {"$push": {"api_keys": document}},
        )
        return result.matched_count == 1

    async def remove(self, before: Operator, after: Operator, key_id: int, audited: AuditedEvent) -> bool:
        if not any(key.id == key_id for key in await self.list_for_operator(before.tenant_id, before.id)):
            return False
        pull = {"$pull": {"api_keys": {"id": key_id}}}
        if not await save_operator(self._mongo, self._outbox, before, after, audited, pull):
            raise EditConflict
        return True

    async def find_owner(self, key_hash: str) -> tuple[Operator, ApiKey] | None:
        row = await self._mongo[OPERATORS].find_one({"api_keys.key_hash": key_hash})
        if row is None:
            return None
        document = next(key for key in row["api_keys"] if key["key_hash"] == key_hash)
        return to_operator(row), _to_api_key(document)

    async def record_use(self, operator_id: int, key_id: int, at: datetime) -> None:
        await self._mongo[OPERATORS].update_one(
            {"_id": operator_id, "api_keys.id": key_id}, {"$set": {"api_keys.$.last_used_at": at}}
        )


def _to_api_key(document: Document) -> ApiKey:
    return ApiKey(
        document["id"],
        document["name"],
        document["key_hash"],
        document["prefix"],
        document["created_at"],
        document["last_used_at"],
        # Keys of older versions have neither scopes nor an expiry.
        None if document.get("scopes") is None else frozenset(Permission(scope) for scope in document["scopes"]),
        document.get("expires_at"),
    )
