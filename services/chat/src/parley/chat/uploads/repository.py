"""Records of uploaded images in MongoDB. Those of visitors expire, until a message is known to show them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from parley.chat.canned_replies.repository import COLLECTION as CANNED_REPLIES
from parley.chat.uploads.model import ExpiredUpload
from parley.common.mongodb import Document, Index, Mongo
from parley.common.runtime.clock import Clock

COLLECTION = "uploads"
UNSENT_MARGIN = timedelta(hours=1)
"""Longer than it takes to store a message whose image was found to exist."""

INDEXES = [
    Index(
        COLLECTION,
        [("expires_at", 1)],
        {"name": "expiry", "partialFilterExpression": {"expires_at": {"$type": "date"}}},
    ),
]


class MongoUploadRepository:
    """Implements UploadRepository."""

    def __init__(self, mongo: Mongo, clock: Clock, unsent_lifetime: timedelta = timedelta(days=1)) -> None:
        """`unsent_lifetime`: how long a visitor's image is kept that no message shows."""
        self._mongo = mongo
        self._clock = clock
        self._unsent_lifetime = unsent_lifetime

    async def add(self, name: str, tenant_id: int, site_id: int | None, session: str | None, size: int) -> None:
        now = self._clock()
        document: Document = {
            "_id": name,
            "tenant_id": tenant_id,
            "site_id": site_id,
            "session": session,
            "bytes": size,
            "at": now,
        }
        if session is not None:
            document["expires_at"] = now + self._unsent_lifetime
        await self._mongo[COLLECTION].insert_one(document)

    async def exists(self, name: str, tenant_id: int) -> bool:
        soonest = self._clock() + UNSENT_MARGIN
        query = {"_id": name, "tenant_id": tenant_id, "expires_at": {"$not": {"$lte": soonest}}}
        return await self._mongo[COLLECTION].find_one(query, {"_id": 1}) is not None

    async def list_expired(self, limit: int) -> Sequence[ExpiredUpload]:
        query = {"expires_at": {"$lte": self._clock(), "$type": "date"}}
        rows = self._mongo[COLLECTION].find(query).sort("expires_at", 1).limit(limit)
        return [ExpiredUpload(row["_id"], f"{row['site_id']}:{row['session']}") async for row in rows]

    async def retain(self, name: str) -> None:
        await self._mongo[COLLECTION].update_one({"_id": name}, {"$unset": {"expires_at": ""}})

    async def remove(self, name: str) -> None:
        await self._mongo[COLLECTION].delete_one({"_id": name})

    async def is_sent(self, upload: ExpiredUpload, url: str) -> bool:
        # The type lets the query use the partial index.
        stored = {"image_url": {"$eq": url, "$type": "string"}}
        # While the broker is away, messages wait in the outbox of their conversation.
        waiting = {"visitor_key": upload.visitor_key, "outbox.carried.document.image_url": url}
        return (
            await self._mongo["messages"].find_one(stored, {"_id": 1}) is not None
            or await self._mongo[CANNED_REPLIES].find_one(stored, {"_id": 1}) is not None
            or await self._mongo["conversations"].find_one(waiting, {"_id": 1}) is not None
            or await self._is_sent_with_another_url(upload)
        )

    async def _is_sent_with_another_url(self, upload: ExpiredUpload) -> bool:
        """Whether the visitor sent the image when the installation had another address."""
        conversations = self._mongo["conversations"].find({"visitor_key": upload.visitor_key}, {"_id": 1})
        query = {
            "conversation_id": {"$in": [row["_id"] async for row in conversations]},
            "image_url": {"$regex": f"/{re.escape(upload.name)}$"},
        }
        return await self._mongo["messages"].find_one(query, {"_id": 1}) is not None
