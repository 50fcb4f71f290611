"""Counts and replays the dead letters of a queue, for the command line.

Counting takes no message out of the queue: RabbitMQ 4 drops a message that was taken and returned twenty times.
Replaying publishes each message to its queue with a confirm before acknowledging the dead letter: after an interruption
some are in both, and consumers recognize an event that they have handled.
"""

from __future__ import annotations

import asyncio

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from parley.common.errors import NotFound
from parley.common.messaging.timeouts import CONFIRM_TIMEOUT_SECONDS, CONNECT_TIMEOUT_SECONDS

_BROKER_HEADERS = ("x-death", "x-delivery-count", "x-first-death", "x-last-death")
"""Prefixes of the headers that the broker adds to a dead letter."""


async def count(url: str, queue: str) -> int | None:
    """Return the number of a queue's dead letters; None if the queue does not exist. Raises OSError, AMQPError."""
    connection = await aio_pika.connect(url, timeout=CONNECT_TIMEOUT_SECONDS)
    async with connection:
        try:
            dead_letters = await _get_dead_letter_queue(await connection.channel(), queue)
        except NotFound:
            return None
        return dead_letters.declaration_result.message_count or 0


async def replay(url: str, queue: str, max_messages: int | None = None) -> int:
    """Move dead letters back to their queue, oldest first, and return their number.

    Raises NotFound if the queue does not exist, OSError, AMQPError.
    """
    connection = await aio_pika.connect(url, timeout=CONNECT_TIMEOUT_SECONDS)
    async with connection:
        channel = await connection.channel(publisher_confirms=True)
        dead_letters = await _get_dead_letter_queue(channel, queue)
        # Not those that fail again in the meantime.
        existing = dead_letters.declaration_result.message_count or 0
        replayed = 0
        while replayed < min(existing, max_messages or existing) and (message := await _next(dead_letters)) is not None:
            copy = aio_pika.Message(
                message.body,
                headers={k: v for k, v in message.headers.items() if not k.startswith(_BROKER_HEADERS)},
                content_type=message.content_type,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                message_id=message.message_id,
                type=message.type,
            )
            await channel.default_exchange.publish(copy, queue, timeout=CONFIRM_TIMEOUT_SECONDS)
            await message.ack()
            replayed += 1
        return replayed


async def _get_dead_letter_queue(channel: AbstractChannel, queue: str) -> AbstractQueue:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            return await channel.declare_queue(f"{queue}.dead", passive=True)
    except aio_pika.exceptions.ChannelNotFoundEntity as exc:
        raise NotFound(f"There is no queue {queue}.dead; its service never connected to this broker.") from exc


async def _next(queue: AbstractQueue) -> AbstractIncomingMessage | None:
    return await queue.get(fail=False, timeout=CONFIRM_TIMEOUT_SECONDS)
