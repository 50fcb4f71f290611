"""Follow a partition of the event log: fill its replay buffer, give each event to the streams that may see it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from aio_pika.abc import AbstractConnection

from parley.common.errors import Unavailable
from parley.common.events import Audience, Event, event_class
from parley.common.log_partitions import get_partition, stream_name
from parley.common.observability import tracing
from parley.common.observability.logging import get_logger
from parley.common.observability.tracing import Attributes, SpanKind
from parley.common.runtime.clock import utc_now
from parley.notify import metrics
from parley.notify.streaming.frames import control_frame
from parley.notify.streaming.hub import Hub
from parley.notify.streaming.log_consumer import LogConsumer, LogRecord
from parley.notify.streaming.log_event_handler import LogEventHandler
from parley.notify.streaming.log_queries import find_first_record, find_last_record
from parley.notify.streaming.positions import NO_POSITION, Partition, RecordFingerprint, first_position, to_offset
from parley.notify.streaming.replay_buffer import ReplayBuffer
from parley.notify.timeouts import (
    CATCH_UP_TIMEOUT_SECONDS,
    EMPTY_LOG_TIMEOUT_SECONDS,
    LOG_LOOKUP_TIMEOUT_SECONDS,
    MAX_CLOCK_SKEW_SECONDS,
)

log = get_logger(__name__)

MAX_STARTUP_EVENTS = 5_000
"""How many events, and records, are read before streams are accepted: less than a second. On a busy partition this is
less than the retention of the replay buffer."""


AppendRecord = Callable[[Partition], Awaitable[None]]
"""Appends a record without events to a partition."""


class LogTailer:
    """A channel session that follows a partition.

    It finds the end of the partition (`target_position`) first. Then it reads from the start of the replay buffer's
    retention, or from some thousand events before the end where that is later, and has caught up at that end. After a
    reconnection it continues at the next position, unless the broker came back with another log.
    """

    def __init__(
        self,
        buffer: ReplayBuffer,
        hub: Hub,
        subscribers: Sequence[LogEventHandler],
        append_record: AppendRecord,
        max_startup_events: Callable[[], int] = lambda: MAX_STARTUP_EVENTS,
    ) -> None:
        self.buffer = buffer
        self.partition = buffer.partition
        self.target_position: int | None = None
        """The end of the log as found at the start; None before that."""
        self._hub = hub
        self._subscribers = subscribers
        self._append_record = append_record
        self._get_max_startup_events = max_startup_events
        self._max_startup_events = MAX_STARTUP_EVENTS
        self._created_at = time.monotonic()
        self._caught_up = asyncio.Event()
        self._start: int | datetime = 0
        self._min_offset = 0
        """Records from this offset on must not be skipped at a cold start."""
        self._startup_buffer: deque[LogRecord] = deque()
        self._startup_events = 0
        self._last_record_at = 0.0
        self._last_record: LogRecord | None = None
        label = str(self.partition.number)
        self.name = f"log-{label}"
        self._position_metric = metrics.LOG_POSITION.labels(label)
        self._behind_metric = metrics.LOG_BEHIND.labels(label)
        self._span_attributes: Attributes = {
            "messaging.system": "rabbitmq",
            "messaging.destination.name": stream_name(self.partition.number),
            "messaging.operation.type": "process",
            "messaging.operation.name": "deliver",
        }
        self._consumer = LogConsumer(self.name, self.partition, lambda: self._start, self._on_record)

    @property
    def running(self) -> bool:
        """Whether records are being consumed."""
        return self._consumer.running

    @property
    def caught_up(self) -> bool:
        """Whether the end that was found at the start has been read."""
        return self._caught_up.is_set()

    @property
    def read_to(self) -> tuple[int, RecordFingerprint] | None:
        """The newest position that was read, all of whose events the subscribers have, and a record of its log."""
        if not self.caught_up or self._last_record is None or self.buffer.last_position == NO_POSITION:
            return None
        return self.buffer.last_position, self._last_record.fingerprint

    async def wait_caught_up(self, timeout_seconds: float) -> None:
        """Raises TimeoutError."""
        async with asyncio.timeout(timeout_seconds):
            await self._caught_up.wait()

    async def run(self, connection: AbstractConnection) -> None:
        """Follow the log until the connection ends. Raises Unavailable if the end of the log cannot be found."""
        last = await self._find_end(connection)
        if self.caught_up:
            await self._continue(connection, last)
        else:
            await self._start_cold(connection, last)
        await self._consumer.run(connection)

    def run_maintenance(self) -> None:
        """Evict old events. Stop catching up if the target record was trimmed from the log meanwhile."""
        self.buffer.evict_before(time.time() - self.buffer.retention_seconds)
        silent_seconds = time.monotonic() - self._last_record_at
        if not self.caught_up and self.running and silent_seconds > CATCH_UP_TIMEOUT_SECONDS:
            log.warning("log_target_not_reached", log=self.name, target_position=self.target_position)
            self._clear_startup_buffer()
            self.buffer.reset(self.buffer.last_position)
            self._caught_up.set()

    def close(self) -> None:
        """Forget the metrics of a partition that is not followed any more."""
        for metric in (metrics.LOG_POSITION, metrics.LOG_BEHIND):
            metric.remove(str(self.partition.number))

    # Where to start.

    async def _find_end(self, connection: AbstractConnection) -> LogRecord:
        """Return the last record. A partition without one gets one: silence alone does not show that it is empty."""
        last = await find_last_record(connection, self.partition, EMPTY_LOG_TIMEOUT_SECONDS)
        if last is None:
            await self._append_record(self.partition)
            last = await find_last_record(connection, self.partition, LOG_LOOKUP_TIMEOUT_SECONDS)
        if last is None:
            raise Unavailable("The end of the event log was not found.")
        return last

    async def _continue(self, connection: AbstractConnection, last: LogRecord) -> None:
        known = self.buffer.last_position
        if last.position >= known and await self._is_same_log(connection):
            self._start = to_offset(known) + 1
        else:
            log.error("log_replaced", log=self.name, expected=known, found=last.position)
            await self._start_on_new_log()

    async def _is_same_log(self, connection: AbstractConnection) -> bool:
        """Return whether the last record read is still in the log. A new log soon has another record at its offset."""
        known = self._last_record
        if known is None:
            return True
        stored = await find_first_record(connection, self.partition, known.offset, LOG_LOOKUP_TIMEOUT_SECONDS)
        return stored == known

    async def _start_cold(self, connection: AbstractConnection, last: LogRecord) -> None:
        self._clear_startup_buffer()
        self._max_startup_events = self._get_max_startup_events()
        self._start = await self._cold_start_offset(connection, last)
        self.target_position = last.position
        self._last_record_at = time.monotonic()
        self.buffer.reset(self.target_position)

    async def _cold_start_offset(self, connection: AbstractConnection, last: LogRecord) -> int:
        oldest = utc_now() - timedelta(seconds=self.buffer.retention_seconds)
        # Reading from a time finds nothing if the newest record is older than that; then read from its offset. A
        # record whose time is unknown counts as new, so that the full retention is read.
        event = last.events[0] if last.events else None
        if event is not None and event.occurred_at <= oldest + timedelta(seconds=MAX_CLOCK_SKEW_SECONDS):
            window_offset = last.offset
        else:
            # From the record before it: a stream may resume after that one.
            window_offset = await self._first_offset(connection, oldest, last) - 1
        start = max(window_offset, last.offset - self._max_startup_events)
        self._min_offset = await self._find_min_offset(connection, last, start)
        return max(0, min(start, self._min_offset))

    async def _first_offset(self, connection: AbstractConnection, start: datetime, last: LogRecord) -> int:
        """Return the offset of the first record from a time on; of the last record if there is none."""
        timeout_seconds = LOG_LOOKUP_TIMEOUT_SECONDS if last.count else EMPTY_LOG_TIMEOUT_SECONDS
        first = await find_first_record(connection, self.partition, start, timeout_seconds)
        return last.offset if first is None else first.offset

    async def _find_min_offset(self, connection: AbstractConnection, last: LogRecord, start: int) -> int:
        """Return the offset of the first record that a subscriber must not miss."""
        offsets = [last.offset + 1]
        for subscriber in self._subscribers:
            try:
                resume = await subscriber.resume_point()
            except Exception as exc:
                # Better to read the full retention than too little of it.
                log.warning("log_resume_point_unknown", log=self.name, error=repr(exc)[:300])
                return start
            if resume is None:
                continue
            offset = to_offset(resume.position + 1)
            if resume.fingerprint is not None and not await self._has_record(connection, last, resume.fingerprint):
                log.error("log_replaced", log=self.name, expected=resume.position, found=last.position)
                await subscriber.on_log_replaced()
                offset = 0
            if offset < start:
                offset = max(offset, await self._first_offset(connection, resume.not_before, last))
            offsets.append(offset)
        return min(offsets)

    async def _has_record(
        self, connection: AbstractConnection, last: LogRecord, fingerprint: RecordFingerprint
    ) -> bool:
        """Return whether a record is in the log, or may have been before it was trimmed. Raises Unavailable."""
        if fingerprint.offset > last.offset:
            return False
        first = await find_first_record(connection, self.partition, fingerprint.offset, LOG_LOOKUP_TIMEOUT_SECONDS)
        if first is None:
            raise Unavailable("A record of the event log was not first.")
        return first.offset > fingerprint.offset or first.fingerprint == fingerprint

    async def _start_on_new_log(self) -> None:
        """Follow another log: the broker lost the old one, so every client has to fetch again."""
        self.buffer.reset(NO_POSITION)
        # From its first record: what was published while the broker was away has caused no push yet.
        self._start, self._last_record = 0, None
        # Without an id: a client that is disconnected before the next event sends its old one, and gets a reset again.
        frame = control_frame("reset", None, {"reason": "the event log was replaced: fetch again"})
        self._hub.broadcast(frame, self.partition)
        for subscriber in self._subscribers:
            await subscriber.on_log_replaced()

    # What is read.

    async def _on_record(self, record: LogRecord) -> None:
        if self.caught_up:
            if record.position > self.buffer.last_position:
                self._last_record = record
                self._process(record)
            return
        self._last_record = record
        reached_target = self.target_position is not None and record.position >= self.target_position
        self._buffer_record(record)
        if reached_target or record.offset >= self._min_offset:
            await self._process_startup_buffer()
        if reached_target:
            # Even when its events belong to other partitions: without it, `ready` has no id to resume from.
            self.buffer.advance(first_position(record.offset), record.position, record.fingerprint)
            self._caught_up.set()
            metrics.LOG_CATCH_UP.observe(time.monotonic() - self._created_at)
            log.info("log_caught_up", log=self.name, position=record.position, events=len(self.buffer))

    def _buffer_record(self, record: LogRecord) -> None:
        """Keep only the newest records until the end is reached, undecoded: a long log must not make a slow start."""
        self._last_record_at = time.monotonic()
        self._startup_buffer.append(record)
        self._startup_events += record.count
        while self._startup_events - self._startup_buffer[0].count >= self._max_startup_events:
            self._startup_events -= self._startup_buffer.popleft().count

    async def _process_startup_buffer(self) -> None:
        while self._startup_buffer:
            self._process(self._startup_buffer.popleft())
            await asyncio.sleep(0)
        self._clear_startup_buffer()

    def _clear_startup_buffer(self) -> None:
        self._startup_buffer.clear()
        self._startup_events = 0

    def _process(self, record: LogRecord) -> None:
        self._last_record_at = time.monotonic()
        events = [(position, event) for position, event in record.with_positions() if self._owns(event)]
        if not events and record.count:
            return
        self.buffer.advance(first_position(record.offset), record.position, record.fingerprint)
        self._position_metric.set(record.position)
        for position, event in events:
            if event is None:
                metrics.LOG_FAULTS.inc()
                continue
            try:
                if position == events[-1][0]:
                    # Not for each event: that was a tenth of the processor time of reading the record.
                    self._behind_metric.set(max(0.0, time.time() - event.occurred_at.timestamp()))
                self._deliver(event, position)
            except Exception:
                # One event that cannot be shown must not hold up all others.
                metrics.LOG_FAULTS.inc()
                log.exception("event_not_delivered", log=self.name, position=position, type=event.type)

    def _owns(self, event: Event | None) -> bool:
        """Whether an event belongs here; those of the previous version's publishers are in every partition."""
        return event is None or get_partition(event.tenant_id, self.partition.total) == self.partition.number

    def _deliver(self, event: Event, position: int) -> None:
        if event_class(event.type).audience is Audience.SERVICES:
            self._apply_access_change(event)
        else:
            buffered = self.buffer.add(event, position)
            if buffered is None:
                return
            if self.caught_up:
                span = tracing.span(
                    f"deliver {event.type}", SpanKind.CONSUMER, self._span_attributes, parent=event.traceparent
                )
                span.set_attribute("parley.streams", self._hub.dispatch(buffered))
                span.end()
        for subscriber in self._subscribers:
            subscriber.on_event(event, position)

    def _apply_access_change(self, event: Event) -> None:
        match event.type:
            case "operator.access_changed":
                data = event.data
                self._hub.revoke(data["operator_id"], data.get("session_id"), data.get("version", 0))
            case "visitor.session_ended":
                self._hub.end_visitor_session(event.data["fingerprint"])
            case "site.changed" if event.data.get("deleted"):
                self._hub.close_site(event.site_id)
            case "site.changed" if event.data.get("revoked_identity_secret_id") is not None:
                self._hub.revoke_identity_secret(event.site_id, event.data["revoked_identity_secret_id"])
