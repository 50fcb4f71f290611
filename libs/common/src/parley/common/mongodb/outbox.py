"""The outbox: events ride inside the document they tell of, so that a change and its news are one write.

After the write is acknowledged the document's entries are published in their order, with confirms, and then taken
out of it: by the next write of the document where one comes soon, else by a write of the outbox's own. What a crash or
an absent broker left behind, the sweep finds and publishes. So every event is told at least once, in order per
document; consumers know an event they have seen by its id. A document of which something was left behind is read again
before anything newer of it is told.

An entry may also carry documents for other collections (a message, a note, an audit entry): they are inserted before
the entry is cleared, and readers look into the outbox too, so they are visible from the first write on. So nobody waits
for that either, and it is done for many entries at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Protocol

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, PyMongoError

from parley.common.events import Event
from parley.common.mongodb.client import Mongo
from parley.common.mongodb.schema import Document, Index
from parley.common.observability import metrics
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import utc_now
from parley.common.runtime.coalescing_timer import CoalescingTimer
from parley.common.runtime.tasks import cancel_and_wait

log = get_logger(__name__)

_SWEEP_SECONDS = 1.0
_GRACE = timedelta(seconds=2)
"""The sweep leaves younger entries to the process that wrote them."""
_BATCH = 128
_CLEARED = 1000
"""Documents cleared in one write, at most: each write waits for the journal once, however many are in it."""
_PROJECTED = 32
"""Entries with luggage that are worth a write of their own at once: of more, each is hardly cheaper."""
_PROJECT_SECONDS = 0.1
_CLEAR_SECONDS = 0.5
"""Both well below the grace, or other replicas' sweeps would tell it all again."""
_REMEMBERED = 20_000
_DUPLICATE_KEY = 11000


class Publisher(Protocol):
    """What the outbox needs of the bus."""

    async def publish(self, documents: Sequence[Document]) -> None:
        """Publish events in order and wait for the broker's confirm of all. Raises when any is not confirmed."""


@dataclass(frozen=True, slots=True)
class OutboxInsert:
    """A document that an entry carries to another collection."""

    collection: str
    document: Document


def to_outbox_entry(event: Event, *carried: OutboxInsert) -> Document:
    """What to push to a document's `outbox` array, in the write that makes the event true."""
    entry: Document = {"id": event.id, "at": event.occurred_at, "event": event.to_document()}
    if carried:
        entry["carried"] = [{"into": one.collection, "document": one.document} for one in carried]
    return entry


_Key = tuple[str, Any]
"""A collection, and a document's id in it."""


@dataclass(frozen=True, slots=True)
class _Told:
    key: _Key
    entries: tuple[Document, ...]
    given: tuple[str, ...] = ()
    """The ids that it came with; its entries may have been read anew since."""
    failures: int = 0
    """How many were known when its entries were read."""


