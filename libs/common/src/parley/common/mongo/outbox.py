"""The outbox: events ride inside the document they tell of, so that a change and its news are one write.

After the write is acknowledged the document's entries are published in their order, with confirms, and then taken
out of it. What a crash or an absent broker left behind, the sweep finds and publishes. So every event is told at
least once, in order per document; consumers know an event they have seen by its id. A document of which something was
left behind is read again before anything newer of it is told.

An entry may also carry documents for other collections (a message, a note, an audit entry): they are inserted before
the entry is cleared, and readers look into the outbox too, so they are visible from the first write on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, PyMongoError

from parley.common import metrics
from parley.common.clock import utc_now
from parley.common.events import Event
from parley.common.mongo.client import Mongo
from parley.common.mongo.schema import Document, Index
from parley.common.tasks import end
from parley.common.telemetry import logger

log = logger(__name__)

_SWEEP_SECONDS = 1.0
_GRACE = timedelta(seconds=2)
"""The sweep leaves younger entries to the process that wrote them."""
_BATCH = 128
_CLEARED = 1000
"""Documents cleared in one write, at most: each write waits for the journal once, however many are in it."""
_CLEAR_SECONDS = 0.05
_REMEMBERED = 20_000
_DUPLICATE_KEY = 11000


class Publisher(Protocol):
    """What the outbox needs of the bus."""

    async def publish(self, documents: Sequence[Document]) -> None:
        """Publish events in order and wait for the broker's confirm of all. Raises when any is not confirmed."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A document that an entry carries to another collection."""

    collection: str
    document: Document


def entry_of(event: Event, *carried: Projection) -> Document:
    """What to push to a document's `outbox` array, in the write that makes the event true."""
    entry: Document = {"id": event.id, "at": event.occurred_at, "event": event.to_document()}
    if carried:
        entry["carried"] = [{"into": one.collection, "document": one.document} for one in carried]
    return entry


