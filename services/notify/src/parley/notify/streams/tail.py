"""The log, followed from a while ago: fills the window, and gives each event to the streams that may see it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import orjson
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from parley.common import tracing
from parley.common.amqp import LogFollower, LogRecord
from parley.common.amqp.topology import LOG, declare_log
from parley.common.errors import Unavailable
from parley.common.events import Audience, Event, data_class
from parley.common.telemetry import logger
from parley.common.tracing import Attributes, Kind
from parley.notify import metrics
from parley.notify.streams.frames import own_frame
from parley.notify.streams.hub import Hub
from parley.notify.streams.window import NOWHERE, Window

log = logger(__name__)

_LOG: Attributes = {
    "messaging.system": "rabbitmq",
    "messaging.destination.name": LOG,
    "messaging.operation.type": "process",
    "messaging.operation.name": "deliver",
}
_PREFETCH = 500
_SETTLE_SECONDS = 0.05
_EMPTY_SECONDS = 2.0
"""An end that has not come by then is taken for an empty log's."""
_REBORN_SECONDS = 3.0
"""The same, where the log is known not to have been empty: it would mean that the broker lost it."""
_VANISHED_LOOKS = 3
_SKEW_SECONDS = 60.0
"""How far the broker's clock may be from ours when the window is asked for by time."""
_RECENT_SECONDS = 5.0
_COLD_SECONDS = 10.0
"""Without any record while the window is read: its end was trimmed away meanwhile."""


class Tail:
    """A session on the log, and the part that says whether the window is warm.

    It looks for the log's end first. Then it starts where the window begins; it is warm when it has come to that
    end. On a later connection it goes on at the next position, unless the broker came back with another log.
    """

    name = "log"

    def __init__(self, window: Window, hub: Hub) -> None:
        self.warm = False
        self.reborn: Callable[[], Awaitable[None]] | None = None
        """Called when the broker came back with another log, which is then followed from its beginning."""
        self._window = window
        self._hub = hub
        self._told: list[Callable[[Event, int], None]] = []
        self._goal: int | None = None
        self._vanished = 0
        self._start: int | datetime = 0
        self._heard = 0.0
        self._newest: LogRecord | None = None
        self._follower = LogFollower("log", lambda: self._start, self._take)

    def tell(self, listener: Callable[[Event, int], None]) -> None:
        """Give every event and its position to this listener too, once each, in order."""
        self._told.append(listener)

    @property
    def running(self) -> bool:
        """Whether records are coming."""
        return self._follower.running

    @property
    def goal(self) -> int | None:
        """The log's end as it was found at the start; None before that."""
        return self._goal

    async def run(self, connection: AbstractConnection) -> None:
        """One connection's life on the log."""
        await self._find_start(connection)
        await self._follower.run(connection)

    async def start(self) -> None:
        """Nothing: it runs on the bus."""

    async def stop(self) -> None:
        """Nothing: it ends with the bus."""

    def fault(self) -> str | None:
        return None if self.warm else "the log's window is not read yet"

    def tick(self) -> None:
        """Let go of what is too old to keep; do not wait for ever for an end that was trimmed away."""
        self._window.forget(time.time() - self._window.seconds)
        if not self.warm and self.running and time.monotonic() - self._heard > _COLD_SECONDS:
            log.warning("log_end_not_seen", goal=self._goal)
            self._window.begin(self._window.last)
            self.warm = True

    async def _find_start(self, connection: AbstractConnection) -> None:
        known = self._window.last if self.warm else NOWHERE
        end, at = await _end_of_log(connection, _REBORN_SECONDS if known > NOWHERE else _EMPTY_SECONDS)
        if not self.warm:
            self._begin_cold(end, at)
        elif end >= known and await self._is_the_same(connection):
            self._start, self._vanished = known + 1, 0
        elif end == NOWHERE and self._vanished < _VANISHED_LOOKS:
            self._vanished += 1
            raise Unavailable("The log's end does not show itself.")
        else:
            log.error("log_begun_anew", expected=known, found=end)
            await self._begin_anew()

    async def _is_the_same(self, connection: AbstractConnection) -> bool:
        """Whether the log still has what was last read from it: one begun anew soon has a record of that number too."""
        newest = self._newest
        return newest is None or await _record_at(connection, newest.position) == newest.body

    def _begin_cold(self, end: int, at: float) -> None:
        self._goal = end
        self._heard = time.monotonic()
        self._window.begin(end)
        # Asking by time finds nothing when the newest record is older than that: then it is asked for by place.
        oldest = time.time() - self._window.seconds
        if end == NOWHERE:
            # By time here too: should the end only have been slow to come, this does not show the whole log.
            self._start = datetime.fromtimestamp(time.time() - _RECENT_SECONDS, UTC)
        else:
            self._start = datetime.fromtimestamp(oldest, UTC) if at > oldest + _SKEW_SECONDS else end
        self.warm = end == NOWHERE

    async def _begin_anew(self) -> None:
        """The broker lost its log: positions mean something else now. Everybody has to fetch again."""
        self._window.begin(NOWHERE)
        # From its first record: what was said while the broker was away is there, and has rung no phone yet.
        self._start, self._vanished, self._newest = 0, 0, None
        self._hub.tell_all(own_frame("reset", 0, {"reason": "the log began anew: fetch again"}))
        if self.reborn is not None:
            await self.reborn()

    async def _take(self, record: LogRecord) -> None:
        if self.warm and record.position <= self._window.last:
            return
        self._window.reach(record.position)
        self._newest = record
        self._heard = time.monotonic()
        metrics.LOG_POSITION.set(record.position)
        if record.event is not None:
            try:
                self._show(record.event, record.position)
            except Exception:
                # One event that cannot be shown must not keep all others from being shown.
                metrics.LOG_FAULTS.inc()
                log.exception("event_not_shown", position=record.position, type=record.event.type)
        else:
            metrics.LOG_FAULTS.inc()
        if not self.warm and self._goal is not None and record.position >= self._goal:
            self.warm = True
            log.info("log_window_warm", position=record.position, events=len(self._window))

    def _show(self, event: Event, position: int) -> None:
        metrics.LOG_BEHIND.set(max(0.0, time.time() - event.occurred_at.timestamp()))
        if data_class(event.type).audience is Audience.SERVICES:
            self._heed(event)
        else:
            entry = self._window.add(event, position)
            if entry is None:
                return
            if self.warm:
                span = tracing.span(f"deliver {event.type}", Kind.CONSUMER, _LOG, parent=event.traceparent)
                span.note("parley.streams", self._hub.deliver(entry))
                span.end()
        for told in self._told:
            told(event, position)

    def _heed(self, event: Event) -> None:
        match event.type:
            case "operator.access_changed":
                data = event.data
                self._hub.revoke(data["operator_id"], data.get("session_id"), data.get("version", 0))
            case "site.changed" if event.data.get("deleted"):
                self._hub.close_site(event.site_id)


