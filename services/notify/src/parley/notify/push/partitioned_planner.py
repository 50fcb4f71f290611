"""Plans the pushes of the partitions that this replica is assigned to: holds their cursors and runs their planners."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from parley.common.runtime.tasks import PeriodicTask
from parley.notify import metrics
from parley.notify.push.model import Cursor
from parley.notify.push.partition_assignment import assign_partitions
from parley.notify.push.planner import PushPlanner
from parley.notify.push.ports import CursorRepository
from parley.notify.streaming.event_log import EventLog
from parley.notify.timeouts import (
    CURSOR_LEASE_SECONDS,
    CURSOR_RENEWAL_INTERVAL_SECONDS,
    PLANNER_INTERVAL_SECONDS,
)


class PartitionedPlanner:
    """A component with a planner for each partition that this replica follows, with or without the cursor.

    So a replica that takes a cursor over from another one has the events that were not planned, or reads them again.
    """

    name = "push-planner"

    def __init__(
        self,
        holder: str,
        cursors: CursorRepository,
        event_log: EventLog,
        create_planner: Callable[[int], PushPlanner],
    ) -> None:
        self._holder = holder
        self._cursors = cursors
        self._log = event_log
        self._create_planner = create_planner
        self._planners: dict[int, PushPlanner] = {}
        self._held: set[int] = set()
        self._is_initialized = False
        self._next_renewal_at = 0.0
        self._timer = PeriodicTask(PLANNER_INTERVAL_SECONDS, self.run, self.name)

    async def start(self) -> None:
        await self._timer.start()

    async def stop(self) -> None:
        """Give the cursors up, so that other replicas take them immediately rather than at the end of the leases."""
        await self._timer.stop()
        await self._cursors.leave(self._holder)

    def unready_reason(self) -> str | None:
        return None if self._is_initialized else "the push cursors are not read yet"

    def planner_for(self, partition: int) -> PushPlanner:
        """Create the planner of a partition that is followed from now on."""
        planner = self._planners[partition] = self._create_planner(partition)
        return planner

    def remove_partition(self, partition: int) -> None:
        """Remove the planner of a partition that is not followed any more."""
        self._planners.pop(partition, None)

    async def run(self) -> None:
        """Renew the leases when it is time, and plan what is queued. What fails is tried again in the next run."""
        now = time.monotonic()
        if now >= self._next_renewal_at:
            await self._renew(now)
            self._next_renewal_at = now + CURSOR_RENEWAL_INTERVAL_SECONDS
        results = await asyncio.gather(*(planner.run() for planner in self._planners.values()), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _renew(self, now: float) -> None:
        """Take and give up partitions so that the replicas have what they are assigned to, and observe the cursors."""
        if not self._is_initialized:
            await self._cursors.create_missing()
        table = await self._cursors.read_table(self._holder, self._log.stream_partitions())
        owners = assign_partitions(self._log.partitions, table.replicas)
        cursors = dict(table.cursors)
        for partition, cursor in table.cursors.items():
            assigned = owners.get(partition) == self._holder
            if cursor.holder == self._holder and not assigned:
                await self._cursors.release(partition, self._holder)
                cursors[partition] = replace(cursor, holder=None)
            elif assigned and cursor.holder is None:
                cursors[partition] = await self._cursors.acquire(partition, self._holder) or cursor
        self._follow_held({number for number, cursor in cursors.items() if cursor.holder == self._holder})
        self._observe(cursors, now + CURSOR_LEASE_SECONDS - CURSOR_RENEWAL_INTERVAL_SECONDS)
        self._is_initialized = True
        for planner in list(self._planners.values()):
            await planner.skip_idle()

    def _follow_held(self, held: set[int]) -> None:
        for partition in held - self._held:
            self._log.acquire(partition)
        for partition in self._held - held:
            self._log.release(partition)
        self._held = held
        metrics.PUSH_PARTITIONS.set(len(held))

    def _observe(self, cursors: dict[int, Cursor], lease_ends_at: float) -> None:
        for partition, planner in self._planners.items():
            if partition in cursors:
                planner.observe(cursors[partition], lease_ends_at if partition in self._held else 0.0)
