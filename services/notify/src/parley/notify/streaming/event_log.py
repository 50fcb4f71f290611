"""The event log of this replica: follows each partition from when it is needed until some minutes after that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from aio_pika.abc import AbstractConnection

from parley.common.log_partitions import get_partition
from parley.common.messaging.timeouts import (
    RECONNECT_INITIAL_SECONDS,
    RECONNECT_MAX_SECONDS,
    RESTART_DELAY_SECONDS,
)
from parley.common.observability.logging import get_logger
from parley.common.runtime.backoff import Backoff
from parley.common.runtime.tasks import cancel_and_wait, keep_running
from parley.notify import metrics
from parley.notify.streaming.hub import Hub
from parley.notify.streaming.log_event_handler import LogEventHandler
from parley.notify.streaming.log_tailer import MAX_STARTUP_EVENTS, AppendRecord, LogTailer
from parley.notify.streaming.positions import Partition, RecordFingerprint
from parley.notify.streaming.replay_buffer import MemoryBudget, ReplayBuffer
from parley.notify.timeouts import PARTITION_IDLE_SECONDS

log = get_logger(__name__)

_MIN_STARTUP_EVENTS = 1_000

SubscriberFactory = Callable[[int], Sequence[LogEventHandler]]
"""Returns who handles a partition's events besides the streams."""


@dataclass(slots=True)
class _Followed:
    """A partition that is followed, and how many streams and other users need it."""

    tailer: LogTailer
    task: asyncio.Task[None] | None = None
    streams: int = 0
    users: int = 0
    last_stream_at: float = float("-inf")
    last_used_at: float = float("-inf")

    def serves_streams(self, since: float) -> bool:
        return self.streams > 0 or self.last_stream_at >= since

    def is_needed(self, since: float) -> bool:
        return self.streams + self.users > 0 or self.last_used_at >= since


class EventLog:
    """A session of the broker connection that runs the tailers of all partitions that are needed.

    As a component, it is ready from when the broker was reached once: before that, no stream can be opened.
    """

    name = "log"

    def __init__(
        self,
        hub: Hub,
        partitions: int,
        append_record: AppendRecord,
        *,
        retention_seconds: float,
        max_bytes: int,
        idle_seconds: float = PARTITION_IDLE_SECONDS,
    ) -> None:
        self.partitions = partitions
        self.running = False
        self.create_subscribers: SubscriberFactory = lambda _: ()
        self.on_closed: Callable[[int], None] = lambda _: None
        """Called when a partition is not followed any more."""
        self._hub = hub
        self._append_record = append_record
        self._retention_seconds = retention_seconds
        self._idle_seconds = idle_seconds
        self._budget = MemoryBudget(max_bytes)
        self._followed: dict[int, _Followed] = {}
        self._connection: AbstractConnection | None = None
        self._was_connected = False

    async def start(self) -> None:
        """Do nothing: the broker connection runs the session."""

    async def stop(self) -> None:
        """Do nothing: the session ends with the broker connection."""

    def unready_reason(self) -> str | None:
        return None if self._was_connected else "the event log was not reached yet"

    async def run(self, connection: AbstractConnection) -> None:
        """Follow what is needed until the connection ends, and this is cancelled with it."""
        self._connection = connection
        try:
            for followed in self._followed.values():
                self._start(followed, connection)
            self.running = self._was_connected = True
            await asyncio.get_running_loop().create_future()
        finally:
            self.running, self._connection = False, None
            await cancel_and_wait(*(followed.task for followed in self._followed.values() if followed.task is not None))

    def get_partition(self, tenant_id: int) -> int:
        """Return the partition of a tenant's events."""
        return get_partition(tenant_id, self.partitions)

    def read_to(self, partition: int) -> tuple[int, RecordFingerprint] | None:
        """Return the newest position that was read of a partition, and a record of its log; None before it is read."""
        followed = self._followed.get(partition)
        return followed.tailer.read_to if followed is not None else None

    def stream_partitions(self) -> list[int]:
        """Return the partitions of the streams that are open or were a few minutes ago."""
        since = time.monotonic() - self._idle_seconds
        return sorted(number for number, followed in self._followed.items() if followed.serves_streams(since))

    @contextmanager
    def follow_for_stream(self, partition: int) -> Iterator[LogTailer]:
        """Follow a partition for the life of a stream."""
        followed = self._get_or_follow(partition)
        followed.streams += 1
        try:
            yield followed.tailer
        finally:
            followed.streams -= 1
            followed.last_stream_at = followed.last_used_at = time.monotonic()

    def acquire(self, partition: int) -> None:
        """Follow a partition until it is released."""
        self._get_or_follow(partition).users += 1

    def release(self, partition: int) -> None:
        """End one `acquire`."""
        followed = self._followed[partition]
        followed.users -= 1
        followed.last_used_at = time.monotonic()

    async def run_maintenance(self) -> None:
        """Evict old events, and stop following partitions that were not needed for a while."""
        since = time.monotonic() - self._idle_seconds
        for number, followed in list(self._followed.items()):
            followed.tailer.run_maintenance()
            if not followed.is_needed(since):
                await self._stop_following(number)
        metrics.PARTITIONS_FOLLOWED.set(len(self._followed))
        metrics.WINDOW_EVENTS.set(sum(len(followed.tailer.buffer) for followed in self._followed.values()))
        metrics.WINDOW_BYTES.set(self._budget.used_bytes)

    def _get_or_follow(self, partition: int) -> _Followed:
        followed = self._followed.get(partition)
        if followed is None:
            log.info("partition_followed", partition=partition)
            buffer = ReplayBuffer(Partition(partition, self.partitions), self._retention_seconds, self._budget)
            subscribers = self.create_subscribers(partition)
            tailer = LogTailer(buffer, self._hub, subscribers, self._append_record, self._max_startup_events)
            followed = _Followed(tailer)
            self._followed[partition] = followed
            if self._connection is not None:
                self._start(followed, self._connection)
        return followed

    def _max_startup_events(self) -> int:
        """Return how many events of a partition are read before it accepts streams: fewer if many partitions start."""
        starting = sum(not followed.tailer.caught_up for followed in self._followed.values())
        return max(_MIN_STARTUP_EVENTS, MAX_STARTUP_EVENTS // max(1, starting))

    async def _stop_following(self, partition: int) -> None:
        followed = self._followed.pop(partition)
        log.info("partition_unfollowed", partition=partition)
        # Before anything is awaited: the partition may be needed again meanwhile.
        followed.tailer.close()
        self.on_closed(partition)
        if followed.task is not None:
            await cancel_and_wait(followed.task)
        self._budget.remove(followed.tailer.buffer)

    def _start(self, followed: _Followed, connection: AbstractConnection) -> None:
        followed.task = keep_running(partial(_follow, followed.tailer, connection), followed.tailer.name)


async def _follow(tailer: LogTailer, connection: AbstractConnection) -> None:
    """Run a tailer, again after each failure, as long as the connection is open."""
    backoff = Backoff(initial_seconds=RECONNECT_INITIAL_SECONDS, max_seconds=RECONNECT_MAX_SECONDS)
    while not connection.is_closed:
        delay = RESTART_DELAY_SECONDS
        try:
            await tailer.run(connection)
            backoff.reset()
        except Exception as exc:
            delay = backoff.next_delay()
            log.warning("session_ended", session=tailer.name, error=repr(exc)[:300])
        await asyncio.sleep(delay)
