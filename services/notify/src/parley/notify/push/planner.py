"""From the log to deliveries: every replica sees every event, and the one that holds the cursor acts on it.

The hot event is in the log anyhow, so pushes need no queue of their own: no second write in the broker, no second
decoding, and one order for messages, reads and takeovers. The cursor stands in the database under a lease. Who takes
it over goes on from its position with what its own window holds; steps taken twice by that change nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Final, Protocol

from parley.common.errors import Unavailable
from parley.common.events import Event
from parley.common.observability.logging import logger
from parley.common.runtime.clock import Clock
from parley.notify import metrics
from parley.notify.push.delivery_service import DeliveryStore
from parley.notify.push.sites import Sites
from parley.notify.push.team import Team
from parley.notify.push.tokens import TokenStore
from parley.notify.push.triggers import EVERYONE, Occasion, Settled, Step, steps_of

log = logger(__name__)

LEASE: Final = timedelta(seconds=5)
BEFORE_ALL: Final = -1
"""The position of a cursor that has taken in nothing."""
_HOLD_SECONDS: Final = 1.0
_BATCH: Final = 256
_MOST: Final = 50_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the log was taken in, and whether this replica is the one to go on."""

    position: int
    mine: bool


class CursorStore(Protocol):
    """The one cursor, in the database."""

    async def hold(self, holder: str, start: int) -> Cursor:
        """Take or renew the lease, if nobody else has it. `start`: the position of the very first one."""

    async def advance(self, holder: str, position: int) -> None:
        """Everything up to here is taken in."""

    async def release(self, holder: str) -> None:
        """Let another take it at once."""

    async def position(self) -> int | None:
        """How far the log was taken in; None where it never was."""

    async def rewind(self) -> None:
        """The log began anew: nothing of it is taken in."""


class Intake:
    """Takes in what calls for a push. `start` gives the log's end as this replica found it, None before that."""

    name = "push-intake"

    def __init__(
        self,
        holder: str,
        cursor: CursorStore,
        deliveries: DeliveryStore,
        tokens: TokenStore,
        team: Team,
        sites: Sites,
        clock: Clock,
        *,
        start: Callable[[], int | None],
        delay: timedelta,
        give_up: timedelta,
    ) -> None:
        self._holder = holder
        self._cursor = cursor
        self._deliveries = deliveries
        self._tokens = tokens
        self._team = team
        self._sites = sites
        self._clock = clock
        self._start = start
        self._delay = delay
        self._give_up = give_up
        self._steps: deque[Step] = deque()
        self._stuck: list[Occasion] = []
        self._position: int | None = None
        self._held_until = 0.0
        self._next_hold = 0.0

    def offer(self, event: Event, position: int) -> None:
        """An event of the log, in its order."""
        self._steps.extend(steps_of(event, position))
        if len(self._steps) > _MOST:
            self._steps.popleft()
            metrics.PUSH_NOTES_DROPPED.inc()

    async def reborn(self) -> None:
        """The log began anew: positions mean something else."""
        self._steps.clear()
        self._stuck.clear()
        self._position = BEFORE_ALL
        await self._cursor.rewind()

    async def needs(self) -> int | None:
        """The first position that is not taken in, by whichever replica it will be; None where none ever was."""
        position = await self._cursor.position()
        return None if position is None else position + 1

    def fault(self) -> str | None:
        """None once the cursor was seen: from then on nothing that happens is missed."""
        return None if self._position is not None else "the push cursor was not read yet"

    async def start(self) -> None:
        """Nothing: it is run by a timer."""

    async def stop(self) -> None:
        """Hand the cursor over. Who is killed does not; then its lease runs out."""
        await self._cursor.release(self._holder)

    async def run(self) -> None:
        """One turn: renew the lease, and take in what is waiting if it is ours."""
        now = time.monotonic()
        if now >= self._next_hold:
            await self._hold(now)
        if time.monotonic() >= self._held_until or not (self._steps or self._stuck):
            return
        batch = [self._steps.popleft() for _ in range(min(_BATCH, len(self._steps)))]
        try:
            await self._take(batch)
        except BaseException:
            self._steps.extendleft(reversed(batch))
            raise
        self._position = max([self._position or BEFORE_ALL, *(step.position for step in batch)])
        behind = min((step.position for step in self._stuck), default=self._position + 1)
        await self._cursor.advance(self._holder, min(self._position, behind - 1))

    async def _hold(self, now: float) -> None:
        start = self._start()
        if start is None:
            return
        cursor = await self._cursor.hold(self._holder, start)
        self._next_hold = now + _HOLD_SECONDS
        if not cursor.mine:
            self._held_until = 0.0
            self._stuck.clear()
        elif not self._held_until:
            log.info("push_cursor_taken", position=cursor.position)
        if cursor.mine:
            self._held_until = now + LEASE.total_seconds() - _HOLD_SECONDS
        if self._position is None or not cursor.mine or cursor.position > self._position:
            self._position = cursor.position
        while self._steps and self._steps[0].position <= cursor.position:
            self._steps.popleft()

    async def _take(self, batch: Sequence[Step]) -> None:
        """Act on steps; those of one conversation in their order, conversations side by side."""
        stuck, self._stuck = self._stuck, []
        steps: list[Step] = [*stuck, *batch]
        steps.sort(key=lambda step: (step.conversation_id, step.position))
        direct = {step.operator_id for step in steps} - {EVERYONE}
        owners = await self._tokens.owners(direct) if direct else set()
        lanes = [list(lane) for _, lane in groupby(steps, key=lambda step: step.conversation_id)]
        try:
            await asyncio.gather(*(self._follow(lane, owners) for lane in lanes))
        except BaseException:
            self._stuck = stuck
            raise

    async def _follow(self, lane: Iterable[Step], owners: set[int]) -> None:
        waiting: list[Occasion] = []
        for step in lane:
            if isinstance(step, Settled):
                waiting = [held for held in waiting if step.seq is not None and held.seq > step.seq]
                if step.operator_id == EVERYONE or step.operator_id in owners:
                    who = step.operator_id if step.operator_id != EVERYONE else None
                    await self._deliveries.settle(step.conversation_id, who, step.seq)
            elif not await self._called(step, owners):
                waiting.append(step)
        self._stuck += waiting

    async def _called(self, step: Occasion, owners: set[int]) -> bool:
        """Make the deliveries of an occasion. False where the site is not known now: it is tried again."""
        if step.at < self._clock() - self._give_up:
            metrics.PUSHES.labels("gave_up").inc()
            return True
        called = {step.operator_id} & owners
        if step.operator_id == EVERYONE:
            try:
                rings = (await self._sites.of(step.site_id)).rings
                team = await self._team.of(step.site_id) if rings else {}
            except Unavailable:
                return False
            called = await self._tokens.owners(team.keys() - {step.by}) if team else set()
        for operator_id in called:
            await self._deliveries.call(step, operator_id, step.at + self._delay)
        return True
