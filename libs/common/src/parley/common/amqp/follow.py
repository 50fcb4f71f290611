"""The log, followed by every replica for itself: everything that happens, in one order, from where it asks.

It is read through aiormq, which aio-pika wraps: that takes a second task and an object of many fields for each
message. With the rarer acknowledgements it was measured at a fifth of what an event costs its follower.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import orjson
from aio_pika.abc import AbstractConnection
from aiormq.abc import AbstractChannel, DeliveredMessage

from parley.common.amqp import topology
from parley.common.amqp.bus import until_gone
from parley.common.events import Event, Undefined, read_event
from parley.common.soon import Soon
from parley.common.tasks import end
from parley.common.telemetry import logger

log = logger(__name__)

_PREFETCH = 500
_ACK_EVERY = 100
_ACK_SECONDS = 0.5
"""Acknowledging asks the broker for more, and no more than that: each costs both sides a message."""


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
        self._acknowledged = 0
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
            self._taken = self._acknowledged = 0
            soon = Soon(_ACK_SECONDS)
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
                await end(*tasks)
        finally:
            self.running = False
            if not channel.is_closed:
                await channel.close()

    async def _follow(self, inbox: asyncio.Queue[DeliveredMessage], soon: Soon) -> None:
        while True:
            message = await inbox.get()
            await self._take(_record(message))
            self._taken = message.delivery_tag or 0
            soon.ask(now=self._taken - self._acknowledged >= _ACK_EVERY)

    async def _acknowledge(self, wire: AbstractChannel, soon: Soon) -> None:
        """One place alone acknowledges: the broker closes the channel where a number comes a second time."""
        while True:
            await soon.wait()
            if self._taken > self._acknowledged:
                self._acknowledged = self._taken
                await wire.basic_ack(self._acknowledged, multiple=True)


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
