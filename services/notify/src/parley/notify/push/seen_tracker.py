"""Collect which operators' streams were given an event that would cause a push, and store it in batches."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from parley.notify import metrics
from parley.notify.push.ports import PushTokenRepository, SeenRepository

_MAX_PENDING_EVENTS: Final = 20_000


class SeenTracker:
    """Records without waiting. Only operators with a device are stored, since only they get a push."""

    def __init__(self, seen: SeenRepository, tokens: PushTokenRepository) -> None:
        self._seen = seen
        self._tokens = tokens
        self._pending: OrderedDict[str, set[int]] = OrderedDict()

    def record(self, event_id: str, operator_ids: Iterable[int]) -> None:
        """Record that streams of these operators were given an event. At the bound the oldest event is dropped."""
        self._pending.setdefault(event_id, set()).update(operator_ids)
        if len(self._pending) > _MAX_PENDING_EVENTS:
            self._pending.popitem(last=False)
            metrics.PUSH_TRIGGERS_DROPPED.inc()

    async def flush(self) -> None:
        """Store what is pending. On an error everything stays pending, and the error is raised."""
        if not self._pending:
            return
        batch, self._pending = self._pending, OrderedDict()
        try:
            reachable = await self._tokens.filter_with_tokens(set().union(*batch.values()))
            operators_by_event = {
                event_id: operator_ids & reachable
                for event_id, operator_ids in batch.items()
                if operator_ids & reachable
            }
            if operators_by_event:
                await self._seen.add(operators_by_event)
        except BaseException:
            for event_id, operator_ids in batch.items():
                self.record(event_id, operator_ids)
            raise
