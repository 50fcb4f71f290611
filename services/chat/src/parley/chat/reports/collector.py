"""Keeps facts and tables up to date: facts with every event of a conversation, tables a little later."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

from parley.chat import metrics
from parley.chat.accounts.ports import SiteLookup
from parley.chat.batching import BatchingQueue
from parley.chat.reports.facts import build_fact
from parley.chat.reports.ports import FactRepository
from parley.chat.reports.tables import TableBuilder
from parley.chat.timeouts import REPORT_DELAY, REPORT_LEASE, REPORT_PAUSE_SHARE
from parley.common.events import Event
from parley.common.events.conversations import VisitorErased
from parley.common.messaging.consumer import EventHandler
from parley.common.runtime.clock import Clock

FIRST_MESSAGES = "message.created.#.reports.#"
"""The binding of the first messages of the AI and of operators."""
REPORT_PREFETCH = 128
"""Conversations whose facts are built at the same time, in one batch."""
_MAX_DAYS_PER_RUN = 50


class ReportCollector:
    def __init__(self, repository: FactRepository, sites: SiteLookup, clock: Clock) -> None:
        self._repository = repository
        self._sites = sites
        self._clock = clock
        self._refresh: BatchingQueue[int, None] = BatchingQueue(self._refresh_batch, max_batch_size=REPORT_PREFETCH)

    def handlers(self) -> Mapping[str, EventHandler]:
        """The events that change facts, with what handles them."""
        changes = (
            "created",
            "pending",
            "accepted",
            "transferred",
            "released",
            "closed",
            "reopened",
            "joined",
            "rated",
            "updated",
        )
        return {
            **{f"conversation.{change}": self.on_conversation_changed for change in changes},
            "message.created": self.on_conversation_changed,
            "visitor.erased": self.on_visitor_erased,
        }

    async def on_conversation_changed(self, event: Event) -> None:
        """Build the fact from the conversation as it is now, whatever the event says: it may come twice, or late."""
        assert event.conversation_id is not None
        await self._refresh(event.conversation_id)
        metrics.REPORT_FACT_LAG.observe(max(0.0, (self._clock() - event.occurred_at).total_seconds()))

    async def on_visitor_erased(self, event: Event) -> None:
        ids = event.parse_data(VisitorErased).conversation_ids
        await self._repository.delete_facts(ids, self._clock() + REPORT_DELAY)

    async def build_due(self) -> None:
        """Build the tables of the days whose facts have changed."""
        for _ in range(_MAX_DAYS_PER_RUN):
            now = self._clock()
            day = await self._repository.claim_day(now, now + REPORT_LEASE)
            if day is None:
                return
            started = time.monotonic()
            builder = TableBuilder()
            async for fact in self._repository.read_day(day.key):
                builder.add(fact)
            seconds = time.monotonic() - started
            # A day with many conversations is built less often.
            pause = timedelta(seconds=seconds * REPORT_PAUSE_SHARE)
            await self._repository.store_tables(day, builder.build(), self._clock() + pause)
            metrics.REPORT_DAY_SECONDS.observe(seconds)

    async def remove_deleted_sites(self) -> None:
        """Delete what is stored of sites that were deleted.

        Looked for again and again: an event that was under way may store a fact after the deletion.
        """
        for tenant_id, site_id in await self._repository.list_sites():
            if not await self._sites.filter_existing(tenant_id, [site_id]):
                await self._repository.delete_site(tenant_id, site_id)

    async def _refresh_batch(self, conversation_ids: Sequence[int]) -> Sequence[Exception | None]:
        ids = set(conversation_ids)
        conversations = await self._repository.find_conversations(ids)
        due = self._clock() + REPORT_DELAY
        await self._repository.store_facts([build_fact(conversation) for conversation in conversations], due)
        erased = ids - {conversation.id for conversation in conversations}
        if erased:
            await self._repository.delete_facts(erased, due)
        return [None] * len(conversation_ids)
