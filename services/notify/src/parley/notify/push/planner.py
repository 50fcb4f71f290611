"""Turn a partition's events into deliveries: each of its replicas reads them, the cursor's holder acts on them.

Push notifications need no queue of their own, since every event is in the log anyway: no second write in the broker, no
second decoding, and one order for messages, reads and acceptances. The cursor is in the database under a lease. A
replica that takes it over continues from its position with the events that it has read itself; planning an event twice
changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from parley.common.errors import Unavailable
from parley.common.events import Event
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import Clock
from parley.notify import metrics
from parley.notify.push.model import INITIAL_POSITION, ChatOperator, Cursor
from parley.notify.push.ports import (
    CursorRepository,
    DeliveryRepository,
    PushTokenRepository,
    SiteOperatorsReader,
    SiteOptionsReader,
)
from parley.notify.push.triggers import ALL_OPERATORS, PushAction, PushCancellation, PushTrigger, to_push_actions
from parley.notify.streaming.log_event_handler import ResumePoint
from parley.notify.streaming.positions import RecordFingerprint

log = get_logger(__name__)

_MAX_BATCH_SIZE: Final = 256
MAX_QUEUED_ACTIONS: Final = 50_000


class PushPlanner:
    """Plans the deliveries of one partition. `read_to` returns what was read of the log, None before it has caught up.

    Deliveries are due `delay` after their event. Events older than `max_age` cause none.
    """

    def __init__(
        self,
        partition: int,
        holder: str,
        cursors: CursorRepository,
        deliveries: DeliveryRepository,
        tokens: PushTokenRepository,
        site_operators: SiteOperatorsReader,
        site_options: SiteOptionsReader,
        clock: Clock,
        *,
        read_to: Callable[[], tuple[int, RecordFingerprint] | None],
        delay: timedelta,
        max_age: timedelta,
    ) -> None:
        self._partition = partition
        self._holder = holder
        self._cursors = cursors
        self._deliveries = deliveries
        self._tokens = tokens
        self._site_operators = site_operators
        self._site_options = site_options
        self._clock = clock
        self._read_to = read_to
        self._delay = delay
        self._max_age = max_age
        self._queue: deque[PushAction] = deque()
        self._deferred: list[PushTrigger] = []
        """Triggers whose site is unknown, since chat did not answer; tried again with the next batch."""
        self._position: int | None = None
        self._since: datetime | None = None
        self._must_reset = False
        """The broker has a new log, and the cursor does not say so yet."""
        self._lease_ends_at = 0.0

    def on_event(self, event: Event, position: int) -> None:
        """Add an event of the log, in its order. At the bound the oldest actions are dropped."""
        self._queue.extend(to_push_actions(event, position))
        while len(self._queue) > MAX_QUEUED_ACTIONS:
            self._queue.popleft()
            metrics.PUSH_TRIGGERS_DROPPED.inc()

    async def on_log_replaced(self) -> None:
        """Start over: the broker has a new log, so positions have another meaning."""
        self._queue.clear()
        self._deferred.clear()
        self._position = INITIAL_POSITION
        # Not here: the log goes on without the database. Nothing is planned with the old cursor meanwhile.
        self._must_reset = True

    async def resume_point(self) -> ResumePoint | None:
        """Return what no replica has planned yet."""
        oldest = self._clock() - self._max_age
        if self._must_reset:
            return ResumePoint(INITIAL_POSITION, None, oldest)
        cursor = await self._cursors.get(self._partition)
        return None if cursor is None else ResumePoint(cursor.position, cursor.fingerprint, max(oldest, cursor.since))

    def observe(self, cursor: Cursor, lease_ends_at: float) -> None:
        """Continue from the cursor as it was read; plan until the lease ends, 0 if another replica holds it."""
        if self._must_reset:
            return
        if not lease_ends_at:
            self._deferred.clear()
        elif not self._lease_ends_at:
            log.info("push_cursor_taken", partition=self._partition, position=cursor.position)
        if self._position is None or not lease_ends_at or cursor.position > self._position:
            self._position = cursor.position
        self._lease_ends_at = lease_ends_at
        self._since = cursor.since
        while self._queue and self._queue[0].position <= cursor.position:
            self._queue.popleft()

    async def run(self) -> None:
        """Plan a batch if this replica holds the cursor. What fails is tried again in the next run."""
        if self._must_reset:
            await self._cursors.reset(self._partition)
            self._must_reset = False
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
        planned = max([self._position or INITIAL_POSITION, *(action.position for action in batch)])
        first_deferred = min((trigger.position for trigger in self._deferred), default=planned + 1)
        await self._advance(planned, min(planned, first_deferred - 1))

    async def skip_idle(self) -> None:
        """Move the cursor over events that cause no push, so that they are not read again."""
        read = self._read_to()
        if read is None or self._queue or self._deferred or self._must_reset or self._position is None:
            return
        if time.monotonic() < self._lease_ends_at and read[0] > self._position:
            await self._advance(read[0], read[0])

    async def _advance(self, planned: int, position: int) -> None:
        self._position = planned
        read = self._read_to()
        await self._cursors.advance(self._partition, self._holder, position, read[1] if read is not None else None)

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
        if self._since is not None and trigger.occurred_at < self._since:
            return True
        if trigger.occurred_at < self._clock() - self._max_age:
            metrics.PUSHES.labels("gave_up").inc()
            return True
        recipients = {trigger.operator_id} & reachable
        if trigger.operator_id == ALL_OPERATORS:
            try:
                notifies = (await self._site_options.get(trigger.site_id)).notifies_when_pending
                operators = await self._site_operators.get(trigger.site_id) if notifies else {}
                operators = _of_team(operators, trigger.team_id)
            except Unavailable:
                return False
            recipients = (
                await self._tokens.filter_with_tokens(operators.keys() - {trigger.caused_by}) if operators else set()
            )
        for operator_id in recipients:
            await self._deliveries.add(trigger, operator_id, trigger.occurred_at + self._delay)
        return True


def _of_team(operators: Mapping[int, ChatOperator], team_id: int | None) -> Mapping[int, ChatOperator]:
    """Those who are to know that a conversation waits for a team: its members and managers, or else everyone."""
    members = {one.operator_id for one in operators.values() if team_id in one.team_ids}
    if not members:
        return operators
    return {key: one for key, one in operators.items() if key in members or one.manages_site}
