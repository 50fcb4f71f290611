"""Follow the event log: fill the replay buffer and give each event to the streams that may see it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from aio_pika.abc import AbstractConnection

from parley.common.errors import Unavailable
from parley.common.events import Audience, Event, event_class
from parley.common.messaging.topology import LOG_STREAM
from parley.common.observability import tracing
from parley.common.observability.logging import get_logger
from parley.common.observability.tracing import Attributes, SpanKind
from parley.common.runtime.clock import utc_now
from parley.notify import metrics
from parley.notify.streaming.frames import control_frame
from parley.notify.streaming.hub import Hub
from parley.notify.streaming.log_consumer import LogConsumer, LogRecord, first_position, to_offset
from parley.notify.streaming.log_queries import find_first_record, find_last_record
from parley.notify.streaming.replay_buffer import NO_POSITION, ReplayBuffer
from parley.notify.timeouts import CATCH_UP_TIMEOUT_SECONDS, EMPTY_LOG_TIMEOUT_SECONDS, LOG_LOOKUP_TIMEOUT_SECONDS

log = get_logger(__name__)

_SPAN_ATTRIBUTES: Attributes = {
    "messaging.system": "rabbitmq",
    "messaging.destination.name": LOG_STREAM,
    "messaging.operation.type": "process",
    "messaging.operation.name": "deliver",
}
_MAX_FAILED_LOOKUPS = 3
"""How often the end of a known log may fail to show itself before the log is taken for lost."""
_MAX_CLOCK_SKEW_SECONDS = 60.0
"""Between the broker's clock and this one, where the log is read from a time on."""
_EMPTY_LOG_LOOKBACK_SECONDS = 5.0
_MAX_STARTUP_EVENTS = 10_000
"""How many events, and records, are read before streams are accepted: one or two seconds. On a busy log this is less
than the retention of the replay buffer."""


