"""Visitors in MongoDB: one document a session handle and site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.chat.conversations.errors import VisitorIsErased, VisitorNotFound
from parley.chat.conversations.mappers import visitor_document, visitor_of
from parley.chat.conversations.model import Visitor
from parley.common.mongodb import Document, Index, Mongo
from parley.common.runtime.batching import BatchingQueue

INDEXES = [
    Index(
        "visitors",
        [("tenant_id", 1), ("site_id", 1), ("blocked_at", -1), ("_id", -1)],
        {"name": "blocked", "partialFilterExpression": {"blocked_at": {"$type": "date"}}},
    ),
    Index(
        "visitors",
        [("tenant_id", 1), ("site_id", 1), ("lead_at", -1), ("_id", -1)],
        {"name": "leads", "partialFilterExpression": {"lead_at": {"$type": "date"}}},
    ),
]

_BATCH = 128

_NO_GATE = {"erasure": {"$exists": False}}
"""While a visitor is erased, a gate stands in their place (store.personal_data): nobody is found, nobody is made."""


class MongoVisitors:
    """The domain's VisitorStore."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._by_key: BatchingQueue[str, Document | None] = BatchingQueue(self._by_keys, most=_BATCH)

    async def find(self, tenant_id: int, site_id: int, session: str) -> Visitor | None:
        found = await self._by_key(f"{site_id}:{session}")
        return visitor_of(found) if found and found["tenant_id"] == tenant_id else None

    async def _by_keys(self, keys: Sequence[str]) -> list[Document | None]:
        found = {
            row["_id"]: row async for row in self._mongo["visitors"].find({"_id": {"$in": list(keys)}, **_NO_GATE})
        }
        return [found.get(key) for key in keys]

    async def ensure(self, tenant_id: int, site_id: int, session: str, language: str | None) -> Visitor:
        found = await self.find(tenant_id, site_id, session)
        if found is None:
            found = Visitor(tenant_id, site_id, session, language=language, version=1)
            try:
                await self._mongo["visitors"].insert_one({"_id": found.key, **visitor_document(found)})
            except DuplicateKeyError:
                again = await self.find(tenant_id, site_id, session)
                if again is None:
                    raise VisitorIsErased from None
                found = again
        if language is not None and found.language != language:
            found = await self.change(found, {"language": language})
        return found

    async def change(self, visitor: Visitor, fields: Mapping[str, Any]) -> Visitor:
        after = await self._mongo["visitors"].find_one_and_update(
            {"_id": visitor.key, "tenant_id": visitor.tenant_id, **_NO_GATE},
            {"$set": dict(fields), "$inc": {"version": 1}},
            return_document=ReturnDocument.AFTER,
        )
        if after is None:
            raise VisitorNotFound
        return visitor_of(after)
