"""Look up single records of a partition: the last one, the first one from an offset or a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from parley.common.messaging.topology import declare_log_stream
from parley.notify.streaming.log_consumer import LogRecord
from parley.notify.streaming.positions import Partition
from parley.notify.timeouts import LOG_CHUNK_SETTLE_SECONDS

_PREFETCH = 500


async def find_last_record(
    connection: AbstractConnection, partition: Partition, timeout_seconds: float
) -> LogRecord | None:
    """Return the newest record; None if none arrived within the timeout."""
    async with _channel(connection) as channel:
        await channel.set_qos(prefetch_count=_PREFETCH)
        queue = await declare_log_stream(channel, *partition)
        inbox: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        await queue.consume(inbox.put, arguments={"x-stream-offset": "last"})
        newest: AbstractIncomingMessage | None = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                newest = await inbox.get()
        more = newest is not None
        while newest is not None and more:
            await newest.ack(multiple=True)
            # The broker sends the last chunk in one piece, and replies to this call only after it, except for what the
            # prefetch held back. So fewer messages than that are the end. Do not wait for what is published meanwhile:
            # on a busy log there is always more.
            await channel.set_qos(prefetch_count=_PREFETCH)
            await asyncio.sleep(LOG_CHUNK_SETTLE_SECONDS)
            arrived = inbox.qsize()
            for _ in range(arrived):
                newest = inbox.get_nowait()
            more = arrived >= _PREFETCH // 2
        return LogRecord.from_message(newest.headers, newest.body) if newest is not None else None


async def find_first_record(
    connection: AbstractConnection, partition: Partition, start: int | datetime, timeout_seconds: float
) -> LogRecord | None:
    """Return the first record from an offset or a time; None if none arrived within the timeout."""
    async with _channel(connection) as channel:
        await channel.set_qos(prefetch_count=1)
        queue = await declare_log_stream(channel, *partition)
        inbox: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        await queue.consume(inbox.put, arguments={"x-stream-offset": start})
        try:
            async with asyncio.timeout(timeout_seconds):
                message = await inbox.get()
                return LogRecord.from_message(message.headers, message.body)
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
