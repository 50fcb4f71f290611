"""The private servers: acknowledged data survives a kill."""

import asyncio
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
        await server.start()
        await add(server.uri)
        await server.restart()
        assert await count(server.uri) == 2
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


@pytest.mark.parametrize("kind", ["quorum", "stream"])
async def test_rabbitmq_keeps_messages_after_a_kill_and_a_port_change(tmp_path: Path, kind: str) -> None:
    server = RabbitServer(tmp_path / "my data")
    await server.start()
    try:
        async with await aio_pika.connect(server.uri) as connection:
            channel = await connection.channel(publisher_confirms=True)
            await channel.declare_queue("q", durable=True, arguments={"x-queue-type": kind})
            await channel.default_exchange.publish(aio_pika.Message(b"kept", delivery_mode=2), "q")
            # A queue declared less than about a second before the kill is lost with it.
            await asyncio.sleep(2)
        await server.kill()
        assert not server.running
    finally:
        await server.stop()
    later = RabbitServer(tmp_path / "my data")
    await later.start()
    try:
        assert await first_message(later.uri, kind) == b"kept"
    finally:
        await later.stop()


async def first_message(uri: str, kind: str) -> bytes:
    """Read the first message of the queue; retries while its leader is not ready."""
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
                queue = await channel.get_queue("q", ensure=False)
                await queue.consume(on_message, arguments={"x-stream-offset": "first"} if kind == "stream" else None)
                return await asyncio.wait_for(arrived, 5)
            except (aio_pika.exceptions.ChannelNotFoundEntity, TimeoutError):
                await asyncio.sleep(0.2)
    raise AssertionError("the queue did not become available")


async def test_two_brokers_can_run_at_the_same_time(tmp_path: Path) -> None:
    one, two = RabbitServer(tmp_path / "one"), RabbitServer(tmp_path / "two")
    try:
        await asyncio.gather(one.start(), two.start())
        assert one.running
        assert two.running
        await one.kill()
        assert two.running
        async with await aio_pika.connect(two.uri):
            pass
    finally:
        await asyncio.gather(one.stop(), two.stop())
