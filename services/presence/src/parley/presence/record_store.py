"""Writes of presence records, and publication of the events that these writes store in the records' outboxes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from parley.common.mongodb import Document, Mongo, Outbox
from parley.common.runtime.clock import utc_now
from parley.presence import metrics
from parley.presence.outbox_pipeline import new_write_id
from parley.presence.timeouts import EXPIRY_PUBLISH_TIMEOUT_SECONDS

BuildOfflinePipeline = Callable[[str], list[Document]]
"""Builds the update that takes records offline, for the id of the write."""

_EXPIRY_BATCH_SIZE = 1000
_DUPLICATE_KEY = 11000


class RecordStore:
    """The records of one collection: bulk writes, expiry and the publication of their events."""

    def __init__(self, mongo: Mongo, outbox: Outbox, collection: str) -> None:
        self._mongo = mongo
        self._outbox = outbox
        self._collection = collection

    async def bulk_write(self, operations: Sequence[UpdateOne]) -> int:
        """Write in any order. Return how many records were matched or inserted.

        Two replicas may insert the same record at the same time: the slower one gets a duplicate key error and retries
        as an update.
        """
        try:
            result = await self._mongo[self._collection].bulk_write(operations, ordered=False)
        except BulkWriteError as exc:
            errors = exc.details["writeErrors"]
            if any(error["code"] != _DUPLICATE_KEY for error in errors):
                raise
            retries = [operations[error["index"]] for error in errors]
            written: int = exc.details["nMatched"] + exc.details["nUpserted"]
            return written + await self.bulk_write(retries)
        return result.matched_count + result.upserted_count

    async def publish_changes(self, keys: Sequence[str], write_id: str) -> list[Document]:
        """Publish the events of the records that one write changed. Return these records with their `expires_at`."""
        changed = {"_id": {"$in": list(keys)}, "change": write_id}
        cursor = self._mongo[self._collection].find(changed, {"outbox": 1, "expires_at": 1})
        records = [record async for record in cursor]
        for record in records:
            self._outbox.enqueue(self._collection, record)
            for entry in record.get("outbox", ()):
                if entry["id"].startswith(write_id):
                    metrics.TRANSITIONS.labels(entry["event"]["type"]).inc()
        return records

    async def expire_due(self, now: datetime, build_pipeline: BuildOfflinePipeline) -> int:
        """Take one batch of expired records offline. Return how many were due.

        Every replica may try the same records at the same time: only one update matches each record, because it
        removes the condition that the others look for.
        """
        due = {"online": True, "expires_at": {"$lte": now}}
        collection = self._mongo[self._collection]
        cursor = collection.find(due, {"_id": 1}).sort("expires_at", 1).limit(_EXPIRY_BATCH_SIZE)
        keys = [record["_id"] async for record in cursor]
        if not keys:
            return 0
        write_id = new_write_id()
        await collection.update_many({"_id": {"$in": keys}, **due}, build_pipeline(write_id))
        expired = await self.publish_changes(keys, write_id)
        done_at = utc_now()
        for record in expired:
            metrics.OFFLINE_DELAY.labels(self._collection).observe((done_at - record["expires_at"]).total_seconds())
        if len(keys) == _EXPIRY_BATCH_SIZE:
            # More records are due. Do not claim them much faster than their events are published, so that other
            # replicas share the rest; but let the database find the next batch while the broker takes this one.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    self._outbox.wait_published(max_pending=_EXPIRY_BATCH_SIZE), EXPIRY_PUBLISH_TIMEOUT_SECONDS
                )
        return len(keys)
