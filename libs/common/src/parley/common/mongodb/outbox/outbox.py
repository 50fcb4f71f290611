"""The outbox as a component: queues written documents, publishes them, runs their inserts, and removes the entries."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from parley.common.mongodb.client import Mongo
from parley.common.mongodb.outbox.embedded_inserts import EmbeddedInserts, EntryProcessor
from parley.common.mongodb.outbox.entries import DocumentKey, PendingDocument, remove_entries
from parley.common.mongodb.outbox.publisher import EntryPublisher, Publisher
from parley.common.mongodb.outbox.sweep_grace import SweepGrace
from parley.common.mongodb.outbox.sweeper import DeferredDocuments, Sweeper
from parley.common.mongodb.schema import Document
from parley.common.mongodb.timeouts import (
    OUTBOX_DRAIN_TIMEOUT_SECONDS,
    OUTBOX_GRACE,
    OUTBOX_INSERT_DELAY_SECONDS,
    OUTBOX_REMOVE_DELAY_SECONDS,
)
from parley.common.observability.logging import get_logger
from parley.common.runtime.coalescing_timer import CoalescingTimer
from parley.common.runtime.tasks import cancel_and_wait, keep_running

log = get_logger(__name__)

_PUBLISH_BATCH_SIZE = 512
_INSERT_BATCH_SIZE = 32
"""Entries that are worth a write of their own immediately: larger batches are hardly cheaper per entry."""
_REMOVE_BATCH_SIZE = 1000
"""Documents per removing write: each write waits for the journal once, however many are in it."""
_LOGGED_FAILURES = (1, 10, 100)


class Outbox:
    """Publishes and removes the entries of a service's collections. One per process; replicas may overlap safely."""

    name = "outbox"

    def __init__(
        self,
        mongo: Mongo,
        publisher: Publisher,
        collections: Iterable[str],
        *,
        grace: timedelta = OUTBOX_GRACE,
        remove_delay_seconds: float = OUTBOX_REMOVE_DELAY_SECONDS,
        processor: EntryProcessor | None = None,
    ) -> None:
        """The sweeper leaves entries younger than `grace` to the process that wrote them, or older ones under load.

        `processor` writes what the service derives from the entries, before they are removed.
        """
        self._mongo = mongo
        self._collections = tuple(collections)
        self._publisher = EntryPublisher(publisher)
        self._inserts = EmbeddedInserts(mongo, processor)
        self._deferred = DeferredDocuments()
        self._grace = SweepGrace(grace)
        self._remove_delay_seconds = remove_delay_seconds
        self._sweeper = Sweeper(mongo, self._collections, self._publisher, self._inserts, self._deferred, self._grace)

        self._queue: deque[PendingDocument] = deque()
        self._enqueued = asyncio.Event()
        self._unpublished = 0
        self._batch_done = asyncio.Event()
        self._pending: dict[DocumentKey, dict[str, Document]] = {}
        """The entries enqueued in this process that are not yet both published and inserted, by their ids."""

        self._insert_queue: list[PendingDocument] = []
        self._insert_timer = CoalescingTimer(OUTBOX_INSERT_DELAY_SECONDS)

        self._removable: dict[DocumentKey, list[str]] = {}
        """The ids of entries that were published and inserted, and may still be in their documents."""
        self._remove_timer = CoalescingTimer(remove_delay_seconds)
        self._removing = False

        self._failures = 0
        """Of batches, since one was published and inserted."""
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: list[asyncio.Task[None]] = []

    def enqueue(
        self, collection: str, document: Mapping[str, Any], *, remaining: Iterable[Document] | None = None
    ) -> None:
        """Publish the entries of a document soon. Call with the document as the write returned it.

        Its `outbox` may omit entries that this process enqueued before. If the write removed entries from the stored
        document, `remaining` are those it left there.
        """
        key = collection, document["_id"]
        if remaining is not None and key in self._removable:
            stored_ids = {entry["id"] for entry in remaining}
            self._removable[key] = [entry_id for entry_id in self._removable[key] if entry_id in stored_ids]
            if not self._removable[key]:
                del self._removable[key]
        entries = tuple(document.get("outbox", ()))
        if entries:
            by_id = {entry["id"]: entry for entry in entries}
            self._pending.setdefault(key, {}).update(by_id)
            self._queue.append(PendingDocument(key, entries, tuple(by_id), time.monotonic()))
            self._unpublished += 1
            self._idle.clear()
            self._enqueued.set()

    def pending_entries(self, collection: str, document_id: object) -> list[Document] | None:
        """Return the entries of a document that this process still processes; a write may remove all others.

        Valid only if this process enqueued every entry that the document has. None if one was left to the sweeper.
        """
        key = collection, document_id
        return None if key in self._deferred else list(self._pending.get(key, {}).values())

    async def wait_published(self, max_pending: int = 0) -> None:
        """Wait until at most `max_pending` of the enqueued documents are neither published nor left to the sweeper."""
        while self._unpublished > max_pending:
            self._batch_done.clear()
            await self._batch_done.wait()

    async def sweep(self, before: datetime) -> int:
        """Publish the entries written before a time, as the sweeper does. Returns the number of documents with any."""
        return await self._sweeper.sweep(before)

    async def start(self) -> None:
        self._tasks = [
            keep_running(self._publish_loop, "outbox-publish"),
            keep_running(self._insert_loop, "outbox-insert"),
            keep_running(self._remove_loop, "outbox-remove"),
            keep_running(self._sweeper.run, "outbox-sweep"),
        ]

    async def stop(self) -> None:
        """Process what is queued, for up to five seconds; another replica finds the rest in the database."""
        self._stopping = True
        self._insert_timer.schedule(immediately=True)
        self._remove_timer.schedule(immediately=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), OUTBOX_DRAIN_TIMEOUT_SECONDS)
        await cancel_and_wait(*self._tasks)

    def unready_reason(self) -> str | None:
        return None

    async def _publish_loop(self) -> None:
        while True:
            batch: Sequence[PendingDocument] = await self._next_batch()
            queued = len(batch)
            try:
                batch = await self._reload_deferred(batch)
                await self._publisher.publish(batch)
            except Exception as exc:
                self._defer_to_sweep(batch, exc)
            else:
                with_inserts: list[PendingDocument] = []
                without: list[PendingDocument] = []
                for document in batch:
                    (with_inserts if self._inserts.has_pending(document) else without).append(document)
                self._finish(without)
                self._insert_queue += with_inserts
                if self._insert_queue:
                    full = len(self._insert_queue) >= _INSERT_BATCH_SIZE
                    self._insert_timer.schedule(immediately=self._stopping or full)
            self._unpublished -= queued
            self._batch_done.set()

    async def _next_batch(self) -> list[PendingDocument]:
        while not self._queue:
            self._enqueued.clear()
            await self._enqueued.wait()
        return [self._queue.popleft() for _ in range(min(len(self._queue), _PUBLISH_BATCH_SIZE))]

    async def _reload_deferred(self, batch: Sequence[PendingDocument]) -> Sequence[PendingDocument]:
        """Read the complete outbox of deferred documents, so that their older entries are published first."""
        failures = self._deferred.failures
        deferred = {document.key for document in batch if document.key in self._deferred}
        stored: dict[DocumentKey, tuple[Document, ...]] = {}
        for collection in {collection for collection, _ in deferred}:
            ids = [document_id for name, document_id in deferred if name == collection]
            async for row in self._mongo[collection].find({"_id": {"$in": ids}}, {"outbox": 1}):
                stored[collection, row["_id"]] = tuple(row.get("outbox", ()))
        return [
            replace(document, entries=stored.get(document.key, document.entries), failures=failures)
            for document in batch
        ]

    async def _insert_loop(self) -> None:
        while True:
            await self._insert_timer.wait()
            batch, self._insert_queue = self._insert_queue, []
            try:
                await self._inserts.insert(batch)
            except Exception as exc:
                self._defer_to_sweep(batch, exc)
            else:
                self._finish(batch)

    async def _remove_loop(self) -> None:
        # Delayed: the document's next write often removes the entries as well. One large write removes the rest.
        while True:
            await self._remove_timer.wait()
            batch = {key: self._removable.pop(key) for key in list(islice(self._removable, _REMOVE_BATCH_SIZE))}
            if self._removable:
                self._schedule_remove()
            self._removing = True
            try:
                await remove_entries(self._mongo, batch)
            except Exception as exc:
                log.warning("outbox_cleared_by_the_sweep", documents=len(batch), error=repr(exc)[:300])
            finally:
                self._removing = False
            self._update_idle()

    def _schedule_remove(self) -> None:
        self._remove_timer.schedule(immediately=self._stopping or len(self._removable) >= _REMOVE_BATCH_SIZE)

    def _defer_to_sweep(self, batch: Sequence[PendingDocument], exc: Exception) -> None:
        """Leave a batch to the sweeper: its entries are still in their documents."""
        self._failures += 1
        # While the broker is away, each change fails.
        if self._failures in _LOGGED_FAILURES:
            log.warning(
                "outbox_left_to_the_sweep", failures=self._failures, documents=len(batch), error=repr(exc)[:300]
            )
        self._deferred.add(batch)
        self._clear_pending(batch)

    def _finish(self, batch: Sequence[PendingDocument]) -> None:
        now = time.monotonic()
        for document in batch:
            self._grace.observe(now - document.enqueued_at + self._remove_delay_seconds)
            self._removable.setdefault(document.key, []).extend(entry["id"] for entry in document.entries)
        if batch:
            self._failures = 0
            self._schedule_remove()
        self._deferred.resolve(batch)
        self._clear_pending(batch)

    def _clear_pending(self, batch: Sequence[PendingDocument]) -> None:
        for document in batch:
            pending = self._pending.get(document.key, {})
            for entry_id in document.enqueued_ids:
                pending.pop(entry_id, None)
            if not pending:
                self._pending.pop(document.key, None)
        self._update_idle()

    def _update_idle(self) -> None:
        if not self._pending and not self._removable and not self._removing:
            self._idle.set()
