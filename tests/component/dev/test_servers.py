"""The private servers: acknowledged data survives a kill, and servers do not affect each other."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aio_pika
import aio_pika.abc
import aio_pika.exceptions
import pytest
from pymongo import AsyncMongoClient

from parley_dev.ports import free_port
from parley_dev.servers import MongoServer, RabbitServer

pytestmark = pytest.mark.timeout(180)

QUEUE_TYPES = ("quorum", "stream")


async def count(uri: str) -> int:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri)
    async with client:
        return await client.test.things.count_documents({})


async def add(uri: str) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri)
    async with client, client.start_session() as session, await session.start_transaction():
        await client.test.things.insert_one({}, session=session)


async def test_mongodb_has_transactions_and_keeps_data_after_a_kill_and_a_port_change(tmp_path: Path) -> None:
    server = MongoServer(tmp_path / "my data")
    await server.start()
    try:
        await add(server.uri)
        await server.kill()
        assert not server.running
        await server.restart()
        await add(server.uri)
    finally:
        await server.stop()
    later = MongoServer(tmp_path / "my data", free_port())
    assert later.port != server.port
    await later.start()
    try:
        await add(later.uri)
        assert await count(later.uri) == 3
    finally:
        await later.stop()


@pytest.fixture(scope="module")
async def moved_broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RabbitServer]:
    """A broker that was killed with a message in a queue of each type, and started again on another port."""
    directory = tmp_path_factory.mktemp("rabbitmq") / "my data"
    server = RabbitServer(directory)
    await server.start()
    try:
        async with await aio_pika.connect(server.uri) as connection:
            channel = await connection.channel(publisher_confirms=True)
            for queue_type in QUEUE_TYPES:
                await channel.declare_queue(queue_type, durable=True, arguments={"x-queue-type": queue_type})
                message = aio_pika.Message(b"durable", delivery_mode=2)
                await channel.default_exchange.publish(message, queue_type)
            # A queue declared less than about a second before the kill is lost with it.
            await asyncio.sleep(2)
        await server.kill()
        assert not server.running
    finally:
        await server.stop()
    later = RabbitServer(directory)
    assert later.port != server.port
    await later.start()
    yield later
    await later.stop()


@pytest.mark.parametrize("queue_type", QUEUE_TYPES)
async def test_rabbitmq_keeps_messages_after_a_kill_and_a_port_change(
    moved_broker: RabbitServer, queue_type: str
) -> None:
    assert await first_message(moved_broker.uri, queue_type) == b"durable"


async def first_message(uri: str, queue_type: str) -> bytes:
    """Read the first message of the queue; retries while it has no leader, or a stream no member on the node."""
    for _ in range(50):
        async with await aio_pika.connect(uri) as connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=1)
            arrived: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

            async def on_message(
                message: aio_pika.abc.AbstractIncomingMessage, to: asyncio.Future[bytes] = arrived
            ) -> None:
                await message.ack()
                if not to.done():
                    to.set_result(message.body)

            try:
                queue = await channel.get_queue(queue_type, ensure=False)
                await queue.consume(
                    on_message, arguments={"x-stream-offset": "first"} if queue_type == "stream" else None
                )
                return await asyncio.wait_for(arrived, 5)
            except (
                aio_pika.exceptions.ChannelNotFoundEntity,
                aio_pika.exceptions.ChannelPreconditionFailed,
                TimeoutError,
            ):
                await asyncio.sleep(0.2)
    raise AssertionError("the queue did not become available")


async def test_two_brokers_can_run_at_the_same_time(moved_broker: RabbitServer, amqp_url: str) -> None:
    """The second one is the broker that all tests share."""
    for url in (moved_broker.uri, amqp_url):
        async with await aio_pika.connect(url):
            pass
    await moved_broker.kill()
    assert not moved_broker.running
    async with await aio_pika.connect(amqp_url):
        pass
