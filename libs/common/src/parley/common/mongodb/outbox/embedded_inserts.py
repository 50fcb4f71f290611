"""Inserts the documents that outbox entries embed into their collections."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import InsertOne
from pymongo.errors import BulkWriteError

from parley.common.mongodb.client import Mongo
from parley.common.mongodb.outbox.entries import PendingDocument, RecentIds, unprocessed_entries
from parley.common.mongodb.schema import Document

_DUPLICATE_KEY = 11000


class EmbeddedInserts:
    """Inserts embedded documents, each once while its entry's id is remembered; a repeated insert changes nothing."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._inserted = RecentIds()

    def has_pending(self, document: PendingDocument) -> bool:
        """Whether an entry of the document embeds documents that are not inserted yet."""
        return bool(self._pending_entries([document]))

    async def insert(self, batch: Sequence[PendingDocument]) -> None:
        """Insert what is not inserted yet, one write per collection. Raises what pymongo raises."""
        entries = self._pending_entries(batch)
        inserts: dict[str, list[InsertOne[Document]]] = {}
        for entry in entries:
            for embedded in entry["carried"]:
                inserts.setdefault(embedded["into"], []).append(InsertOne(dict(embedded["document"])))
        for collection, operations in inserts.items():
            try:
                await self._mongo[collection].bulk_write(operations, ordered=False)
            except BulkWriteError as exc:
                # A document that exists was inserted by another replica, or before a restart.
                if any(error.get("code") != _DUPLICATE_KEY for error in exc.details.get("writeErrors", [])):
                    raise
        self._inserted.add(entries)

    def _pending_entries(self, batch: Sequence[PendingDocument]) -> list[Document]:
        return [entry for entry in unprocessed_entries(batch, self._inserted) if "carried" in entry]
