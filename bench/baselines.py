"""Baselines measured with the plain client libraries, without any service of Parley.

Each runs in a driver process (`BenchmarkContext.run_in_subprocess`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from itertools import count, cycle
from typing import Any

import aio_pika
import orjson
from aio_pika.abc import AbstractConnection, AbstractExchange, DeliveryMode
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection

from bench.driver import LoadResult
from parley.chat.batching import BatchingQueue

Document = dict[str, Any]

_PAGE_SIZE = 51
"""What the services request: a page of fifty, and one more, which shows whether there is a next page."""


def durable_collection(client: AsyncMongoClient[Document], database: str, name: str) -> AsyncCollection[Document]:
    """Open a collection with the services' write concern: majority, journalled."""
    return client.get_database(database, write_concern=WriteConcern("majority", j=True))[name]


async def insert_documents(
    uri: str, database: str, document: Document, concurrency: int, seconds: float, first_id: int
) -> LoadResult:
    """Insert copies of a document one by one with this many in flight, each awaited."""
    ids = count(first_id)
    async with AsyncMongoClient[Document](uri, maxPoolSize=concurrency) as client:
        collection = durable_collection(client, database, "baseline")
        await asyncio.gather(*(collection.find_one({"_id": 0}) for _ in range(concurrency)))

        async def insert() -> None:
            await collection.insert_one({**document, "_id": next(ids)})

        return await run_repeatedly(insert, concurrency, seconds)


async def insert_in_batches(
    uri: str, database: str, document: Document, concurrency: int, seconds: float, first_id: int
) -> LoadResult:
    """Insert copies of a document with this many in flight: those that arrive during a write share the next one."""
    ids = count(first_id)
    async with AsyncMongoClient[Document](uri) as client:
        collection = durable_collection(client, database, "baseline")

        async def write(documents: Sequence[Document]) -> Sequence[None]:
            await collection.insert_many(documents, ordered=False)
            return [None] * len(documents)

        insert = BatchingQueue(write, max_batch_size=concurrency)
        return await run_repeatedly(lambda: insert({**document, "_id": next(ids)}), concurrency, seconds)


async def run_repeatedly(call: Callable[[], Any], concurrency: int, seconds: float) -> LoadResult:
    """Call a coroutine function again and again with this many in flight, for so long."""
    started = time.perf_counter()
    result = LoadResult(seconds)

    async def worker() -> None:
        now = time.perf_counter()
        # Once in any case: on a busy machine a quick run may be over before it begins.
        while not result.latencies or now < started + seconds:
            await call()
            before, now = now, time.perf_counter()
            result.latencies.append(now - before)

    await asyncio.gather(*(worker() for _ in range(concurrency)))
    result.seconds = time.perf_counter() - started
    return result


async def deliver_documents(
    uri: str, database: str, amqp_url: str, document: Document, rate: float | None, seconds: float
) -> LoadResult:
    """Insert a document, publish an event with confirm, write it to a socket and read it at the other end.

    `rate`: None for one at a time; else so many a second, with latencies counted from the scheduled time.
    """
    result = LoadResult(seconds)
    async with (
        AsyncMongoClient[Document](uri) as client,
        await aio_pika.connect(amqp_url) as connection,
        _LoopbackSocket.open() as loopback,
    ):
        collection = durable_collection(client, database, "baseline")
        exchange = await _declare_stream(connection)
        event = orjson.dumps({"type": "message.created", "data": {**document, "conversation": document}}, default=str)

        async def deliver(scheduled: float, number: int) -> None:
            await collection.insert_one({**document, "_id": f"{scheduled}-{number}"})
            await exchange.publish(aio_pika.Message(event, delivery_mode=DeliveryMode.PERSISTENT), "site.1.message")
            await loopback.send(b"event: message.created\nid: %d\ndata: %b\n\n" % (number, event), number)
            result.latencies.append(time.perf_counter() - scheduled)

        await deliver(time.perf_counter(), 0)
        result.latencies.clear()
        await _run_paced(deliver, rate, seconds)
    return result


async def _run_paced(
    deliver: Callable[[float, int], Coroutine[Any, Any, None]], rate: float | None, seconds: float
) -> None:
    started, number = time.perf_counter(), 0
    tasks: set[asyncio.Task[None]] = set()
    while (now := time.perf_counter()) < started + seconds:
        number += 1
        if rate is None:
            await deliver(now, number)
            continue
        scheduled = started + number / rate
        if scheduled > now:
            await asyncio.sleep(scheduled - now)
        task = asyncio.create_task(deliver(scheduled, number))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)


async def _declare_stream(connection: AbstractConnection) -> AbstractExchange:
    """Declare an exchange with a stream bound to it, as the services have."""
    channel = await connection.channel(publisher_confirms=True)
    exchange = await channel.declare_exchange("bench.baseline", aio_pika.ExchangeType.TOPIC, durable=True)
    queue = await channel.declare_queue("bench.baseline.log", durable=True, arguments={"x-queue-type": "stream"})
    await queue.bind(exchange, "#")
    return exchange


class _LoopbackSocket:
    """A TCP connection of a process to itself: what is written at one end is awaited at the other."""

    def __init__(self, writer: asyncio.StreamWriter, reader: asyncio.StreamReader) -> None:
        self._writer = writer
        self._pending: dict[int, asyncio.Future[None]] = {}
        self._reading = asyncio.create_task(self._read(reader))

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[_LoopbackSocket]:
        """Open the connection, and close it at the end of the context."""
        accepted: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(lambda _, writer: accepted.set_result(writer), "127.0.0.1", 0)
        reader, far = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        loopback = cls(await accepted, reader)
        try:
            yield loopback
        finally:
            loopback._reading.cancel()
            for writer in (loopback._writer, far):
                writer.close()
            server.close()

    async def send(self, frame: bytes, number: int) -> None:
        """Write a frame and wait until it has arrived."""
        arrived = self._pending[number] = asyncio.get_running_loop().create_future()
        self._writer.write(frame)
        await arrived

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            frame = await reader.readuntil(b"\n\n")
            self._pending.pop(int(frame.split(b"id: ", 1)[1].split(b"\n", 1)[0])).set_result(None)


async def find_pages(
    uri: str,
    database: str,
    collection: str,
    queries: Sequence[Document],
    sort: Sequence[tuple[str, int]],
    seconds: float,
) -> LoadResult:
    """Find the first page of each query in turn, one at a time."""
    remaining = cycle(queries)
    async with AsyncMongoClient[Document](uri) as client:
        opened = client[database][collection]

        async def find_page() -> None:
            await opened.find(next(remaining)).sort(list(sort)).limit(_PAGE_SIZE).to_list()

        await find_page()
        return await run_repeatedly(find_page, 1, seconds)
