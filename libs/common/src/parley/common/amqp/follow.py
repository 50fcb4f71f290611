"""The log, followed by every replica for itself: everything that happens, in one order, from where it asks.

It is read through aiormq, which aio-pika wraps: that takes a second task and an object of many fields for each
message, a fifth of what an event costs its follower.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import orjson
from aio_pika.abc import AbstractConnection
from aiormq.abc import AbstractChannel, DeliveredMessage

from parley.common.amqp import topology
from parley.common.amqp.bus import until_gone
from parley.common.events import Event, Undefined, read_event
from parley.common.tasks import end
from parley.common.telemetry import logger

log = logger(__name__)

_PREFETCH = 500
_ACK_EVERY = 100
_ACK_SECONDS = 0.5
"""For a log that only asks for the next when these are acknowledged: each would cost both sides a message."""


@dataclass(frozen=True, slots=True)
class LogRecord:
    """An event at its place in the log. `event` is None where the catalogue does not know it: a place all the same."""

    position: int
    event: Event | None
    body: bytes


class LogFollower:
    """A session on `parley.log`. `start_at` says where to begin: a position, or a moment; asked at each connection."""

    def __init__(
        self,
        name: str,
        start_at: Callable[[], int | datetime],
        take: Callable[[LogRecord], Awaitable[None]],
    ) -> None:
        self.name = name
        self.running = False
        self._start_at = start_at
        self._taken = 0
        self._ack_now = asyncio.Event()
        self._take = take

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel()
        try:
            gone = await until_gone(channel)
            await channel.set_qos(prefetch_count=_PREFETCH)
            queue = await topology.declare_log(channel)
            wire = await channel.get_underlay_channel()
            inbox: asyncio.Queue[DeliveredMessage] = asyncio.Queue()
            await wire.basic_consume(queue.name, inbox.put, arguments={"x-stream-offset": self._start_at()})
            self._taken = 0
            self.running = True
            tasks = [
                asyncio.create_task(self._follow(inbox), name=f"{self.name}:follow"),
                asyncio.create_task(self._acknowledge(wire), name=f"{self.name}:acknowledge"),
                asyncio.create_task(gone.wait()),
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                await end(*tasks)
        finally:
            self.running = False
            if not channel.is_closed:
                await channel.close()

    async def _follow(self, inbox: asyncio.Queue[DeliveredMessage]) -> None:
        since = 0
        while True:
            message = await inbox.get()
            await self._take(_record(message))
            self._taken = message.delivery_tag or 0
            since += 1
            if since == _ACK_EVERY:
                since = 0
                self._ack_now.set()

    async def _acknowledge(self, wire: AbstractChannel) -> None:
        """One place alone acknowledges: the broker closes the channel where a number comes a second time."""
        acknowledged = 0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ACK_SECONDS):
                    await self._ack_now.wait()
            self._ack_now.clear()
            if self._taken > acknowledged:
                acknowledged = self._taken
                await wire.basic_ack(acknowledged, multiple=True)


def _record(message: DeliveredMessage) -> LogRecord:
    headers = message.header.properties.headers or {}
    position = headers["x-stream-offset"]
    assert isinstance(position, int)
    try:
        event: Event | None = read_event(orjson.loads(message.body))
    except (Undefined, orjson.JSONDecodeError):
        log.warning("log_record_undefined", position=position)
        event = None
    return LogRecord(position, event, message.body)
