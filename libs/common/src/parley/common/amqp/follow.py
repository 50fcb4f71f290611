"""The log, followed by every replica for itself: everything that happens, in one order, from where it asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import orjson
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from parley.common.amqp import topology
from parley.common.amqp.bus import until_gone
from parley.common.events import Event, Undefined, read_event
from parley.common.telemetry import logger

log = logger(__name__)

_PREFETCH = 500
_ACK_EVERY = 100


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
        self._take = take

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel()
        try:
            gone = await until_gone(channel)
            await channel.set_qos(prefetch_count=_PREFETCH)
            queue = await topology.declare_log(channel)
            inbox: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
            await queue.consume(inbox.put, arguments={"x-stream-offset": self._start_at()})
            self.running = True
            follow = asyncio.create_task(self._follow(inbox), name=f"{self.name}:follow")
            gone_task = asyncio.create_task(gone.wait())
            try:
                await asyncio.wait({follow, gone_task}, return_when=asyncio.FIRST_COMPLETED)
                if follow.done():
                    follow.result()
            finally:
                follow.cancel()
                gone_task.cancel()
                await asyncio.gather(follow, gone_task, return_exceptions=True)
        finally:
            self.running = False
            if not channel.is_closed:
                await channel.close()

    async def _follow(self, inbox: asyncio.Queue[AbstractIncomingMessage]) -> None:
        taken = 0
        while True:
            message = await inbox.get()
            await self._take(_record(message))
            taken += 1
            if taken % _ACK_EVERY == 0 or inbox.empty():
                await message.ack(multiple=True)


def _record(message: AbstractIncomingMessage) -> LogRecord:
    position = message.headers["x-stream-offset"]
    assert isinstance(position, int)
    try:
        event: Event | None = read_event(orjson.loads(message.body))
    except (Undefined, orjson.JSONDecodeError):
        log.warning("log_record_undefined", position=position)
        event = None
    return LogRecord(position, event, message.body)
