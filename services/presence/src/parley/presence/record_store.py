"""Writes of presence records, and publication of the events that these writes store in the records' outboxes."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
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

_CLAIM_SIZE = 1000
_MAX_EXPIRING = 2 * _CLAIM_SIZE
"""Two claims at a time: while the database waits for its journal, it works on the other one."""
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
        # In one reply: by default, the first one has a hundred records.
        cursor = self._mongo[self._collection].find(changed, {"outbox": 1, "expires_at": 1}, batch_size=len(keys) + 1)
        records = await cursor.to_list()
        transitions: Counter[str] = Counter()
        for record in records:
            self._outbox.enqueue(self._collection, record)
            entries = record.get("outbox", ())
            transitions.update(entry["event"]["type"] for entry in entries if entry["id"].startswith(write_id))
        for event_type, count in transitions.items():
            metrics.TRANSITIONS.labels(event_type).inc(count)
        return records

    async def expire_due(self, now: datetime, build_pipeline: BuildOfflinePipeline) -> int:
        """Take expired records offline, up to a maximum number. Return how many were due.

        Every replica may try the same records at the same time: only one update matches each record, because it
        removes the condition that the others look for.
        """
        due = {"online": True, "expires_at": {"$lte": now}}
        cursor = self._mongo[self._collection].find(due, {"_id": 1}, limit=_MAX_EXPIRING, batch_size=_MAX_EXPIRING + 1)
        keys = [record["_id"] for record in await cursor.sort("expires_at", 1).to_list()]
        claims = [keys[start : start + _CLAIM_SIZE] for start in range(0, len(keys), _CLAIM_SIZE)]
        await asyncio.gather(*(self._claim(claim, due, build_pipeline) for claim in claims))
        if len(keys) == _MAX_EXPIRING:
            # More records are due. Do not claim them much faster than their events are published, so that other
            # replicas share the rest; but let the database find the next batch while the broker takes this one.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    self._outbox.wait_published(max_pending=_MAX_EXPIRING), EXPIRY_PUBLISH_TIMEOUT_SECONDS
                )
        return len(keys)

    async def _claim(self, keys: Sequence[str], due: Document, build_pipeline: BuildOfflinePipeline) -> None:
        """Take those of these records offline that are still due, and publish their events."""
        write_id = new_write_id()
        await self._mongo[self._collection].update_many({"_id": {"$in": keys}, **due}, build_pipeline(write_id))
        expired = await self.publish_changes(keys, write_id)
        done_at = utc_now()
        delays = metrics.OFFLINE_DELAY.labels(self._collection)
        for record in expired:
            delays.observe((done_at - record["expires_at"]).total_seconds())
