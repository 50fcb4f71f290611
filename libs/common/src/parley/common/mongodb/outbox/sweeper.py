"""Publishes what a crash, a failure or another replica left in outboxes, once it is older than a grace period."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from pymongo.errors import PyMongoError

from parley.common.errors import Unavailable
from parley.common.mongodb.client import Mongo
from parley.common.mongodb.outbox.embedded_inserts import EmbeddedInserts
from parley.common.mongodb.outbox.entries import DocumentKey, PendingDocument, remove_entries
from parley.common.mongodb.outbox.publisher import EntryPublisher
from parley.common.mongodb.outbox.sweep_grace import SweepGrace
from parley.common.mongodb.timeouts import OUTBOX_SWEEP_INTERVAL_SECONDS
from parley.common.observability import metrics
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import utc_now

log = get_logger(__name__)

_BATCH_SIZE = 128
_MAX_DOCUMENTS = 1000
"""Per collection and sweep."""
_LOGGED_FAILURES = (1, 10, 100)


class DeferredDocuments:
    """Documents with entries that were not published, each with the sequence number of its last failure.

    A document stops being deferred when entries that were read after its failure have been published.
    """

    def __init__(self) -> None:
        self.failures = 0
        self._failure_by_key: dict[DocumentKey, int] = {}

    def __contains__(self, key: DocumentKey) -> bool:
        return key in self._failure_by_key

    def add(self, batch: Sequence[PendingDocument]) -> None:
        """Count a failure, and defer the documents of its batch."""
        self.failures += 1
        self._failure_by_key.update(dict.fromkeys((document.key for document in batch), self.failures))

    def resolve(self, batch: Sequence[PendingDocument]) -> None:
        """Stop deferring the documents whose published entries were read after their failure."""
        for document in batch:
            if self._failure_by_key.get(document.key, document.failures + 1) <= document.failures:
                del self._failure_by_key[document.key]


class Sweeper:
    """Looks for old entries in a service's collections. Replicas may sweep at the same time."""

    def __init__(
        self,
        mongo: Mongo,
        collections: Sequence[str],
        publisher: EntryPublisher,
        inserts: EmbeddedInserts,
        deferred: DeferredDocuments,
        grace: SweepGrace,
    ) -> None:
        self._mongo = mongo
        self._collections = collections
        self._publisher = publisher
        self._inserts = inserts
        self._deferred = deferred
        self._grace = grace

    async def run(self) -> None:
        """Sweep every second, or immediately if there is more, from when the schema is ready until cancelled."""
        await self._mongo.schema_ready.wait()
        failures = 0
        while True:
            try:
                count = await self.sweep(utc_now() - self._grace.current())
                failures = 0
                if count >= _MAX_DOCUMENTS:
                    continue
            except Exception as exc:
                failures += 1
                if failures in _LOGGED_FAILURES or not isinstance(exc, (PyMongoError, Unavailable)):
                    log.warning("outbox_sweep_failed", failures=failures, error=repr(exc)[:300])
            await asyncio.sleep(OUTBOX_SWEEP_INTERVAL_SECONDS)

    async def sweep(self, before: datetime) -> int:
        """Publish the entries written before a time. Returns the number of documents that had any.

        Raises what the publisher and pymongo raise.
        """
        count = 0
        oldest: datetime | None = None
        for collection in self._collections:
            documents = await self._find(collection, before)
            count += len(documents)
            for document in documents:
                written_at = document.entries[0]["at"]
                oldest = written_at if oldest is None or written_at < oldest else oldest
            metrics.OUTBOX_PENDING.set(count)
            metrics.OUTBOX_OLDEST.set((utc_now() - oldest).total_seconds() if oldest else 0.0)
            for start in range(0, len(documents), _BATCH_SIZE):
                await self._process(documents[start : start + _BATCH_SIZE])
        return count

    async def _find(self, collection: str, before: datetime) -> list[PendingDocument]:
        failures = self._deferred.failures
        cursor = self._mongo[collection].find({"outbox.at": {"$lt": before}}, {"outbox": 1}).limit(_MAX_DOCUMENTS)
        return [
            PendingDocument((collection, row["_id"]), tuple(row["outbox"]), failures=failures) async for row in cursor
        ]

    async def _process(self, batch: Sequence[PendingDocument]) -> None:
        # Publisher and inserts each remember their part: one may succeed while the other fails.
        await asyncio.gather(self._publisher.publish(batch), self._inserts.insert(batch))
        self._deferred.resolve(batch)
        await remove_entries(
            self._mongo, {document.key: [entry["id"] for entry in document.entries] for document in batch}
        )