@dataclass(frozen=True, slots=True)
class _Told:
    collection: str
    document_id: Any
    entries: tuple[Document, ...]

    @property
    def key(self) -> tuple[str, Any]:
        return self.collection, self.document_id


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
        self, mongo: Mongo, publisher: Publisher, collections: Iterable[str], *, grace: timedelta = _GRACE
    ) -> None:
        self._grace = grace
        self._mongo = mongo
        self._publisher = publisher
        self._collections = tuple(collections)
        self._queue: deque[_Told] = deque()
        self._wake = asyncio.Event()
        self._told: deque[_Told] = deque()
        """Published, and not taken out of their documents yet."""
        self._clear_wake = asyncio.Event()
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._fewer = asyncio.Event()
        self._left: dict[tuple[str, Any], int] = {}
        """Documents of which something was left to the sweep, each with the number of that failure."""
        self._failures = 0
        self._published = _Remembered()
        self._projected = _Remembered()
        self._tasks: list[asyncio.Task[None]] = []

    @staticmethod
    def indexes_of(collections: Iterable[str]) -> list[Index]:
        """One small index a collection: only documents that have something to tell are in it."""
        partial = {"outbox.at": {"$exists": True}}
        return [
            Index(name, [("outbox.at", 1)], {"name": "outbox", "partialFilterExpression": partial})
            for name in collections
        ]

    def indexes(self) -> list[Index]:
        """The indexes of this outbox's collections."""
        return self.indexes_of(self._collections)

    def tell(self, collection: str, document: Mapping[str, Any]) -> None:
        """Publish what the document's outbox holds, soon. Call it with the document as the write returned it.

        Its `outbox` may leave out what this process has told before.
        """
        entries = tuple(document.get("outbox", ()))
        if entries:
            self._queue.append(_Told(collection, document["_id"], entries))
            self._under_way += 1
            self._idle.clear()
            self._wake.set()

    async def told(self, left: int = 0) -> None:
        """Wait until of the documents that were queued at most so many are not published, or left to the sweep, yet."""
        while self._under_way > left:
            self._fewer.clear()
            await self._fewer.wait()

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._publish_told(), name="outbox-publish"),
            asyncio.create_task(self._clear_told(), name="outbox-clear"),
            asyncio.create_task(self._sweep(), name="outbox-sweep"),
        ]

    async def stop(self) -> None:
        """Tell what is queued, for at most five seconds; the rest is in the database and another replica tells it."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), 5.0)
        await end(*self._tasks)

    def fault(self) -> str | None:
        return None

    async def _publish_told(self) -> None:
        while True:
            batch = await _taken(self._queue, self._wake, _BATCH)
            failures = self._failures
            try:
                whole = await self._with_what_was_left(batch)
                await self._announce_and_project(whole, failures)
            except Exception as problem:
                # Nothing is lost: the entries stand in their documents, and the sweep comes by.
                log.warning("outbox_left_to_the_sweep", documents=len(batch), problem=repr(problem)[:300])
                self._failures += 1
                self._left.update(dict.fromkeys((told.key for told in batch), self._failures))
                self._done(len(batch))
            else:
                self._told.extend(whole)
                self._clear_wake.set()

    async def _with_what_was_left(self, batch: Sequence[_Told]) -> Sequence[_Told]:
        """The same, where something older was left behind with all that stands in the document, in its order."""
        left = {told.key for told in batch if told.key in self._left}
        if not left:
            return batch
        whole: dict[tuple[str, Any], tuple[Document, ...]] = {}
        for collection in {collection for collection, _ in left}:
            ids = [document_id for among, document_id in left if among == collection]
            async for row in self._mongo[collection].find({"_id": {"$in": ids}}, {"outbox": 1}):
                whole[collection, row["_id"]] = tuple(row.get("outbox", ()))
        return [replace(told, entries=whole.get(told.key, told.entries)) for told in batch]

    async def _clear_told(self) -> None:
        # Beside the publishing: what was said next need not wait for it.
        while True:
            batch = await _taken(self._told, self._clear_wake, _CLEARED)
            if len(batch) < _BATCH:
                # Nobody waits for this: what is told in a moment is cleared in the same write.
                await asyncio.sleep(_CLEAR_SECONDS)
                batch += _at_most(self._told, _CLEARED - len(batch))
            try:
                await self._clear(batch)
            except Exception as problem:
                log.warning("outbox_cleared_by_the_sweep", documents=len(batch), problem=repr(problem)[:300])
            self._done(len(batch))

    def _done(self, documents: int) -> None:
        self._under_way -= documents
        self._fewer.set()
        if not self._under_way:
            self._idle.set()

    async def _announce_and_project(self, batch: Sequence[_Told], failures: int) -> None:
        """Insert what the entries carry, and publish them in order; they were read when so many failures were known."""
        entries = {entry["id"]: entry for told in batch for entry in told.entries}
        # Each half is remembered by itself: one may succeed where the other fails, and only both together are enough.
        # The news is sent first: somebody waits for it.
        await asyncio.gather(
            self._announce([entry for entry in entries.values() if entry["id"] not in self._published]),
            self._project([entry for entry in entries.values() if entry["id"] not in self._projected]),
        )
        for told in batch:
            if self._left.get(told.key, failures + 1) <= failures:
                del self._left[told.key]

    async def _clear(self, batch: Sequence[_Told]) -> None:
        clears: dict[str, dict[Any, list[str]]] = {}
        for told in batch:
            ids = clears.setdefault(told.collection, {}).setdefault(told.document_id, [])
            ids.extend(entry["id"] for entry in told.entries)
        for collection, documents in clears.items():
            await self._mongo[collection].bulk_write(
                [
                    UpdateOne({"_id": document_id}, {"$pull": {"outbox": {"id": {"$in": ids}}}})
                    for document_id, ids in documents.items()
                ],
                ordered=False,
            )

    async def _project(self, entries: Sequence[Document]) -> None:
        inserts: dict[str, list[InsertOne[Document]]] = {}
        for entry in entries:
            for carried in entry.get("carried", ()):
                inserts.setdefault(carried["into"], []).append(InsertOne(dict(carried["document"])))
        for collection, operations in inserts.items():
            try:
                await self._mongo[collection].bulk_write(operations, ordered=False)
            except BulkWriteError as problem:
                faults = problem.details.get("writeErrors", [])
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
        await self._mongo.prepared.wait()
        failures = 0
        while True:
            try:
                await self.sweep(utc_now() - self._grace)
                failures = 0
            except Exception as problem:
                failures += 1
                if failures in (1, 10, 100) or not isinstance(problem, PyMongoError):
                    log.warning("outbox_sweep_failed", failures=failures, problem=repr(problem)[:300])
            await asyncio.sleep(_SWEEP_SECONDS)

    async def sweep(self, before: datetime) -> int:
        """Publish every entry written before a moment. Returns how many documents had any."""
        found = 0
        oldest: datetime | None = None
        for collection in self._collections:
            failures = self._failures
            cursor = self._mongo[collection].find({"outbox.at": {"$lt": before}}, {"outbox": 1}).limit(1000)
            waiting = [_Told(collection, row["_id"], tuple(row["outbox"])) async for row in cursor]
            found += len(waiting)
            for told in waiting:
                first = told.entries[0]["at"]
                oldest = first if oldest is None or first < oldest else oldest
            metrics.OUTBOX_PENDING.set(found)
            metrics.OUTBOX_OLDEST.set((utc_now() - oldest).total_seconds() if oldest else 0.0)
            for start in range(0, len(waiting), _BATCH):
                await self._announce_and_project(waiting[start : start + _BATCH], failures)
                await self._clear(waiting[start : start + _BATCH])
        return found


async def _taken(queue: deque[_Told], wake: asyncio.Event, most: int) -> list[_Told]:
    """What waits, at most so much; waited for where nothing does."""
    while not queue:
        wake.clear()
        await wake.wait()
    return _at_most(queue, most)


def _at_most(queue: deque[_Told], most: int) -> list[_Told]:
    return [queue.popleft() for _ in range(min(len(queue), most))]
