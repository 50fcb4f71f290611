"""Builds segments of open documents, in the background.

The order makes every step visible to searches and safe to repeat: the segment as `building`, its pages, the places of
its documents, then `ready`; only then are the documents no longer open. A segment that its process left unfinished is
discarded and built again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from struct import pack
from typing import TypeVar

from bson import Int64
from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from parley.chat import metrics
from parley.chat.ids import NextId
from parley.chat.search.index import DOCUMENTS, PAGES, SEGMENTS, SearchIndex, page_id, refs_of, row_terms
from parley.chat.search.pages import Page
from parley.chat.search.postings import SEGMENT_POSITIONS, page_of
from parley.chat.timeouts import SEARCH_SEGMENT_LEASE
from parley.common.mongodb import Document, Mongo
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import Clock

log = get_logger(__name__)

POSITIONS_PER_TIME = 256
"""A segment has the time of each 256th position, so that the next page of a search begins in its middle."""
_PACKED_PAGES_VERSION = 11
"""The version of the schema whose code reads the pages that are written here."""
T = TypeVar("T")
_BATCH = 500
_SEALED_AT_ONCE = 2048
_SLICE = 64
"""Documents that are processed before other tasks of the process run."""


class LeaseExpired(Exception):
    """Raised when a segment takes longer than its lease: another process may have discarded it."""


@dataclass(slots=True)
class _Contents:
    """What a segment is built of."""

    rows: list[Document] = field(default_factory=list)
    positions: dict[str, list[int]] = field(default_factory=dict)
    """By term."""

    def add(self, row: Document) -> None:
        position = len(self.rows)
        for term in row_terms(row):
            self.positions.setdefault(term, []).append(position)
        self.rows.append(row)

    def to_pages(self) -> dict[str, dict[str, list[int]]]:
        """The positions by page and term."""
        pages: dict[str, dict[str, list[int]]] = {}
        for term, positions in self.positions.items():
            pages.setdefault(page_of(term), {})[term] = positions
        return pages


class SegmentBuilder:
    """Builds segments of `size` documents. Any replica may call it at any time."""

    def __init__(
        self, mongo: Mongo, index: SearchIndex, next_id: NextId, clock: Clock, *, size: int = SEGMENT_POSITIONS
    ) -> None:
        self._mongo = mongo
        self._index = index
        self._next_id = next_id
        self._clock = clock
        self._size = size

    async def build_due(self) -> int:
        """Build what is due, of all tenants. Returns the number of segments."""
        built = waiting = 0
        async for tenant_id in self._tenants_with_open():
            built += await self.build_for_tenant(tenant_id)
            waiting += await self._count_open(tenant_id)
        metrics.SEARCH_OPEN_DOCUMENTS.set(waiting)
        return built

    async def build_for_tenant(self, tenant_id: int) -> int:
        """Build what is due of a tenant. Returns the number of segments.

        Nothing is built while code runs that cannot read its pages; open documents are found as well.
        """
        await self._recover(tenant_id)
        if await self._mongo.older_code_runs(_PACKED_PAGES_VERSION):
            return 0
        built = 0
        while await self._count_open(tenant_id) >= self._size and await self._build(tenant_id):
            built += 1
        return built

    async def _tenants_with_open(self) -> AsyncIterator[int]:
        """Skip from tenant to tenant in the index."""
        last = 0
        while True:
            query = {"tenant_id": {"$gt": last}, "open": True}
            row = await self._mongo[DOCUMENTS].find_one(query, {"tenant_id": 1}, sort=[("tenant_id", 1)], hint="open")
            if row is None:
                return
            last = row["tenant_id"]
            yield last

    async def _count_open(self, tenant_id: int) -> int:
        return await self._mongo[DOCUMENTS].count_documents(
            {"tenant_id": tenant_id, "open": True}, hint="open", limit=self._size
        )

    async def _build(self, tenant_id: int) -> bool:
        """Build a segment of the oldest open documents. Returns False if another process is building one."""
        number = await self._next_id()
        lease_until = self._clock() + SEARCH_SEGMENT_LEASE
        deadline = time.monotonic() + SEARCH_SEGMENT_LEASE.total_seconds() / 2
        segment: Document = {
            "_id": number,
            "tenant_id": tenant_id,
            "state": "building",
            "lease_until": lease_until,
            "unfinished": True,
        }
        try:
            await self._mongo[SEGMENTS].insert_one(segment)
        except DuplicateKeyError:
            return False
        started = time.monotonic()
        contents = await self._read(tenant_id)
        await self._write_pages(number, contents, deadline)
        await self._set_places(number, contents, deadline)
        times = [row["at"] for row in contents.rows]
        await self._mongo[SEGMENTS].update_one(
            {"_id": number, "state": "building"},
            {
                "$set": {
                    "state": "ready",
                    "min_at": times[0],
                    "max_at": times[-1],
                    "times": _encode_times(times),
                    "sites": sorted({row["site_id"] for row in contents.rows}),
                    "kinds": sorted({row["kind"] for row in contents.rows}),
                }
            },
        )
        await self._seal(number)
        seconds = round(time.monotonic() - started, 3)
        log.info("search_segment_built", tenant_id=tenant_id, segment=number, seconds=seconds)
        return True

    async def _read(self, tenant_id: int) -> _Contents:
        contents = _Contents()
        rows = self._mongo[DOCUMENTS].find({"tenant_id": tenant_id, "open": True}, hint="open", batch_size=_BATCH)
        async for row in rows.sort([("at", 1), ("_id", 1)]).limit(self._size):
            contents.add(row)
            if len(contents.rows) % _SLICE == 0:
                await asyncio.sleep(0)
        return contents

    async def _write_pages(self, number: int, contents: _Contents, deadline: float) -> None:
        async for batch in _in_slices(list(contents.to_pages().items()), _BATCH):
            _check(deadline)
            pages = [
                {"_id": page_id(number, page), "version": 0, **Page.build(positions).to_fields()}
                for page, positions in batch
            ]
            await self._mongo[PAGES].insert_many(pages, ordered=False)

    async def _set_places(self, number: int, contents: _Contents, deadline: float) -> None:
        """Give the documents their places, and remove from the pages what was removed from the index meanwhile."""
        first = number * SEGMENT_POSITIONS
        refs = {row["_id"]: Int64(first + position) for position, row in enumerate(contents.rows)}
        async for batch in _in_slices(contents.rows, _BATCH):
            _check(deadline)
            updates = [
                UpdateOne({"_id": row["_id"], "revision": row["revision"]}, {"$set": {"ref": refs[row["_id"]]}})
                for row in batch
            ]
            await self._mongo[DOCUMENTS].bulk_write(updates, ordered=False)
        placed = {row["_id"] async for row in self._mongo[DOCUMENTS].find({"ref": refs_of(number)}, {"_id": 1})}
        missing = [row for row in contents.rows if row["_id"] not in placed]
        await self._index.clear_postings(missing, refs=refs)

    async def _seal(self, number: int) -> None:
        """Close the documents of a segment that searches find."""
        first = number * SEGMENT_POSITIONS
        for start in range(first, first + SEGMENT_POSITIONS, _SEALED_AT_ONCE):
            places = {"$gte": Int64(start), "$lt": Int64(start + _SEALED_AT_ONCE)}
            await self._mongo[DOCUMENTS].update_many({"ref": places}, {"$unset": {"open": ""}})
        await self._mongo[SEGMENTS].update_one(
            {"_id": number}, {"$set": {"state": "sealed"}, "$unset": {"unfinished": ""}}
        )

    async def _recover(self, tenant_id: int) -> None:
        """Finish or discard what a process that ended has left."""
        left = self._mongo[SEGMENTS].find(
            {"tenant_id": tenant_id, "unfinished": True, "lease_until": {"$lt": self._clock()}}
        )
        async for segment in left:
            if segment["state"] == "ready":
                await self._seal(segment["_id"])
            else:
                await self._discard(segment["_id"])

    async def _discard(self, number: int) -> None:
        log.warning("search_segment_discarded", segment=number)
        await self._mongo[DOCUMENTS].update_many({"ref": refs_of(number)}, {"$unset": {"ref": ""}})
        await self._mongo[PAGES].delete_many({"_id": {"$gte": f"{number}:", "$lt": f"{number};"}})
        await self._mongo[SEGMENTS].delete_one({"_id": number})


def _check(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise LeaseExpired


async def _in_slices(items: Sequence[T], size: int) -> AsyncIterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
        await asyncio.sleep(0)


def _encode_times(times: Sequence[datetime]) -> bytes:
    marks = [round(at.timestamp() * 1000) for at in times[::POSITIONS_PER_TIME]]
    return pack(f"<{len(marks)}q", *marks)
