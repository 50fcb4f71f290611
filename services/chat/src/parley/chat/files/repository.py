"""Records of files in MongoDB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from parley.chat.canned_replies.repository import COLLECTION as CANNED_REPLIES
from parley.chat.files.model import SENDING_TIME, ExpiredFile, StoredFile, Uploader
from parley.common.mongodb import Document, Index, Mongo
from parley.common.runtime.clock import Clock

COLLECTION = "files"
_MAX_CLOCK_SKEW = timedelta(minutes=1)
"""Between replicas: what one of them has removed must have expired for all."""

INDEXES = [
    Index(
        COLLECTION,
        [("expires_at", 1)],
        {"name": "expiry", "partialFilterExpression": {"expires_at": {"$type": "date"}}},
    ),
    Index(
        COLLECTION,
        [("site_id", 1), ("session", 1)],
        {"name": "of_visitor", "partialFilterExpression": {"session": {"$type": "string"}}},
    ),
    Index("messages", [("file.id", 1)], {"name": "file", "partialFilterExpression": {"file.id": {"$type": "string"}}}),
]


class MongoFileRepository:
    """Implements FileRepository."""

    def __init__(self, mongo: Mongo, clock: Clock, unsent_lifetime: timedelta = timedelta(days=1)) -> None:
        """`unsent_lifetime`: how long a file is kept that no message shows."""
        self._mongo = mongo
        self._clock = clock
        self._unsent_lifetime = unsent_lifetime

    async def add(self, file_id: str, uploader: Uploader) -> None:
        now = self._clock()
        await self._mongo[COLLECTION].insert_one(
            {
                "_id": file_id,
                "tenant_id": uploader.tenant_id,
                "site_id": uploader.site_id,
                "session": uploader.session,
                "at": now,
                "expires_at": now + self._unsent_lifetime,
                "complete": False,
            }
        )

    async def complete(self, file: StoredFile) -> None:
        fields = {
            "complete": True,
            "name": file.name,
            "bytes": file.size,
            "kind": file.kind,
            "content_type": file.content_type,
            "sha256": file.sha256,
            "duration": file.duration,
        }
        await self._mongo[COLLECTION].update_one({"_id": file.id}, {"$set": fields})

    async def find(self, file_id: str) -> StoredFile | None:
        row = await self._mongo[COLLECTION].find_one({"_id": file_id, "complete": True})
        return None if row is None else _to_stored(row)

    async def keep_for_sending(self, file_id: str, uploader: Uploader) -> StoredFile | None:
        now = self._clock()
        sendable_until = now + SENDING_TIME
        query: Document = {
            "_id": file_id,
            "tenant_id": uploader.tenant_id,
            "session": uploader.session,
            "complete": True,
        }
        if uploader.session is not None:
            query["site_id"] = uploader.site_id
        row = await self._mongo[COLLECTION].find_one(query | {"expires_at": {"$not": {"$lte": sendable_until}}})
        if row is None:
            # One that has expired may be being removed.
            row = await self._mongo[COLLECTION].find_one_and_update(
                query | {"expires_at": {"$gt": now}}, {"$max": {"expires_at": sendable_until}}
            )
        return None if row is None else _to_stored(row)

    async def list_expired(self, limit: int) -> Sequence[ExpiredFile]:
        query = {"expires_at": {"$lte": self._clock() - _MAX_CLOCK_SKEW, "$type": "date"}}
        rows = self._mongo[COLLECTION].find(query).sort("expires_at", 1).limit(limit)
        return [ExpiredFile(row["_id"], _to_uploader(row)) async for row in rows]

    async def find_sent_until(self, file: ExpiredFile) -> datetime | bool:
        until = await self._find_shown_until(file)
        now = self._clock()
        if until is True or (until is not False and until > now):
            return until
        # While the broker is away, messages wait in the outbox of their conversation. The first condition is that of
        # the index of what waits.
        waiting: Document = {
            "document.file.id": file.id,
            "$or": [{"document.file.expires_at": None}, {"document.file.expires_at": {"$gt": now}}],
        }
        query = {"outbox.at": {"$exists": True}, "outbox": {"$elemMatch": {"carried": {"$elemMatch": waiting}}}}
        if await self._mongo["conversations"].find_one(query, {"_id": 1}) is not None:
            return now + SENDING_TIME
        # It may have left the outbox in between.
        return await self._find_shown_until(file) if until is False else until

    async def _find_shown_until(self, file: ExpiredFile) -> datetime | bool:
        if await self._mongo[CANNED_REPLIES].find_one({"file.id": file.id}, {"_id": 1}) is not None:
            return True
        latest: datetime | None = None
        async for row in self._mongo["messages"].find({"file.id": file.id}, {"file.expires_at": 1}):
            expires_at = row["file"].get("expires_at")
            if expires_at is None:
                return True
            latest = expires_at if latest is None else max(latest, expires_at)
        return latest or False

    async def keep_until(self, file_id: str, until: datetime | None) -> None:
        update: Document = {"$unset": {"expires_at": ""}} if until is None else {"$set": {"expires_at": until}}
        await self._mongo[COLLECTION].update_one({"_id": file_id}, update)

    async def remove(self, file_id: str) -> None:
        await self._mongo[COLLECTION].delete_one({"_id": file_id})


async def find_files(mongo: Mongo, ids: Sequence[str]) -> list[StoredFile]:
    """Return the files with these ids whose content is stored."""
    rows = mongo[COLLECTION].find({"_id": {"$in": list(ids)}, "complete": True}).sort("_id", 1)
    return [_to_stored(row) async for row in rows]


def _to_uploader(row: Document) -> Uploader:
    return Uploader(row["tenant_id"], row["site_id"], row["session"])


def _to_stored(row: Document) -> StoredFile:
    return StoredFile(
        id=row["_id"],
        uploader=_to_uploader(row),
        name=row["name"],
        size=row["bytes"],
        kind=row["kind"],
        content_type=row["content_type"],
        sha256=row["sha256"],
        duration=row["duration"],
    )
