"""The dead letters of a queue: how many there are, and another chance for them.

They are counted without being taken out: RabbitMQ 4 drops what was taken and put back twenty times.

Each is published to its queue again, with a confirm, before it is taken from the dead letters: stopped in the middle,
some are there twice, and consumers know an event they have seen.
"""

from __future__ import annotations

import asyncio

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from parley.common.errors import NotFound

_CONNECT_SECONDS = 5
_OF_THE_BROKER = ("x-death", "x-delivery-count", "x-first-death", "x-last-death")


async def count(url: str, queue: str) -> int | None:
    """How many dead letters a queue has; None where there is no such queue. Raises OSError, AMQPError."""
    connection = await aio_pika.connect(url, timeout=_CONNECT_SECONDS)
    async with connection:
        try:
            dead = await _dead(await connection.channel(), queue)
        except NotFound:
            return None
        return dead.declaration_result.message_count or 0


async def replay(url: str, queue: str, max_messages: int | None = None) -> int:
    """Move dead letters back, the oldest first. Returns how many were moved. Raises NotFound, OSError, AMQPError."""
    connection = await aio_pika.connect(url, timeout=_CONNECT_SECONDS)
    async with connection:
        channel = await connection.channel(publisher_confirms=True)
        dead = await _dead(channel, queue)
        # What dies again while we are at it waits for the next time.
        there = dead.declaration_result.message_count or 0
        moved = 0
        while moved < min(there, max_messages or there) and (message := await _next(dead)) is not None:
            headers = {name: value for name, value in message.headers.items() if not name.startswith(_OF_THE_BROKER)}
            again = aio_pika.Message(
                message.body,
                headers=headers,
                content_type=message.content_type,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                message_id=message.message_id,
                type=message.type,
            )
            await channel.default_exchange.publish(again, queue, timeout=5)
            await message.ack()
            moved += 1
        return moved


async def _dead(channel: AbstractChannel, queue: str) -> AbstractQueue:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            return await channel.declare_queue(f"{queue}.dead", passive=True)
    except aio_pika.exceptions.ChannelNotFoundEntity as exc:
        raise NotFound(f"There is no queue {queue}.dead; its service has never been connected here.") from exc


async def _next(queue: AbstractQueue) -> AbstractIncomingMessage | None:
    return await queue.get(fail=False, timeout=5)
