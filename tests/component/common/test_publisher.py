"""Batches of messages to the broker: in order, confirmed or refused as one, during other publishes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractQueue
from aiormq.exceptions import ChannelNotFoundEntity, DeliveryError
from pamqp.commands import Basic

from parley.common.messaging.publisher import OutgoingMessage, publish_batch


@pytest.fixture
async def channel(amqp_url: str) -> AsyncIterator[AbstractChannel]:
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        yield await connection.channel(publisher_confirms=True)


async def declare(channel: AbstractChannel, **arguments: Any) -> tuple[AbstractExchange, AbstractQueue]:
    """Declare an exchange and a queue bound to it, for one test."""
    queue = await channel.declare_queue(exclusive=True, arguments=arguments)
    exchange = await channel.declare_exchange(f"test.{queue.name}", auto_delete=True)
    await queue.bind(exchange, "key")
    return exchange, queue


def messages(*contents: bytes) -> list[OutgoingMessage]:
    return [OutgoingMessage("key", content, Basic.Properties(message_id=content[:8].decode())) for content in contents]


async def get_bodies(queue: AbstractQueue, count: int) -> list[bytes]:
    bodies = []
    for _ in range(count):
        message = await queue.get(no_ack=True)
        assert message is not None
        bodies.append(message.body)
    return bodies


async def test_batches_arrive_completely_and_in_order(channel: AbstractChannel) -> None:
    exchange, queue = await declare(channel)
    batches = [[b"%d-%d" % (batch, number) for number in range(50)] for batch in range(5)]
    async with asyncio.timeout(20):
        await asyncio.gather(*(publish_batch(exchange, messages(*batch)) for batch in batches))
    assert await get_bodies(queue, 250) == [content for batch in batches for content in batch]


async def test_message_larger_than_a_frame_arrives_completely(channel: AbstractChannel) -> None:
    exchange, queue = await declare(channel)
    large = b"0123456789" * 40_000
    async with asyncio.timeout(20):
        await publish_batch(exchange, messages(b"before", large, b"after"))
    assert await get_bodies(queue, 3) == [b"before", large, b"after"]


async def test_batch_fails_if_the_broker_refuses_one_message(channel: AbstractChannel) -> None:
    exchange, queue = await declare(channel, **{"x-max-length": 2, "x-overflow": "reject-publish"})
    async with asyncio.timeout(20):
        with pytest.raises(DeliveryError):
            await publish_batch(exchange, messages(b"one", b"two", b"three"))
        await queue.purge()
        await publish_batch(exchange, messages(b"four"))
    assert await get_bodies(queue, 1) == [b"four"]


async def test_batch_fails_when_its_channel_closes(channel: AbstractChannel) -> None:
    exchange = await channel.get_exchange("no-such-exchange", ensure=False)
    async with asyncio.timeout(20):
        with pytest.raises(ChannelNotFoundEntity):
            await publish_batch(exchange, messages(b"one", b"two"))


async def test_cancelled_batch_does_not_affect_the_next(channel: AbstractChannel) -> None:
    exchange, queue = await declare(channel)
    waiting = asyncio.create_task(publish_batch(exchange, messages(*(b"%d" % number for number in range(100)))))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(20):
        await publish_batch(exchange, messages(b"next"))
        single = await exchange.publish(aio_pika.Message(b"single"), "key")
    assert isinstance(single, Basic.Ack)
    assert (await get_bodies(queue, 102 if await _was_sent(queue) else 2))[-2:] == [b"next", b"single"]


async def _was_sent(queue: AbstractQueue) -> bool:
    """Whether the cancelled batch had been sent before its cancellation."""
    declared = await queue.channel.declare_queue(queue.name, passive=True)
    return (declared.declaration_result.message_count or 0) > 2