class _Remembered:
    """The ids of entries lately done with."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, entry_id: str) -> bool:
        return entry_id in self._ids

    def add(self, entries: Iterable[Document]) -> None:
        for entry in entries:
            self._ids[entry["id"]] = None
        while len(self._ids) > _REMEMBERED:
            self._ids.popitem(last=False)


class Outbox:
    """Publishes and clears the entries of a service's collections. One per process; replicas may overlap safely."""

    name = "outbox"

    def __init__(
        self,
        mongo: Mongo,
        publisher: Publisher,
        collections: Iterable[str],
        *,
        grace: timedelta = _GRACE,
        clear_seconds: float = _CLEAR_SECONDS,
    ) -> None:
        self._grace = grace
        self._mongo = mongo
        self._publisher = publisher
        self._collections = tuple(collections)
        self._queue: deque[_Told] = deque()
        self._wake = asyncio.Event()
        self._under_way = 0
        self._fewer = asyncio.Event()
        self._untold: dict[_Key, dict[str, Document]] = {}
        """The entries that were given to this process and are not published and projected yet, by their ids."""
        self._published_only: list[_Told] = []
        self._project_soon = CoalescingTimer(_PROJECT_SECONDS)
        self._told: dict[_Key, list[str]] = {}
        """The ids of entries that were published and projected, and may stand in their documents yet."""
        self._clear_soon = CoalescingTimer(clear_seconds)
        self._clearing = False
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._left: dict[_Key, int] = {}
        """Documents of which something was left to the sweep, each with the number of that failure."""
        self._failures = 0
        self._published = _Remembered()
        self._projected = _Remembered()
        self._tasks: list[asyncio.Task[None]] = []

    @staticmethod
    def indexes_for(collections: Iterable[str]) -> list[Index]:
        """One small index a collection: only documents that have something to tell are in it."""
        partial = {"outbox.at": {"$exists": True}}
        return [
            Index(name, [("outbox.at", 1)], {"name": "outbox", "partialFilterExpression": partial})
            for name in collections
        ]

    def indexes(self) -> list[Index]:
        """The indexes of this outbox's collections."""
        return self.indexes_for(self._collections)

    def enqueue(
        self, collection: str, document: Mapping[str, Any], *, remaining: Iterable[Document] | None = None
    ) -> None:
        """Publish what the document's outbox holds, soon. Call it with the document as the write returned it.

        Its `outbox` may leave out what this process was given before. Where the write has taken the rest of that out
        of the document, `beside` is what it has left in it.
        """
        key = collection, document["_id"]
        if remaining is not None and key in self._told:
            stand = {entry["id"] for entry in remaining}
            self._told[key] = [entry_id for entry_id in self._told[key] if entry_id in stand]
            if not self._told[key]:
                del self._told[key]
        entries = tuple(document.get("outbox", ()))
        if entries:
            by_id = {entry["id"]: entry for entry in entries}
            self._untold.setdefault(key, {}).update(by_id)
            self._queue.append(_Told(key, entries, tuple(by_id)))
            self._under_way += 1
            self._idle.clear()
            self._wake.set()

    def pending_entries(self, collection: str, document_id: object) -> list[Document] | None:
        """What this process was given of a document and is not done with: a write may take all else out of its outbox.

        Only where the writer gave this process all that stands there. None where something was left to the sweep.
        """
        key = collection, document_id
        return None if key in self._left else list(self._untold.get(key, {}).values())

    async def wait_published(self, max_pending: int = 0) -> None:
        """Wait until of the documents that were queued at most so many are not published, or left to the sweep, yet."""
        while self._under_way > max_pending:
            self._fewer.clear()
            await self._fewer.wait()

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._publish_queued(), name="outbox-publish"),
            asyncio.create_task(self._project_published(), name="outbox-project"),
            asyncio.create_task(self._clear_told(), name="outbox-clear"),
            asyncio.create_task(self._sweep(), name="outbox-sweep"),
        ]

    async def stop(self) -> None:
        """Tell what is queued, for at most five seconds; the rest is in the database and another replica tells it."""
        self._stopping = True
        self._project_soon.schedule(immediately=True)
        self._clear_soon.schedule(immediately=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), 5.0)
        await cancel_and_wait(*self._tasks)

    def unready_reason(self) -> str | None:
        return None

    async def _publish_queued(self) -> None:
        while True:
            batch: Sequence[_Told] = await _taken(self._queue, self._wake, _BATCH)
            queued = len(batch)
            try:
                batch = await self._with_what_was_left(batch)
                await self._announce(_entries_of(batch, self._published))
            except Exception as exc:
                self._leave(batch, exc)
            else:
                self._finish([told for told in batch if not self._carried_by([told])])
                self._published_only += [told for told in batch if self._carried_by([told])]
                if self._published_only:
                    self._project_soon.schedule(immediately=self._stopping or len(self._published_only) >= _PROJECTED)
            self._under_way -= queued
            self._fewer.set()

    async def _with_what_was_left(self, batch: Sequence[_Told]) -> Sequence[_Told]:
        """The same, where something older was left behind with all that stands in the document, in its order."""
        failures = self._failures
        left = {told.key for told in batch if told.key in self._left}
        whole: dict[_Key, tuple[Document, ...]] = {}
        for collection in {collection for collection, _ in left}:
            ids = [document_id for among, document_id in left if among == collection]
            async for row in self._mongo[collection].find({"_id": {"$in": ids}}, {"outbox": 1}):
                whole[collection, row["_id"]] = tuple(row.get("outbox", ()))
        return [replace(told, entries=whole.get(told.key, told.entries), failures=failures) for told in batch]

    async def _project_published(self) -> None:
        while True:
            await self._project_soon.wait()
            batch, self._published_only = self._published_only, []
            try:
                await self._project(self._carried_by(batch))
            except Exception as exc:
                self._leave(batch, exc)
            else:
                self._finish(batch)

    def _leave(self, batch: Sequence[_Told], problem: Exception) -> None:
        """Nothing is lost: the entries stand in their documents, and the sweep comes by."""
        log.warning("outbox_left_to_the_sweep", documents=len(batch), error=repr(problem)[:300])
        self._failures += 1
        self._left.update(dict.fromkeys((told.key for told in batch), self._failures))
        self._forget_given(batch)

    def _finish(self, batch: Sequence[_Told]) -> None:
        for told in batch:
            self._told.setdefault(told.key, []).extend(entry["id"] for entry in told.entries)
        if batch:
            self._clear_soon.schedule(immediately=self._stopping or len(self._told) >= _CLEARED)
        self._forget_left(batch)
        self._forget_given(batch)

    def _forget_left(self, batch: Sequence[_Told]) -> None:
        for told in batch:
            if self._left.get(told.key, told.failures + 1) <= told.failures:
                del self._left[told.key]

    def _forget_given(self, batch: Sequence[_Told]) -> None:
        for told in batch:
            untold = self._untold.get(told.key, {})
            for entry_id in told.given:
                untold.pop(entry_id, None)
            if not untold:
                self._untold.pop(told.key, None)
        self._look_whether_idle()

    def _look_whether_idle(self) -> None:
        if not self._untold and not self._told and not self._clearing:
            self._idle.set()

    async def _clear_told(self) -> None:
        # Late: until then the document's next write may do it in passing, and what is left makes one large write.
        while True:
            await self._clear_soon.wait()
            batch = {key: self._told.pop(key) for key in list(islice(self._told, _CLEARED))}
            if self._told:
                self._clear_soon.schedule(immediately=self._stopping or len(self._told) >= _CLEARED)
            self._clearing = True
            try:
                await self._clear(batch)
            except Exception as exc:
                log.warning("outbox_cleared_by_the_sweep", documents=len(batch), error=repr(exc)[:300])
            finally:
                self._clearing = False
            self._look_whether_idle()

    async def _clear(self, batch: Mapping[_Key, Sequence[str]]) -> None:
        clears: dict[str, list[UpdateOne]] = {}
        for (collection, document_id), ids in batch.items():
            update = UpdateOne({"_id": document_id}, {"$pull": {"outbox": {"id": {"$in": ids}}}})
            clears.setdefault(collection, []).append(update)
        for collection, operations in clears.items():
            await self._mongo[collection].bulk_write(operations, ordered=False)

    def _carried_by(self, batch: Sequence[_Told]) -> list[Document]:
        """The entries whose luggage is not in its collections yet."""
        return [entry for entry in _entries_of(batch, self._projected) if "carried" in entry]

    async def _project(self, entries: Sequence[Document]) -> None:
        inserts: dict[str, list[InsertOne[Document]]] = {}
        for entry in entries:
            for carried in entry["carried"]:
                inserts.setdefault(carried["into"], []).append(InsertOne(dict(carried["document"])))
        for collection, operations in inserts.items():
            try:
                await self._mongo[collection].bulk_write(operations, ordered=False)
            except BulkWriteError as exc:
                faults = exc.details.get("writeErrors", [])
                if any(fault.get("code") != _DUPLICATE_KEY for fault in faults):
                    raise
        self._projected.add(entries)

    async def _announce(self, entries: Sequence[Document]) -> None:
        if not entries:
            return
        await self._publisher.publish([entry["event"] for entry in entries])
        now = utc_now()
        self._published.add(entries)
        for entry in entries:
            metrics.EVENTS_PUBLISHED.labels(entry["event"]["type"]).inc()
            metrics.OUTBOX_SECONDS.observe(max(0.0, (now - entry["at"]).total_seconds()))

    async def _sweep(self) -> None:
        await self._mongo.schema_ready.wait()
        failures = 0
        while True:
            try:
                await self.sweep(utc_now() - self._grace)
                failures = 0
            except Exception as exc:
                failures += 1
                if failures in (1, 10, 100) or not isinstance(exc, PyMongoError):
                    log.warning("outbox_sweep_failed", failures=failures, error=repr(exc)[:300])
            await asyncio.sleep(_SWEEP_SECONDS)

    async def sweep(self, before: datetime) -> int:
        """Publish every entry written before a moment. Returns how many documents had any."""
        found = 0
        oldest: datetime | None = None
        for collection in self._collections:
            failures = self._failures
            cursor = self._mongo[collection].find({"outbox.at": {"$lt": before}}, {"outbox": 1}).limit(1000)
            waiting = [_Told((collection, row["_id"]), tuple(row["outbox"]), failures=failures) async for row in cursor]
            found += len(waiting)
            for told in waiting:
                first = told.entries[0]["at"]
                oldest = first if oldest is None or first < oldest else oldest
            metrics.OUTBOX_PENDING.set(found)
            metrics.OUTBOX_OLDEST.set((utc_now() - oldest).total_seconds() if oldest else 0.0)
            for start in range(0, len(waiting), _BATCH):
                await self._tell_now(waiting[start : start + _BATCH])
        return found

    async def _tell_now(self, batch: Sequence[_Told]) -> None:
        # Each half is remembered by itself: one may succeed where the other fails, and only both together are enough.
        await asyncio.gather(
            self._announce(_entries_of(batch, self._published)), self._project(self._carried_by(batch))
        )
        self._forget_left(batch)
        await self._clear({told.key: [entry["id"] for entry in told.entries] for told in batch})


def _entries_of(batch: Sequence[_Told], but: _Remembered) -> list[Document]:
    """Each once, those that are done with left out."""
    entries = {entry["id"]: entry for told in batch for entry in told.entries}
    return [entry for entry in entries.values() if entry["id"] not in but]


async def _taken(queue: deque[_Told], wake: asyncio.Event, most: int) -> list[_Told]:
    """What waits, at most so much; waited for where nothing does."""
    while not queue:
        wake.clear()
        await wake.wait()
    return [queue.popleft() for _ in range(min(len(queue), most))]
