"""Publishes the events of outbox entries, each once while its id is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from parley.common.mongodb.outbox.entries import PendingDocument, RecentIds, unprocessed_entries
from parley.common.mongodb.schema import Document
from parley.common.observability import metrics
from parley.common.runtime.clock import utc_now


class Publisher(Protocol):
    """The port to the broker."""

    async def publish(self, documents: Sequence[Document]) -> None:
        """Publish events in order, and wait for the broker's confirm of all. Raises if any is not confirmed."""


class EntryPublisher:
    """Publishes the entries of pending documents."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._published = RecentIds()

    async def publish(self, batch: Sequence[PendingDocument]) -> None:
        """Publish the entries that were not published yet. Raises what the publisher raises."""
        entries = unprocessed_entries(batch, self._published)
        if not entries:
            return
        await self._publisher.publish([entry["event"] for entry in entries])
        now = utc_now()
        self._published.add(entries)
        for entry in entries:
            metrics.events_published(entry["event"]["type"]).inc()
            metrics.OUTBOX_SECONDS.observe(max(0.0, (now - entry["at"]).total_seconds()))
