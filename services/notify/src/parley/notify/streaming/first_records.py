"""Append the first record of a partition, on the connection that publishes.

A broker that is short of memory or disk stops reading from connections that publish. The partitions are read on another
one, which must go on.
"""

from __future__ import annotations

import asyncio
import uuid

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, DeliveryMode

from parley.common.errors import Unavailable
from parley.common.log_partitions import stream_name
from parley.common.messaging.batch_codec import EVENT_COUNT_HEADER
from parley.common.messaging.broker import channel_closed_event
from parley.common.messaging.timeouts import CONFIRM_TIMEOUT_SECONDS
from parley.notify.streaming.positions import Partition


class FirstRecords:
    """A channel session that gives an empty partition a record, from which streams can resume."""

    name = "first-records"

    def __init__(self) -> None:
        self.publishes = True
        self.running = False
        self._channel: AbstractChannel | None = None

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel(publisher_confirms=True)
        try:
            closed = await channel_closed_event(channel)
            self._channel, self.running = channel, True
            await closed.wait()
        finally:
            self._channel, self.running = None, False
            if not channel.is_closed:
                await channel.close()

    async def append(self, partition: Partition) -> None:
        """Append a record without events. Returns when it is confirmed. Raises Unavailable."""
        if self._channel is None:
            raise Unavailable("The message broker is not available.")
        # A body of its own, so that another log's empty record is recognized as another one.
        message = aio_pika.Message(
            uuid.uuid4().hex.encode(), delivery_mode=DeliveryMode.PERSISTENT, headers={EVENT_COUNT_HEADER: 0}
        )
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT_SECONDS):
                await self._channel.default_exchange.publish(message, stream_name(partition.number))
        except TimeoutError as exc:
            raise Unavailable("The message broker accepts no events at present.") from exc
