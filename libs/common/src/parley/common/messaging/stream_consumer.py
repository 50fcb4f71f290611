"""The log, followed by every replica for itself: everything that happens, in one order, from where it asks.

It is read through aiormq, which aio-pika wraps: that takes a second task and an object of many fields for each
message. With the rarer acknowledgements it was measured at a fifth of what an event costs its follower.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Self

import orjson
from aio_pika.abc import AbstractConnection
from aiormq.abc import AbstractChannel, DeliveredMessage

from parley.common.events import Event, UnknownEvent, parse_event
from parley.common.messaging import topology
from parley.common.messaging.batch_codec import EVENT_COUNT_HEADER, unpack_events
from parley.common.messaging.broker import channel_closed_event
from parley.common.observability.logging import get_logger
from parley.common.runtime.coalescing_timer import CoalescingTimer
from parley.common.runtime.tasks import cancel_and_wait

log = get_logger(__name__)

_PREFETCH = 500
_ACK_EVERY = 100
_ACK_SECONDS = 0.5
"""Acknowledging asks the broker for more, and no more than that: each costs both sides a message."""
_PLACES = 1000
"""Positions that a record takes in the log's numbering: more than it can have events."""


def to_offset(position: int) -> int:
    """The record that an event is in, by its position; -1 for the position before all."""
    return position // _PLACES


def first_position(offset: int) -> int:
    """The first position of a record."""
    return offset * _PLACES


def last_position(offset: int) -> int:
    """The last position of a record: its last event's, however many it has. The next position is the next record's."""
    return offset * _PLACES + _PLACES - 1


@dataclass(frozen=True)
class StreamRecord:
    """What the log has at an offset: one event, or several that came together (`count`)."""

    offset: int
    count: int
    body: bytes

    @classmethod
    def from_message(cls, headers: Mapping[str, Any], body: bytes) -> Self:
        """A message of the log, which has its offset in its headers; not read yet."""
        return cls(headers["x-stream-offset"], headers.get(EVENT_COUNT_HEADER, 1), body)

    @cached_property
    def events(self) -> tuple[Event | None, ...]:
        """Read when asked for; None for what the catalogue does not know."""
        try:
            found = unpack_events(self.body)
        except orjson.JSONDecodeError:
            found = (None,)
        return tuple(_event(document, self.offset) for document in found)

    @property
    def position(self) -> int:
        """Its last event's."""
        return last_position(self.offset)

    def with_positions(self) -> Iterator[tuple[int, Event | None]]:
        """Its events with their positions, in order."""
        return enumerate(self.events, self.position - len(self.events) + 1)


class StreamConsumer:
    """A session on `parley.log`. `start_at` says where to begin: an offset, or a moment; asked at each connection."""

    def __init__(
        self,
        name: str,
        start_at: Callable[[], int | datetime],
        on_record: Callable[[StreamRecord], Awaitable[None]],
    ) -> None:
        self.name = name
        self.running = False
        self._start_at = start_at
        self._taken = 0
        self._acknowledged = 0
        self._take = on_record

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel()
        try:
            gone = await channel_closed_event(channel)
            await channel.set_qos(prefetch_count=_PREFETCH)
            queue = await topology.declare_log_stream(channel)
            wire = await channel.get_underlay_channel()
            inbox: asyncio.Queue[DeliveredMessage] = asyncio.Queue()
            await wire.basic_consume(queue.name, inbox.put, arguments={"x-stream-offset": self._start_at()})
            self._taken = self._acknowledged = 0
            soon = CoalescingTimer(_ACK_SECONDS)
            self.running = True
            tasks = [
                asyncio.create_task(self._follow(inbox, soon), name=f"{self.name}:follow"),
                asyncio.create_task(self._acknowledge(wire, soon), name=f"{self.name}:acknowledge"),
                asyncio.create_task(gone.wait()),
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                await cancel_and_wait(*tasks)
        finally:
            self.running = False
            if not channel.is_closed:
                await channel.close()

    async def _follow(self, inbox: asyncio.Queue[DeliveredMessage], soon: CoalescingTimer) -> None:
        while True:
            message = await inbox.get()
            await self._take(StreamRecord.from_message(message.header.properties.headers or {}, message.body))
            self._taken = message.delivery_tag or 0
            soon.schedule(immediately=self._taken - self._acknowledged >= _ACK_EVERY)
            # Lets what was written leave: a backlog is then what clients did not take, not what came at once.
            await asyncio.sleep(0)

    async def _acknowledge(self, wire: AbstractChannel, soon: CoalescingTimer) -> None:
        """One place alone acknowledges: the broker closes the channel where a number comes a second time."""
        while True:
            await soon.wait()
            if self._taken > self._acknowledged:
                self._acknowledged = self._taken
                await wire.basic_ack(self._acknowledged, multiple=True)


def _event(document: Any, offset: int) -> Event | None:
    try:
        return parse_event(document)
    except UnknownEvent:
        log.warning("log_event_undefined", offset=offset)
        return None
