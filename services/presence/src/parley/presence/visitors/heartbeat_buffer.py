"""Visitor heartbeats on their way to the store: gathered for a moment, one a visitor, and written together.

They are the bulk of all traffic. A heartbeat that a crash takes along is repaired by the visitor's next; an orderly
stop loses none. While the store does not take them, new ones are refused, and those that wait are tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
from itertools import islice

from parley.common.errors import Unavailable
from parley.common.observability.logging import continue_trace, logger
from parley.common.runtime.clock import Clock
from parley.common.runtime.tasks import cancel_and_wait
from parley.presence import metrics
from parley.presence.model import Beat
from parley.presence.ports import VisitorRecords

log = logger(__name__)

_WRITE_SECONDS = 10.0
_STOP_SECONDS = 5.0
_PAUSE_SECONDS = 0.5


class Beats:
    """A part of the service that writes what `take` was given. One batch is under way at a time."""

    name = "heartbeats"

    def __init__(self, records: VisitorRecords, clock: Clock, *, seconds: float, size: int, waiting: int) -> None:
        self._records = records
        self._clock = clock
        self._seconds = seconds
        self._size = size
        self._most = waiting
        self._waiting: dict[str, Beat] = {}
        self._some = asyncio.Event()
        self._enough = asyncio.Event()
        self._failing = False
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def take(self, beat: Beat) -> None:
        """Keep a heartbeat, in place of the visitor's one before it. Raises Unavailable when it cannot be written."""
        if self._failing:
            raise Unavailable
        if len(self._waiting) >= self._most and beat.key not in self._waiting:
            raise Unavailable("Too many heartbeats wait to be written.")
        self._waiting[beat.key] = beat
        self._some.set()
        if len(self._waiting) >= self._size:
            self._enough.set()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Write what waits, for at most five seconds."""
        self._stopping = True
        self._some.set()
        self._enough.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=_STOP_SECONDS)
            await cancel_and_wait(self._task)
        if self._waiting:
            log.warning("heartbeats_not_written", visitors=len(self._waiting))

    def fault(self) -> str | None:
        return "cannot be written" if self._failing else None

    async def _run(self) -> None:
        while self._waiting or not self._stopping:
            await self._some.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._enough.wait(), self._seconds)
            if not self._stopping:
                self._some.clear()
                self._enough.clear()
            continue_trace(None, None)
            await self._write_all()

    async def _write_all(self) -> None:
        while self._waiting:
            batch = list(islice(self._waiting.values(), self._size))
            for beat in batch:
                del self._waiting[beat.key]
            now = self._clock()
            alive = [beat for beat in batch if beat.until > now]
            try:
                async with asyncio.timeout(_WRITE_SECONDS):
                    await self._records.beat(alive)
            except Exception as exc:
                self._keep(alive)
                if not self._failing:
                    log.warning("heartbeats_wait", visitors=len(self._waiting), error=repr(exc)[:300])
                self._failing = True
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                self._failing = False
                metrics.BATCH.observe(len(alive))
            metrics.WAITING.set(len(self._waiting))

    def _keep(self, batch: list[Beat]) -> None:
        """Put back what was not written, unless the visitor's next heartbeat is there already."""
        for beat in batch:
            self._waiting.setdefault(beat.key, beat)