class LogTailer:
    """A broker session that follows the log, and the component that reports whether it has caught up.

    It finds the end of the log (`target_position`) first. Then it reads from the start of the replay buffer's
    retention, or from some thousand events before the end where that is later, and has caught up at that end. After a
    reconnection it continues at the next position, unless the broker came back with another log.
    """

    name = "log"

    def __init__(self, buffer: ReplayBuffer, hub: Hub) -> None:
        self.caught_up = False
        self.target_position: int | None = None
        """The end of the log as found at the start; None before that."""
        self.min_position_provider: Callable[[], Awaitable[int | None]] | None = None
        """Asked before a cold start: the first position that a subscriber still has to process; None if it has none."""
        self._buffer = buffer
        self._hub = hub
        self._event_callbacks: list[Callable[[Event, int], None]] = []
        self._gap_callbacks: list[Callable[[], Awaitable[None]]] = []
        self._failed_lookups = 0
        self._start: int | datetime = 0
        self._min_offset = 0
        """Records from this offset on must not be skipped at a cold start."""
        self._startup_buffer: deque[LogRecord] = deque()
        self._startup_events = 0
        self._last_record_at = 0.0
        self._last_record: LogRecord | None = None
        self._follower = LogConsumer("log", lambda: self._start, self._on_record)

    def subscribe(self, on_event: Callable[[Event, int], None], *, on_gap: Callable[[], Awaitable[None]]) -> None:
        """Call `on_event` for every event and its position, once each, in the log's order.

        Call `on_gap` when the broker has lost its log: events are missing, and positions start again.
        """
        self._event_callbacks.append(on_event)
        self._gap_callbacks.append(on_gap)

    @property
    def running(self) -> bool:
        """Whether records are being consumed."""
        return self._follower.running

    async def run(self, connection: AbstractConnection) -> None:
        """Follow the log until the connection ends. Raises Unavailable if the end of the log cannot be found."""
        await self._find_start(connection)
        await self._follower.run(connection)

    async def start(self) -> None:
        """Do nothing: the broker connection runs the session."""

    async def stop(self) -> None:
        """Do nothing: the session ends with the broker connection."""

    def unready_reason(self) -> str | None:
        return None if self.caught_up else "the event log is not read yet"

    def run_maintenance(self) -> None:
        """Evict old events. Stop catching up if the target record was trimmed from the log meanwhile."""
        self._buffer.evict_before(time.time() - self._buffer.retention_seconds)
        silent_seconds = time.monotonic() - self._last_record_at
        if not self.caught_up and self.running and silent_seconds > CATCH_UP_TIMEOUT_SECONDS:
            log.warning("log_target_not_reached", target_position=self.target_position)
            self._clear_startup_buffer()
            self._buffer.reset(self._buffer.last_position)
            self.caught_up = True

    # Where to start.

    async def _find_start(self, connection: AbstractConnection) -> None:
        known = self._buffer.last_position if self.caught_up else NO_POSITION
        timeout_seconds = LOG_LOOKUP_TIMEOUT_SECONDS if known > NO_POSITION else EMPTY_LOG_TIMEOUT_SECONDS
        last = await find_last_record(connection, timeout_seconds)
        end = last.position if last is not None else NO_POSITION
        if not self.caught_up:
            await self._start_cold(connection, last)
        elif end >= known and await self._is_same_log(connection):
            self._start, self._failed_lookups = to_offset(known) + 1, 0
        elif end == NO_POSITION and self._failed_lookups < _MAX_FAILED_LOOKUPS:
            self._failed_lookups += 1
            raise Unavailable("The end of the event log was not found.")
        else:
            log.error("log_replaced", expected=known, found=end)
            await self._start_on_new_log()

    async def _is_same_log(self, connection: AbstractConnection) -> bool:
        """Return whether the last record read is still in the log. A new log soon has another record at its offset."""
        known = self._last_record
        if known is None:
            return True
        return await find_first_record(connection, known.offset, LOG_LOOKUP_TIMEOUT_SECONDS) == known

    async def _start_cold(self, connection: AbstractConnection, last: LogRecord | None) -> None:
        self._clear_startup_buffer()
        if last is None:
            # From a time here too: if the end was only slow to arrive, this does not read the whole log.
            self._start = utc_now() - timedelta(seconds=_EMPTY_LOG_LOOKBACK_SECONDS)
        else:
            self._start = await self._cold_start_position(connection, last)
        self.target_position = last.position if last is not None else NO_POSITION
        self._last_record_at = time.monotonic()
        self._buffer.reset(self.target_position)
        self.caught_up = last is None

    async def _cold_start_position(self, connection: AbstractConnection, last: LogRecord) -> int | datetime:
        """Return the offset or the time to read from."""
        oldest = utc_now() - timedelta(seconds=self._buffer.retention_seconds)
        # Reading from a time finds nothing if the newest record is older than that; then read from its offset. A
        # record whose time is unknown counts as new, so that the full retention is read.
        event = last.events[0] if last.events else None
        if event is not None and event.occurred_at <= oldest + timedelta(seconds=_MAX_CLOCK_SKEW_SECONDS):
            return last.offset
        first = await find_first_record(connection, oldest, LOG_LOOKUP_TIMEOUT_SECONDS)
        self._min_offset = await self._find_min_offset(default=last.offset + 1)
        startup_offset = last.offset - _MAX_STARTUP_EVENTS
        if first is None or first.offset >= startup_offset:
            return oldest
        return max(min(self._min_offset, startup_offset), first.offset)

    async def _find_min_offset(self, *, default: int) -> int:
        if self.min_position_provider is None:
            return default
        try:
            position = await self.min_position_provider()
        except Exception as exc:
            # Better to read the full retention than too little of it.
            log.warning("log_min_position_unknown", error=repr(exc)[:300])
            return 0
        return default if position is None else to_offset(position)

    async def _start_on_new_log(self) -> None:
        """Follow another log: the broker lost the old one, so every client has to fetch again."""
        self._buffer.reset(NO_POSITION)
        # From its first record: what was published while the broker was away has caused no push yet.
        self._start, self._failed_lookups, self._last_record = 0, 0, None
        self._hub.broadcast(control_frame("reset", 0, {"reason": "the event log was replaced: fetch again"}))
        for on_gap in self._gap_callbacks:
            await on_gap()

    # What is read.

    async def _on_record(self, record: LogRecord) -> None:
        if self.caught_up:
            if record.position > self._buffer.last_position:
                self._last_record = record
                self._process(record)
            return
        self._last_record = record
        reached_target = self.target_position is not None and record.position >= self.target_position
        self._buffer_record(record)
        if reached_target or record.offset >= self._min_offset:
            await self._process_startup_buffer()
        if reached_target:
            self.caught_up = True
            log.info("log_caught_up", position=record.position, events=len(self._buffer))

    def _buffer_record(self, record: LogRecord) -> None:
        """Keep only the newest records until the end is reached, undecoded: a long log must not make a slow start."""
        self._last_record_at = time.monotonic()
        self._startup_buffer.append(record)
        self._startup_events += record.count
        while self._startup_events - self._startup_buffer[0].count >= _MAX_STARTUP_EVENTS:
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
        self._buffer.advance(first_position(record.offset), record.position)
        metrics.LOG_POSITION.set(record.position)
        for position, event in record.with_positions():
            if event is None:
                metrics.LOG_FAULTS.inc()
                continue
            try:
                self._deliver(event, position)
            except Exception:
                # One event that cannot be shown must not hold up all others.
                metrics.LOG_FAULTS.inc()
                log.exception("event_not_delivered", position=position, type=event.type)

    def _deliver(self, event: Event, position: int) -> None:
        metrics.LOG_BEHIND.set(max(0.0, time.time() - event.occurred_at.timestamp()))
        if event_class(event.type).audience is Audience.SERVICES:
            self._apply_access_change(event)
        else:
            buffered = self._buffer.add(event, position)
            if buffered is None:
                return
            if self.caught_up:
                span = tracing.span(
                    f"deliver {event.type}", SpanKind.CONSUMER, _SPAN_ATTRIBUTES, parent=event.traceparent
                )
                span.set_attribute("parley.streams", self._hub.dispatch(buffered))
                span.end()
        for on_event in self._event_callbacks:
            on_event(event, position)

    def _apply_access_change(self, event: Event) -> None:
        match event.type:
            case "operator.access_changed":
                data = event.data
                self._hub.revoke(data["operator_id"], data.get("session_id"), data.get("version", 0))
            case "site.changed" if event.data.get("deleted"):
                self._hub.close_site(event.site_id)
