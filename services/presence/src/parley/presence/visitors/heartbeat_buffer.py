"""Buffer for visitor heartbeats: keeps the newest of each visitor and writes them in batches.

Most traffic is visitor heartbeats. The next heartbeat of a visitor replaces one that a crash lost; an orderly stop
loses none. While writes fail, new heartbeats are refused and the buffered ones are retried.
"""

from __future__ import annotations

import asyncio
import contextlib
from itertools import islice

from parley.common.errors import Unavailable
from parley.common.observability.logging import get_logger, start_or_continue_trace
from parley.common.runtime.clock import Clock
from parley.common.runtime.tasks import cancel_and_wait, keep_running
from parley.presence import metrics
from parley.presence.timeouts import (
    HEARTBEAT_RETRY_DELAY_SECONDS,
    HEARTBEAT_STOP_TIMEOUT_SECONDS,
    HEARTBEAT_WRITE_TIMEOUT_SECONDS,
)
from parley.presence.visitors.model import Heartbeat
from parley.presence.visitors.ports import HeartbeatWriter

log = get_logger(__name__)


class HeartbeatBuffer:
    """Component that writes the heartbeats passed to `add`, one batch at a time."""

    name = "heartbeats"

    def __init__(
        self,
        writer: HeartbeatWriter,
        clock: Clock,
        *,
        flush_interval_seconds: float,
        batch_size: int,
        max_pending: int,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._flush_interval_seconds = flush_interval_seconds
        self._batch_size = batch_size
        self._max_pending = max_pending
        self._pending: dict[str, Heartbeat] = {}
        self._has_pending = asyncio.Event()
        self._batch_full = asyncio.Event()
        self._failing = False
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def add(self, heartbeat: Heartbeat) -> None:
        """Buffer a heartbeat in place of the visitor's previous one.

        Raises Unavailable while writes fail, and for a new visitor when the buffer is full.
        """
        if self._failing:
            raise Unavailable
        if len(self._pending) >= self._max_pending and heartbeat.visitor_key not in self._pending:
            raise Unavailable("Too many heartbeats are waiting to be written.")
        self._pending[heartbeat.visitor_key] = heartbeat
        self._has_pending.set()
        if len(self._pending) >= self._batch_size:
            self._batch_full.set()

    async def start(self) -> None:
        self._task = keep_running(self._run, self.name)

    async def stop(self) -> None:
        """Write the pending heartbeats, within `HEARTBEAT_STOP_TIMEOUT_SECONDS`."""
        self._stopping = True
        self._has_pending.set()
        self._batch_full.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=HEARTBEAT_STOP_TIMEOUT_SECONDS)
            await cancel_and_wait(self._task)
        if self._pending:
            log.warning("heartbeats_not_written", visitors=len(self._pending))

    def unready_reason(self) -> str | None:
        return "cannot be written" if self._failing else None

    async def _run(self) -> None:
        while self._pending or not self._stopping:
            await self._has_pending.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._batch_full.wait(), self._flush_interval_seconds)
            if not self._stopping:
                self._has_pending.clear()
                self._batch_full.clear()
            start_or_continue_trace(None, None)
            await self._write_pending()

    async def _write_pending(self) -> None:
        while self._pending:
            batch = list(islice(self._pending.values(), self._batch_size))
            for heartbeat in batch:
                del self._pending[heartbeat.visitor_key]
            now = self._clock()
            unexpired = [heartbeat for heartbeat in batch if heartbeat.expires_at > now]
            try:
                async with asyncio.timeout(HEARTBEAT_WRITE_TIMEOUT_SECONDS):
                    await self._writer.save_heartbeats(unexpired)
            except Exception as exc:
                self._restore(unexpired)
                if not self._failing:
                    log.warning("heartbeat_write_failed", visitors=len(self._pending), error=repr(exc)[:300])
                self._failing = True
                await asyncio.sleep(HEARTBEAT_RETRY_DELAY_SECONDS)
            else:
                self._failing = False
                metrics.BATCH_SIZE.observe(len(unexpired))
            metrics.PENDING_HEARTBEATS.set(len(self._pending))

    def _restore(self, batch: list[Heartbeat]) -> None:
        """Put unwritten heartbeats back, except those of visitors whose next heartbeat is already pending."""
        for heartbeat in batch:
            self._pending.setdefault(heartbeat.visitor_key, heartbeat)
