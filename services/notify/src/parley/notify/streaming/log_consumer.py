"""Read a partition of the event log (a stream queue): every event, in order, from this replica's own position.

It reads through aiormq, which aio-pika wraps: aio-pika adds a task and a large object for each message. Together with
rarer acknowledgements this was measured at a fifth of aio-pika's processor time per event.
"""

from __future__ import annotations

import asyncio
import zlib
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
from parley.common.runtime.tasks import run_until_one_ends
from parley.notify.streaming.positions import Partition, RecordFingerprint, last_position
from parley.notify.timeouts import LOG_ACK_INTERVAL_SECONDS

log = get_logger(__name__)

_PREFETCH = 500
_ACK_BATCH_SIZE = 100


@dataclass(frozen=True)
class LogRecord:
    """A message of the log at an offset: one event, several that were published together (`count`), or none."""

    offset: int
    count: int
    body: bytes

    @classmethod
    def from_message(cls, headers: Mapping[str, Any], body: bytes) -> Self:
        """Make a record from a message of the log without parsing its body."""
        return cls(headers["x-stream-offset"], headers.get(EVENT_COUNT_HEADER, 1), body)

    @cached_property
    def events(self) -> tuple[Event | None, ...]:
        """The events, parsed on first use; None for each that the registry does not define."""
        if not self.count:
            return ()
        try:
            documents = unpack_events(self.body)
        except orjson.JSONDecodeError:
            documents = (None,)
        return tuple(_parse(document, self.offset) for document in documents)

    @property
    def fingerprint(self) -> RecordFingerprint:
        """Its identity."""
        return RecordFingerprint(self.offset, zlib.crc32(self.body))

    @property
    def position(self) -> int:
        """The position of its last event."""
        return last_position(self.offset)

    def with_positions(self) -> Iterator[tuple[int, Event | None]]:
        """Yield its events with their positions, in order."""
        return enumerate(self.events, self.position - len(self.events) + 1)


class LogConsumer:
    """A channel session that reads a partition.

    At each connection, `start_at` returns the offset or the time to start from.
    """

    def __init__(
        self,
        name: str,
        partition: Partition,
        start_at: Callable[[], int | datetime],
        on_record: Callable[[LogRecord], Awaitable[None]],
    ) -> None:
        self.name = name
        self.running = False
        self._partition = partition
        self._start_at = start_at
        self._on_record = on_record
        self._delivery_tag = 0
        self._acknowledged_tag = 0

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel()
        try:
            closed = await channel_closed_event(channel)
            await channel.set_qos(prefetch_count=_PREFETCH)
            queue = await topology.declare_log_stream(channel, *self._partition)
            underlay = await channel.get_underlay_channel()
            inbox: asyncio.Queue[DeliveredMessage] = asyncio.Queue()
            await underlay.basic_consume(queue.name, inbox.put, arguments={"x-stream-offset": self._start_at()})
            self._delivery_tag = self._acknowledged_tag = 0
            ack_timer = CoalescingTimer(LOG_ACK_INTERVAL_SECONDS)
            self.running = True
            await run_until_one_ends(
                self._consume(inbox, ack_timer), self._acknowledge(underlay, ack_timer), closed.wait()
            )
        finally:
            self.running = False
            if not channel.is_closed:
                await channel.close()

    async def _consume(self, inbox: asyncio.Queue[DeliveredMessage], ack_timer: CoalescingTimer) -> None:
        while True:
            message = await inbox.get()
            await self._on_record(LogRecord.from_message(message.header.properties.headers or {}, message.body))
            self._delivery_tag = message.delivery_tag or 0
            ack_timer.schedule(immediately=self._delivery_tag - self._acknowledged_tag >= _ACK_BATCH_SIZE)
            # Lets sockets flush: what is still buffered after this is what a client does not read.
            await asyncio.sleep(0)

    async def _acknowledge(self, channel: AbstractChannel, ack_timer: CoalescingTimer) -> None:
        """Acknowledge in one task only: the broker closes the channel if a tag is acknowledged twice."""
        while True:
            await ack_timer.wait()
            if self._delivery_tag > self._acknowledged_tag:
                self._acknowledged_tag = self._delivery_tag
                await channel.basic_ack(self._acknowledged_tag, multiple=True)


def _parse(document: Any, offset: int) -> Event | None:
    try:
        return parse_event(document)
    except UnknownEvent:
        log.warning("log_event_undefined", offset=offset)
        return None
