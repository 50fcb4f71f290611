"""RPC over the broker: replies, a service that is not there, and replicas of the previous version."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any
from uuid import uuid4

import aio_pika
import orjson
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity
from yarl import URL

from parley.common.errors import Unavailable
from parley.common.messaging import BrokerConnection, RpcClient, RpcServer
from parley.common.messaging.broker import ChannelSession
from parley.common.runtime.tasks import cancel_and_wait
from support.tcp_proxy import TcpProxy
from support.wait import wait_until

Connect = Callable[[ChannelSession], Awaitable[BrokerConnection]]


@pytest.fixture
async def connect(amqp_url: str) -> AsyncIterator[Connect]:
    """Run a session on a connection of its own."""
    async with AsyncExitStack() as stack:

        async def connect(session: ChannelSession) -> BrokerConnection:
            broker = BrokerConnection(amqp_url)
            broker.add(session)
            await broker.start()
            stack.push_async_callback(broker.stop)
            await wait_until(lambda: broker.unready_reason() is None, description="the session runs")
            return broker

        yield connect


async def double(body: dict[str, Any]) -> dict[str, Any]:
    return {"result": body["number"] * 2}


async def test_a_request_is_answered_through_a_replicated_queue(connect: Connect, amqp_url: str) -> None:
    service = f"test{uuid4().hex[:8]}"
    await connect(RpcServer(service, {"double": double}))
    client = RpcClient(service)
    await connect(client)
    assert await client("double", number=21) == {"result": 42}
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        # Declaring it with other arguments would fail.
        arguments: dict[str, Any] = {"x-queue-type": "quorum", "x-expires": 60_000}
        await channel.declare_queue(f"parley.rpc.{service}", durable=True, arguments=arguments)


async def test_a_burst_is_bounded_and_what_its_callers_gave_up_is_dropped(connect: Connect, amqp_url: str) -> None:
    service, capacity = f"test{uuid4().hex[:8]}", 4
    started: list[int] = []
    proceed = asyncio.Event()

    async def wait(body: dict[str, Any]) -> dict[str, Any]:
        started.append(body["number"])
        await proceed.wait()
        return body

    await connect(RpcServer(service, {"wait": wait, "double": double}, max_concurrency=capacity))
    client = RpcClient(service)
    await connect(client)
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        for number in range(3 * capacity):
            # Those that are served wait on; the others expire in the queue.
            expiration = 60 if number < capacity else 0.05
            request = orjson.dumps({"name": "wait", "body": {"number": number}})
            message = aio_pika.Message(request, expiration=expiration)
            await channel.default_exchange.publish(message, f"parley.rpc.{service}")
        await wait_until(partial(_is_empty, amqp_url, service), description="the broker drops what has expired")
        proceed.set()
        assert await client("double", number=21) == {"result": 42}
    assert sorted(started) == list(range(capacity))


async def test_a_request_ends_when_its_caller_has_given_up(connect: Connect, amqp_url: str) -> None:
    """It would hold its place among the concurrent requests for as long as it takes."""
    service = f"test{uuid4().hex[:8]}"
    ended = asyncio.Event()

    async def hang(_: dict[str, Any]) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    await connect(RpcServer(service, {"hang": hang, "double": double}, max_concurrency=1))
    client = RpcClient(service)
    await connect(client)
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        request = orjson.dumps({"name": "hang", "body": {}})
        for body in (b"not a request", request):
            message = aio_pika.Message(body, expiration=0.2)
            await channel.default_exchange.publish(message, f"parley.rpc.{service}")
        async with asyncio.timeout(5):
            await ended.wait()
    assert await client("double", number=21) == {"result": 42}


async def test_a_connection_that_ends_makes_the_service_unavailable(connect: Connect, amqp_url: str) -> None:
    """T4: also to requests that use the channel while it is being closed."""
    service = f"test{uuid4().hex[:8]}"
    await connect(RpcServer(service, {"double": double}))
    server = URL(amqp_url)
    proxy = TcpProxy(server.host or "", server.port or 5672)
    await proxy.start()
    client, broker = RpcClient(service), BrokerConnection(str(server.with_host("127.0.0.1").with_port(proxy.port)))
    broker.add(client)
    await broker.start()
    await wait_until(lambda: broker.unready_reason() is None, description="the session runs")
    failures: list[Exception] = []

    async def call_until_it_fails() -> None:
        try:
            while True:
                await client("double", number=21)
        except Exception as exc:
            failures.append(exc)

    callers = [asyncio.create_task(call_until_it_fails()) for _ in range(50)]
    await client("double", number=21)
    proxy.disconnect()
    # The others wait for replies that do not come any more.
    await wait_until(lambda: len(failures) >= 5)
    await cancel_and_wait(*callers)
    await broker.stop()
    await proxy.stop()
    assert {type(one) for one in failures} == {Unavailable}, failures


async def test_a_service_that_is_not_there_is_unavailable_at_once(connect: Connect) -> None:
    client = RpcClient(f"test{uuid4().hex[:8]}")
    await connect(client)
    started = time.monotonic()
    with pytest.raises(Unavailable):
        await client("double", number=21)
    assert time.monotonic() - started < 1


async def test_a_client_of_the_previous_version_is_answered(connect: Connect, amqp_url: str) -> None:
    """It sends to the classic queue, which is all that it knows."""
    service = f"test{uuid4().hex[:8]}"
    await connect(RpcServer(service, {"double": double}, previous_retry_seconds=0.1))
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        assert await _ask_as_previous_version(channel, service) == {"found": {"result": 42}}
        # As when the queue's node is lost.
        await (await channel.get_queue(f"parley.ask.{service}")).delete(if_unused=False)
        assert await _ask_as_previous_version(channel, service) == {"found": {"result": 42}}


async def test_the_queue_of_the_previous_version_is_deleted_when_nobody_asks_there(
    connect: Connect, amqp_url: str
) -> None:
    service = f"test{uuid4().hex[:8]}"
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(f"parley.ask.{service}", durable=True)
        tag = await queue.consume(asyncio.Queue[Any]().put, no_ack=True)
        await connect(RpcServer(service, {"double": double}, previous_idle_seconds=0.2))
        # A server of the previous version still needs it: only this one leaves.
        await wait_until(partial(_has_consumers, amqp_url, service, 1), description="the new server leaves the queue")
        await queue.cancel(tag)
        await connect(RpcServer(service, {"double": double}, previous_idle_seconds=0.2))
        await wait_until(partial(_has_consumers, amqp_url, service, None), description="the queue is deleted")


async def _is_empty(amqp_url: str, service: str) -> bool:
    """Whether no request waits in the queue, besides those that are being served."""
    async with await aio_pika.connect(amqp_url) as connection:
        queue = await (await connection.channel()).declare_queue(f"parley.rpc.{service}", passive=True)
        return not queue.declaration_result.message_count


async def _has_consumers(amqp_url: str, service: str, count: int | None) -> bool:
    """Whether the queue of the previous version has so many consumers; with None, whether there is no such queue."""
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        try:
            queue = await channel.declare_queue(f"parley.ask.{service}", passive=True)
        except ChannelNotFoundEntity:
            return count is None
        return queue.declaration_result.consumer_count == count


async def _ask_as_previous_version(channel: AbstractChannel, service: str) -> Any:
    """Ask until the queue is served, and return the reply."""
    replies = await channel.declare_queue(exclusive=True)
    request = orjson.dumps({"name": "double", "body": {"number": 21}})
    message = aio_pika.Message(request, correlation_id="1", reply_to=replies.name)

    async def ask() -> AbstractIncomingMessage | None:
        await channel.default_exchange.publish(message, f"parley.ask.{service}")
        return await replies.get(fail=False, no_ack=True)

    return orjson.loads((await wait_until(ask)).body)


async def test_a_server_of_the_previous_version_is_asked(connect: Connect, amqp_url: str) -> None:
    """It serves the classic queue only; the new queue does not exist."""
    service = f"test{uuid4().hex[:8]}"
    client = RpcClient(service)
    await connect(client)
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(f"parley.ask.{service}", durable=True)

        async def serve(message: AbstractIncomingMessage) -> None:
            reply = aio_pika.Message(orjson.dumps({"found": {"result": 42}}), correlation_id=message.correlation_id)
            await channel.default_exchange.publish(reply, message.reply_to or "")

        await queue.consume(serve, no_ack=True)
        assert await client("double", number=21) == {"result": 42}
        await queue.delete(if_unused=False, if_empty=False)