async def _end_of_log(connection: AbstractConnection, patience: float) -> tuple[int, float]:
    """The newest position (NOWHERE when there is none), and when it happened in seconds since 1970."""
    channel = await connection.channel()
    try:
        await channel.set_qos(prefetch_count=_PREFETCH)
        queue = await declare_log(channel)
        inbox: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        await queue.consume(inbox.put, arguments={"x-stream-offset": "last"})
        newest: AbstractIncomingMessage | None = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                newest = await inbox.get()
        more = newest is not None
        while newest is not None and more:
            await newest.ack(multiple=True)
            # The answer to this comes after all of the last chunk, which the broker sends in one piece, but for what
            # the prefetch held back. So less than that is its end; what is written meanwhile is not waited for:
            # on a busy log there is always more.
            await channel.set_qos(prefetch_count=_PREFETCH)
            await asyncio.sleep(_SETTLE_SECONDS)
            came = inbox.qsize()
            for _ in range(came):
                newest = inbox.get_nowait()
            more = came >= _PREFETCH // 2
        if newest is None:
            return NOWHERE, 0.0
        position = newest.headers["x-stream-offset"]
        assert isinstance(position, int)
        return position, _moment_of(newest.body)
    finally:
        if not channel.is_closed:
            await channel.close()


async def _record_at(connection: AbstractConnection, position: int) -> bytes | None:
    """What stands at a position; None where the log has nothing there any more."""
    channel = await connection.channel()
    try:
        await channel.set_qos(prefetch_count=1)
        queue = await declare_log(channel)
        inbox: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        await queue.consume(inbox.put, arguments={"x-stream-offset": position})
        try:
            async with asyncio.timeout(_REBORN_SECONDS):
                found = await inbox.get()
        except TimeoutError:
            return None
        return found.body if found.headers["x-stream-offset"] == position else None
    finally:
        if not channel.is_closed:
            await channel.close()


def _moment_of(body: bytes) -> float:
    try:
        return datetime.fromisoformat(orjson.loads(body)["occurred_at"]).timestamp()
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        # Not ours to judge; taken for new, so that the window is read in full.
        return time.time()
