"""Looks at single places of the log: its end, what stands at an offset, where a moment begins."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from parley.common.messaging import LogRecord
from parley.common.messaging.topology import declare_log

_PREFETCH = 500
_SETTLE_SECONDS = 0.05


async def last_of_log(connection: AbstractConnection, patience: float) -> LogRecord | None:
    """The newest record; None where none showed itself in so many seconds."""
    async with _channel(connection) as channel:
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
        return LogRecord.of(newest.headers, newest.body) if newest is not None else None


async def first_from(connection: AbstractConnection, start: int | datetime, patience: float) -> LogRecord | None:
    """The first record that a reader is given who begins there; None where none came in so many seconds."""
    async with _channel(connection) as channel:
        await channel.set_qos(prefetch_count=1)
        queue = await declare_log(channel)
        inbox: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        await queue.consume(inbox.put, arguments={"x-stream-offset": start})
        try:
            async with asyncio.timeout(patience):
                found = await inbox.get()
                return LogRecord.of(found.headers, found.body)
        except TimeoutError:
            return None


@contextlib.asynccontextmanager
async def _channel(connection: AbstractConnection) -> AsyncIterator[AbstractChannel]:
    channel = await connection.channel()
    try:
        yield channel
    finally:
        if not channel.is_closed:
            await channel.close()
