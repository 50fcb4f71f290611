"""The entries of a document's `outbox` array, and what the parts of the outbox know about them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parley.common.events import Event
from parley.common.mongodb.client import Mongo
from parley.common.mongodb.schema import Document, Index

DocumentKey = tuple[str, Any]
"""A collection, and a document's id in it."""

_MAX_RECENT_IDS = 20_000


@dataclass(frozen=True, slots=True)
class OutboxInsert:
    """A document to insert into another collection, embedded in an entry."""

    collection: str
    document: Document


def to_outbox_entry(event: Event, *inserts: OutboxInsert) -> Document:
    """Build the entry to push to a document's `outbox` array, in the write that the event reports."""
    entry: Document = {"id": event.id, "at": event.occurred_at, "event": event.to_document()}
    if inserts:
        entry["carried"] = [{"into": insert.collection, "document": insert.document} for insert in inserts]
    return entry


def outbox_indexes(collections: Iterable[str]) -> list[Index]:
    """Build one small index per collection: it contains only documents with entries."""
    partial = {"outbox.at": {"$exists": True}}
    return [
        Index(name, [("outbox.at", 1)], {"name": "outbox", "partialFilterExpression": partial}) for name in collections
    ]


@dataclass(frozen=True, slots=True)
class PendingDocument:
    """A document with entries to publish."""

    key: DocumentKey
    entries: tuple[Document, ...]
    enqueued_ids: tuple[str, ...] = ()
    """The ids with which it was enqueued; `entries` may have been read again since."""
    enqueued_at: float = 0.0
    """Seconds of the monotonic clock; 0 if the sweeper found it."""
    failures: int = 0
    """The number of failures when `entries` were read; see `DeferredDocuments`."""


class RecentIds:
    """The ids of entries that were processed lately, bounded, so that a sweep does not process them again."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, entry_id: str) -> bool:
        return entry_id in self._ids

    def add(self, entries: Iterable[Document]) -> None:
        for entry in entries:
            self._ids[entry["id"]] = None
        while len(self._ids) > _MAX_RECENT_IDS:
            self._ids.popitem(last=False)


def unprocessed_entries(batch: Sequence[PendingDocument], processed: RecentIds) -> list[Document]:
    """Return the entries of a batch in order, each once, without those that were processed."""
    entries = {entry["id"]: entry for document in batch for entry in document.entries}
    return [entry for entry in entries.values() if entry["id"] not in processed]


async def remove_entries(mongo: Mongo, entry_ids: Mapping[DocumentKey, Sequence[str]]) -> None:
    """Remove entries from their documents, with one write per collection. Raises what pymongo raises."""
    removals: dict[str, tuple[list[Any], list[str]]] = {}
    for (collection, document_id), ids in entry_ids.items():
        document_ids, removed_ids = removals.setdefault(collection, ([], []))
        document_ids.append(document_id)
        removed_ids.extend(ids)
    for collection, (document_ids, removed_ids) in removals.items():
        # An entry's id is unique, so every document may look for the entries of all.
        await mongo[collection].update_many(
            {"_id": {"$in": document_ids}}, {"$pull": {"outbox": {"id": {"$in": removed_ids}}}}
        )
