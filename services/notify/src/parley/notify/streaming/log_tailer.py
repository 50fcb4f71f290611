"""The log, followed from a while ago: fills the window, and gives each event to the streams that may see it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from aio_pika.abc import AbstractConnection

from parley.common.errors import Unavailable
from parley.common.events import Audience, Event, data_class
from parley.common.messaging import LogFollower, LogRecord, offset_of, start_of
from parley.common.messaging.topology import LOG
from parley.common.observability import tracing
from parley.common.observability.logging import logger
from parley.common.observability.tracing import Attributes, Kind
from parley.common.runtime.clock import utc_now
from parley.notify import metrics
from parley.notify.streaming.frames import own_frame
from parley.notify.streaming.hub import Hub
from parley.notify.streaming.log_queries import first_from, last_of_log
from parley.notify.streaming.replay_buffer import NOWHERE, Window

log = logger(__name__)

_LOG: Attributes = {
    "messaging.system": "rabbitmq",
    "messaging.destination.name": LOG,
    "messaging.operation.type": "process",
    "messaging.operation.name": "deliver",
}
_EMPTY_SECONDS = 2.0
"""An end that has not come by then is taken for an empty log's."""
_REBORN_SECONDS = 3.0
"""The same, where the log is known not to have been empty: it would mean that the broker lost it."""
_VANISHED_LOOKS = 3
_SKEW_SECONDS = 60.0
"""How far the broker's clock may be from ours when the window is asked for by time."""
_RECENT_SECONDS = 5.0
_ENOUGH = 10_000
"""Events, and records, that are read before streams are let in: a second or two. Of a busy log that is less than the
window."""
_COLD_SECONDS = 10.0
"""Without any record while the window is read: its end was trimmed away meanwhile."""


class Tail:
    """A session on the log, and the part that says whether the window is warm.

    It looks for the log's end first. Then it starts where the window begins, or some thousand events before the end
    where that is later; it is warm when it has come to that end. On a later connection it goes on at the next position,
    unless the broker came back with another log.
    """

    name = "log"

    def __init__(self, window: Window, hub: Hub) -> None:
        self.warm = False
        self.needed: Callable[[], Awaitable[int | None]] | None = None
        """Asked before the log is read: from which position on somebody else needs it; None where nobody does."""
        self.reborn: Callable[[], Awaitable[None]] | None = None
        """Called when the broker came back with another log, which is then followed from its beginning."""
        self._window = window
        self._hub = hub
        self._told: list[Callable[[Event, int], None]] = []
        self._goal: int | None = None
        self._vanished = 0
        self._start: int | datetime = 0
        self._needed_from = 0
        self._early: deque[LogRecord] = deque()
        self._early_events = 0
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
            self._forget_early()
            self._window.begin(self._window.last)
            self.warm = True

    async def _find_start(self, connection: AbstractConnection) -> None:
        known = self._window.last if self.warm else NOWHERE
        last = await last_of_log(connection, _REBORN_SECONDS if known > NOWHERE else _EMPTY_SECONDS)
        end = last.position if last is not None else NOWHERE
        if not self.warm:
            await self._begin_cold(connection, last)
        elif end >= known and await self._is_the_same(connection):
            self._start, self._vanished = offset_of(known) + 1, 0
        elif end == NOWHERE and self._vanished < _VANISHED_LOOKS:
            self._vanished += 1
            raise Unavailable("The log's end does not show itself.")
        else:
            log.error("log_begun_anew", expected=known, found=end)
            await self._begin_anew()

    async def _is_the_same(self, connection: AbstractConnection) -> bool:
        """Whether the log still has what was last read from it: one begun anew soon has a record of that number too."""
        newest = self._newest
        if newest is None:
            return True
        return await first_from(connection, newest.offset, _REBORN_SECONDS) == newest

    async def _begin_cold(self, connection: AbstractConnection, last: LogRecord | None) -> None:
        self._forget_early()
        if last is None:
            # By time here too: should the end only have been slow to come, this does not show the whole log.
            self._start = utc_now() - timedelta(seconds=_RECENT_SECONDS)
        else:
            self._start = await self._cold_start(connection, last)
        self._goal = last.position if last is not None else NOWHERE
        self._heard = time.monotonic()
        self._window.begin(self._goal)
        self.warm = last is None

    async def _cold_start(self, connection: AbstractConnection, last: LogRecord) -> int | datetime:
        oldest = utc_now() - timedelta(seconds=self._window.seconds)
        # Asking by time finds nothing when the newest record is older than that: then it is asked for by place. One
        # that does not tell when it happened is taken for new, so that the window is read in full.
        said = last.events[0] if last.events else None
        if said is not None and said.occurred_at <= oldest + timedelta(seconds=_SKEW_SECONDS):
            return last.offset
        first = await first_from(connection, oldest, _REBORN_SECONDS)
        self._needed_from = await self._offset_needed(last.offset + 1)
        enough = last.offset - _ENOUGH
        if first is None or first.offset >= enough:
            return oldest
        return max(min(self._needed_from, enough), first.offset)

    async def _offset_needed(self, nobody: int) -> int:
        if self.needed is None:
            return nobody
        try:
            needed = await self.needed()
        except Exception as exc:
            # Rather all of the window than too little of it.
            log.warning("log_need_unknown", error=repr(exc)[:300])
            return 0
        return nobody if needed is None else offset_of(needed)

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
        self._newest = record
        at_the_end = not self.warm and self._goal is not None and record.position >= self._goal
        if not self.warm:
            self._put_off(record)
            if at_the_end or record.offset >= self._needed_from:
                await self._read_early()
        else:
            self._read(record)
        if at_the_end:
            self.warm = True
            log.info("log_window_warm", position=record.position, events=len(self._window))

    def _put_off(self, record: LogRecord) -> None:
        """Before the end: keep the newest only, unread, so that the length of the log is not what a start costs."""
        self._heard = time.monotonic()
        self._early.append(record)
        self._early_events += record.count
        while self._early_events - self._early[0].count >= _ENOUGH:
            self._early_events -= self._early.popleft().count

    async def _read_early(self) -> None:
        while self._early:
            self._read(self._early.popleft())
            await asyncio.sleep(0)
        self._forget_early()

    def _forget_early(self) -> None:
        self._early.clear()
        self._early_events = 0

    def _read(self, record: LogRecord) -> None:
        self._heard = time.monotonic()
        self._window.reach(start_of(record.offset), record.position)
        metrics.LOG_POSITION.set(record.position)
        for position, event in record.placed():
            if event is None:
                metrics.LOG_FAULTS.inc()
                continue
            try:
                self._show(event, position)
            except Exception:
                # One event that cannot be shown must not keep all others from being shown.
                metrics.LOG_FAULTS.inc()
                log.exception("event_not_shown", position=position, type=event.type)

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
