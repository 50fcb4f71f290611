"""Turn events of the log into deliveries: every replica reads every event, the holder of the cursor acts on them.

Push notifications need no queue of their own, since every event is in the log anyway: no second write in the broker, no
second decoding, and one order for messages, reads and acceptances. The cursor is in the database under a lease. A
replica that takes it over continues from its position with the events that it has read itself; planning an event twice
changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Final

from parley.common.errors import Unavailable
from parley.common.events import Event
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import Clock
from parley.notify import metrics
from parley.notify.push.model import INITIAL_POSITION
from parley.notify.push.ports import (
    CursorRepository,
    DeliveryRepository,
    PushTokenRepository,
    SiteOperatorsReader,
    SiteOptionsReader,
)
from parley.notify.push.triggers import ALL_OPERATORS, PushAction, PushCancellation, PushTrigger, to_push_actions
from parley.notify.timeouts import CURSOR_LEASE_SECONDS, CURSOR_RENEWAL_INTERVAL_SECONDS

log = get_logger(__name__)

_MAX_BATCH_SIZE: Final = 256
_MAX_QUEUED_ACTIONS: Final = 50_000


class PushPlanner:
    """Plans deliveries. `log_end` returns the end of the log as this replica found it, None before that.

    Deliveries are due `delay` after their event. Events older than `max_age` cause none.
    """

    def __init__(
        self,
        holder: str,
        cursors: CursorRepository,
        deliveries: DeliveryRepository,
        tokens: PushTokenRepository,
        site_operators: SiteOperatorsReader,
        site_options: SiteOptionsReader,
        clock: Clock,
        *,
        log_end: Callable[[], int | None],
        delay: timedelta,
        max_age: timedelta,
    ) -> None:
        self._holder = holder
        self._cursors = cursors
        self._deliveries = deliveries
        self._tokens = tokens
        self._site_operators = site_operators
        self._site_options = site_options
        self._clock = clock
        self._log_end = log_end
        self._delay = delay
        self._max_age = max_age
        self._queue: deque[PushAction] = deque()
        self._deferred: list[PushTrigger] = []
        """Triggers whose site is unknown, since chat did not answer; tried again with the next batch."""
        self._position: int | None = None
        self._must_reset = False
        """The broker has a new log, and the cursor does not say so yet."""
        self._lease_ends_at = 0.0
        self._next_renewal_at = 0.0

    @property
    def is_initialized(self) -> bool:
        """Whether the cursor was read once. From then on no event is missed."""
        return self._position is not None

    def enqueue(self, event: Event, position: int) -> None:
        """Add an event of the log, in its order. At the bound the oldest action is dropped."""
        self._queue.extend(to_push_actions(event, position))
        if len(self._queue) > _MAX_QUEUED_ACTIONS:
            self._queue.popleft()
            metrics.PUSH_TRIGGERS_DROPPED.inc()

    async def on_log_reset(self) -> None:
        """Start over: the broker has a new log, so positions have another meaning."""
        self._queue.clear()
        self._deferred.clear()
        self._position = INITIAL_POSITION
        # Not here: the log goes on without the database. Nothing is planned with the old cursor meanwhile.
        self._must_reset = True

    async def resume_position(self) -> int | None:
        """Return the first position that no replica has planned; None if planning never started."""
        if self._must_reset:
            return INITIAL_POSITION + 1
        position = await self._cursors.get_position()
        return None if position is None else position + 1

    async def run(self) -> None:
        """Renew the lease, and plan a batch of what is queued if this replica holds the cursor.

        What fails is tried again in the next run.
        """
        if self._must_reset:
            await self._cursors.reset()
            self._must_reset = False
        now = time.monotonic()
        if now >= self._next_renewal_at:
            await self._renew_lease(now)
        if time.monotonic() >= self._lease_ends_at or not (self._queue or self._deferred):
            return
        batch = [self._queue.popleft() for _ in range(min(_MAX_BATCH_SIZE, len(self._queue)))]
        try:
            await self._plan(batch)
        except BaseException:
            if not self._must_reset:
                self._queue.extendleft(reversed(batch))
            raise
        if self._must_reset:
            # The batch was of the old log.
            self._deferred.clear()
            return
        self._position = max([self._position or INITIAL_POSITION, *(action.position for action in batch)])
        first_deferred = min((trigger.position for trigger in self._deferred), default=self._position + 1)
        await self._cursors.advance(self._holder, min(self._position, first_deferred - 1))

    async def release(self) -> None:
        """Give the cursor up, so that another replica takes it at once rather than at the end of the lease."""
        await self._cursors.release(self._holder)

    async def _renew_lease(self, now: float) -> None:
        log_end = self._log_end()
        if log_end is None:
            return
        cursor = await self._cursors.acquire(self._holder, log_end)
        if self._must_reset:
            return
        self._next_renewal_at = now + CURSOR_RENEWAL_INTERVAL_SECONDS
        if not cursor.is_holder:
            self._lease_ends_at = 0.0
            self._deferred.clear()
        elif not self._lease_ends_at:
            log.info("push_cursor_taken", position=cursor.position)
        if cursor.is_holder:
            self._lease_ends_at = now + CURSOR_LEASE_SECONDS - CURSOR_RENEWAL_INTERVAL_SECONDS
        if self._position is None or not cursor.is_holder or cursor.position > self._position:
            self._position = cursor.position
        while self._queue and self._queue[0].position <= cursor.position:
            self._queue.popleft()

    async def _plan(self, batch: Sequence[PushAction]) -> None:
        """Carry out actions: those of one conversation in order, different conversations concurrently."""
        deferred, self._deferred = self._deferred, []
        actions: list[PushAction] = [*deferred, *batch]
        actions.sort(key=lambda action: (action.conversation_id, action.position))
        recipients = {action.operator_id for action in actions} - {ALL_OPERATORS}
        reachable = await self._tokens.filter_with_tokens(recipients) if recipients else set()
        conversations = [list(group) for _, group in groupby(actions, key=lambda action: action.conversation_id)]
        try:
            await asyncio.gather(*(self._plan_conversation(group, reachable) for group in conversations))
        except BaseException:
            self._deferred = deferred
            raise

    async def _plan_conversation(self, actions: Iterable[PushAction], reachable: set[int]) -> None:
        deferred: list[PushTrigger] = []
        for action in actions:
            if isinstance(action, PushTrigger):
                if not await self._add_deliveries(action, reachable):
                    deferred.append(action)
                continue
            deferred = [
                trigger for trigger in deferred if action.up_to_seq is not None and trigger.seq > action.up_to_seq
            ]
            await self._cancel(action, reachable)
        self._deferred += deferred

    async def _cancel(self, cancellation: PushCancellation, reachable: set[int]) -> None:
        operator_id = cancellation.operator_id
        if operator_id == ALL_OPERATORS:
            await self._deliveries.cancel(cancellation.conversation_id, None, cancellation.up_to_seq)
        elif operator_id in reachable:
            await self._deliveries.cancel(cancellation.conversation_id, operator_id, cancellation.up_to_seq)

    async def _add_deliveries(self, trigger: PushTrigger, reachable: set[int]) -> bool:
        """Add the deliveries of a trigger. Return False if it must be tried again, since chat did not answer."""
        if trigger.occurred_at < self._clock() - self._max_age:
            metrics.PUSHES.labels("gave_up").inc()
            return True
        recipients = {trigger.operator_id} & reachable
        if trigger.operator_id == ALL_OPERATORS:
            try:
                notifies = (await self._site_options.get(trigger.site_id)).notifies_when_pending
                operators = await self._site_operators.get(trigger.site_id) if notifies else {}
            except Unavailable:
                return False
            recipients = (
                await self._tokens.filter_with_tokens(operators.keys() - {trigger.caused_by}) if operators else set()
            )
        for operator_id in recipients:
            await self._deliveries.add(trigger, operator_id, trigger.occurred_at + self._delay)
        return True
