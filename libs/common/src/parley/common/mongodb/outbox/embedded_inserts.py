"""Inserts the documents that outbox entries embed into their collections, and has what derives from them written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pymongo import InsertOne
from pymongo.errors import BulkWriteError

from parley.common.mongodb.client import Mongo
from parley.common.mongodb.outbox.entries import PendingDocument, RecentIds, unprocessed_entries
from parley.common.mongodb.schema import Document

_DUPLICATE_KEY = 11000


class EntryProcessor(Protocol):
    """Writes what a service derives from its outbox entries, as a search index."""

    def wants(self, entry: Document) -> bool:
        """Whether it derives something from an entry."""

    async def process(self, entries: Sequence[Document]) -> None:
        """Process entries whose documents are inserted. Repeated after a failure or a crash, so it is idempotent."""


class EmbeddedInserts:
    """Inserts embedded documents, each once while its entry's id is remembered; a repeated insert changes nothing."""

    def __init__(self, mongo: Mongo, processor: EntryProcessor | None = None) -> None:
        self._mongo = mongo
        self._processor = processor
        self._inserted = RecentIds()

    def has_pending(self, document: PendingDocument) -> bool:
        """Whether an entry of the document embeds documents that are not inserted yet, or is not processed yet."""
        return bool(self._pending_entries([document]))

    async def insert(self, batch: Sequence[PendingDocument]) -> None:
        """Insert what is not inserted yet, one write per collection, and process it. Raises what pymongo raises."""
        entries = self._pending_entries(batch)
        inserts: dict[str, list[InsertOne[Document]]] = {}
        for entry in entries:
            for embedded in entry.get("carried", ()):
                inserts.setdefault(embedded["into"], []).append(InsertOne(dict(embedded["document"])))
        for collection, operations in inserts.items():
            try:
                await self._mongo[collection].bulk_write(operations, ordered=False)
            except BulkWriteError as exc:
                # A document that exists was inserted by another replica, or before a restart.
                if any(error.get("code") != _DUPLICATE_KEY for error in exc.details.get("writeErrors", [])):
                    raise
        if to_process := [entry for entry in entries if self._wants(entry)]:
            assert self._processor is not None
            await self._processor.process(to_process)
        self._inserted.add(entries)

    def _pending_entries(self, batch: Sequence[PendingDocument]) -> list[Document]:
        entries = unprocessed_entries(batch, self._inserted)
        return [entry for entry in entries if "carried" in entry or self._wants(entry)]

    def _wants(self, entry: Document) -> bool:
        return self._processor is not None and self._processor.wants(entry)
