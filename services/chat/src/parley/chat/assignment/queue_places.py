"""The place of a waiting visitor in the queue, and an estimate of how long they will wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from parley.chat.assignment.ports import WaitingConversations, WaitRepository
from parley.chat.assignment.timeouts import WAIT_WINDOW_SECONDS
from parley.chat.conversations import events
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.ports import EphemeralPublisher
from parley.common.runtime.clock import Clock

_MIN_WAITS = 3
"""Fewer do not make an estimate."""
_MAX_WAITS = 200
_MAX_POSITION = 999
_MAX_ANNOUNCED = 50
"""Visitors of a site who get an event when their place changes; those further behind see it when they ask."""


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """`position` counts from 1; `estimated_wait_seconds` is None if too few waited lately."""

    position: int
    estimated_wait_seconds: int | None


@dataclass(frozen=True, slots=True)
class QueuePlaces:
    waiting: WaitingConversations
    waits: WaitRepository
    publish_ephemeral: EphemeralPublisher
    clock: Clock

    async def find(self, conversation: Conversation | None) -> QueuePlace | None:
        """The place of a conversation; None if it does not wait in the queue."""
        if conversation is None or conversation.mode != "pending" or conversation.waiting_since is None:
            return None
        before = await self.waiting.count_waiting_before(conversation, _MAX_POSITION)
        return QueuePlace(min(before + 1, _MAX_POSITION), await self._estimate(conversation.site_id))

    async def announce(self, tenant_id: int, site_id: int) -> None:
        """Tell a site's waiting visitors their places."""
        waiting = await self.waiting.list_waiting(tenant_id, site_id, _MAX_ANNOUNCED)
        if not waiting:
            return
        estimate = await self._estimate(site_id)
        positions: dict[int | None, int] = {}
        for conversation in waiting:
            position = positions.get(conversation.team_id, 0) + 1
            positions[conversation.team_id] = position
            await self.publish_ephemeral(events.queue_place_changed(conversation, position, estimate))

    async def _estimate(self, site_id: int) -> int | None:
        """The median of the waits of the last hour."""
        since = self.clock() - timedelta(seconds=WAIT_WINDOW_SECONDS)
        seconds = await self.waits.list_latest(site_id, since, _MAX_WAITS)
        return round(median(seconds)) if len(seconds) >= _MIN_WAITS else None
