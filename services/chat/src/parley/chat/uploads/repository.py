"""Records of uploaded images in MongoDB. Those of visitors expire, until a message is known to show them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from parley.chat.canned_replies.repository import COLLECTION as CANNED_REPLIES
from parley.chat.files.model import Uploader
from parley.chat.uploads.model import SENDING_TIME, ExpiredUpload, image_name
from parley.common.mongodb import Document, Index, Mongo
from parley.common.runtime.clock import Clock

COLLECTION = "uploads"
_MAX_CLOCK_SKEW = timedelta(minutes=1)
"""Between replicas: what one of them has removed must have expired for all."""

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

    async def keep_for_sending(self, name: str, uploader: Uploader) -> bool:
        now = self._clock()
        image, sendable_until = _sendable_by(uploader) | {"_id": name}, now + SENDING_TIME
        stays = image | {"expires_at": {"$not": {"$lte": sendable_until}}}
        if await self._mongo[COLLECTION].find_one(stays, {"_id": 1}) is not None:
            return True
        # One that has expired may be being removed.
        result = await self._mongo[COLLECTION].update_one(
            image | {"expires_at": {"$gt": now}}, {"$max": {"expires_at": sendable_until}}
        )
        return result.matched_count == 1

    async def find_expired(self, name: str, uploader: Uploader) -> ExpiredUpload | None:
        query = _sendable_by(uploader) | {"_id": name, "expires_at": {"$type": "date"}}
        row = await self._mongo[COLLECTION].find_one(query)
        return None if row is None else _to_expired(row)

    async def list_expired(self, limit: int) -> Sequence[ExpiredUpload]:
        query = {"expires_at": {"$lte": self._clock() - _MAX_CLOCK_SKEW, "$type": "date"}}
        rows = self._mongo[COLLECTION].find(query).sort("expires_at", 1).limit(limit)
        return [_to_expired(row) async for row in rows]

    async def retain(self, name: str) -> None:
        await self._mongo[COLLECTION].update_one({"_id": name}, {"$unset": {"expires_at": ""}})

    async def remove(self, name: str) -> None:
        await self._mongo[COLLECTION].delete_one({"_id": name})

    async def is_of_visitor(self, name: str, tenant_id: int, site_id: int, session: str) -> bool:
        query = _sendable_by(Uploader(tenant_id, site_id, session)) | {"_id": name}
        return await self._mongo[COLLECTION].find_one(query, {"_id": 1}) is not None

    async def is_sent(self, upload: ExpiredUpload, url: str) -> bool:
        stored = query_shown_images([url])
        # While the broker is away, messages wait in the outbox of their conversation.
        waiting = {
            "visitor_key": upload.visitor_key,
            "outbox.carried.document.image_url": {"$regex": f"/{re.escape(upload.name)}$"},
        }
        return (
            await self._mongo["messages"].find_one(stored, {"_id": 1}) is not None
            or await self._mongo[CANNED_REPLIES].find_one(stored, {"_id": 1}) is not None
            or await self._mongo["conversations"].find_one(waiting, {"_id": 1}) is not None
            or await self._is_sent_by_previous_version(upload)
        )

    async def _is_sent_by_previous_version(self, upload: ExpiredUpload) -> bool:
        """Whether the visitor sent the image through the previous version of the code, which may have another address.

        It does not write the image's name until every replica is updated.
        """
        conversations = self._mongo["conversations"].find({"visitor_key": upload.visitor_key}, {"_id": 1})
        query = {
            "conversation_id": {"$in": [row["_id"] async for row in conversations]},
            "image_url": {"$regex": f"/{re.escape(upload.name)}$"},
        }
        return await self._mongo["messages"].find_one(query, {"_id": 1}) is not None


def query_shown_images(urls: Sequence[str]) -> Document:
    """Find messages or canned replies that show one of these images, also at another address of the installation.

    What the previous version of the code wrote has no `image_name` until a migration has set it: it is found by URL.
    """
    names = [name for url in urls if (name := image_name(url)) is not None]
    # The types let the query use the partial indexes.
    return {
        "$or": [
            {"image_name": {"$in": names, "$type": "string"}},
            {"image_url": {"$in": list(urls), "$type": "string"}},
        ]
    }


def _sendable_by(uploader: Uploader) -> Document:
    return {"tenant_id": uploader.tenant_id, "site_id": uploader.site_id, "session": uploader.session}


def _to_expired(row: Document) -> ExpiredUpload:
    return ExpiredUpload(row["_id"], f"{row['site_id']}:{row['session']}")
