"""What the limit of the machine is, measured with the bare client libraries: no service of ours takes part.

Each of these runs in a driver's process (`Bench.elsewhere`).
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

Document = dict[str, Any]

_PAGE = 51
"""What the services ask for: a page of fifty, and one more that tells whether there is a next."""


def durable_collection(client: AsyncMongoClient[Document], database: str, name: str) -> AsyncCollection[Document]:
    """A collection with the services' own write concern: most members, journalled."""
    return client.get_database(database, write_concern=WriteConcern("majority", j=True))[name]


async def insert_documents(
    uri: str, database: str, document: Document, at_once: int, seconds: float, first_id: int
) -> LoadResult:
    """Insert such documents one by one, so many at once, each waited for."""
    ids = count(first_id)
    async with AsyncMongoClient[Document](uri, maxPoolSize=at_once) as client:
        collection = durable_collection(client, database, "floor")
        await asyncio.gather(*(collection.find_one({"_id": 0}) for _ in range(at_once)))

        async def insert() -> None:
            await collection.insert_one({**document, "_id": next(ids)})

        return await run_repeatedly(insert, at_once, seconds)


async def run_repeatedly(once: Callable[[], Any], at_once: int, seconds: float) -> LoadResult:
    """Do something again and again, so many at once, for so long."""
    began = time.perf_counter()
    driven = LoadResult(seconds)

    async def lane() -> None:
        while (now := time.perf_counter()) < began + seconds:
            await once()
            driven.latencies.append(time.perf_counter() - now)

    await asyncio.gather(*(lane() for _ in range(at_once)))
    driven.seconds = time.perf_counter() - began
    return driven


async def deliver_documents(
    uri: str, database: str, amqp_url: str, document: Document, rate: float | None, seconds: float
) -> LoadResult:
    """Insert a document, publish an event with confirm, write it to a socket and see it come out at the other end.

    One at a time, or so many a second, each then counted from when it was due.
    """
    driven = LoadResult(seconds)
    async with (
        AsyncMongoClient[Document](uri) as client,
        await aio_pika.connect(amqp_url) as connection,
        _Loop.opened() as loop,
    ):
        collection = durable_collection(client, database, "floor")
        exchange = await _log_of(connection)
        event = orjson.dumps({"type": "message.created", "data": {**document, "conversation": document}}, default=str)

        async def deliver(when: float, number: int) -> None:
            await collection.insert_one({**document, "_id": f"{when}-{number}"})
            await exchange.publish(aio_pika.Message(event, delivery_mode=DeliveryMode.PERSISTENT), "site.1.message")
            await loop.through(b"event: message.created\nid: %d\ndata: %b\n\n" % (number, event), number)
            driven.latencies.append(time.perf_counter() - when)

        await deliver(time.perf_counter(), 0)
        driven.latencies.clear()
        await _paced(deliver, rate, seconds)
    return driven


async def _paced(
    deliver: Callable[[float, int], Coroutine[Any, Any, None]], rate: float | None, seconds: float
) -> None:
    began, number = time.perf_counter(), 0
    tasks: set[asyncio.Task[None]] = set()
    while (now := time.perf_counter()) < began + seconds:
        number += 1
        if rate is None:
            await deliver(now, number)
            continue
        when = began + number / rate
        if when > now:
            await asyncio.sleep(when - now)
        task = asyncio.create_task(deliver(when, number))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)


async def _log_of(connection: AbstractConnection) -> AbstractExchange:
    """An exchange with a log behind it, as the services' own has."""
    channel = await connection.channel(publisher_confirms=True)
    exchange = await channel.declare_exchange("bench.floor", aio_pika.ExchangeType.TOPIC, durable=True)
    queue = await channel.declare_queue("bench.floor.log", durable=True, arguments={"x-queue-type": "stream"})
    await queue.bind(exchange, "#")
    return exchange


class _Loop:
    """A socket to oneself: what is written at one end is awaited at the other."""

    def __init__(self, writer: asyncio.StreamWriter, reader: asyncio.StreamReader) -> None:
        self._writer = writer
        self._coming: dict[int, asyncio.Future[None]] = {}
        self._reading = asyncio.create_task(self._read(reader))

    @classmethod
    @asynccontextmanager
    async def opened(cls) -> AsyncIterator[_Loop]:
        """Open it for a while."""
        accepted: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(lambda _, writer: accepted.set_result(writer), "127.0.0.1", 0)
        reader, far = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        loop = cls(await accepted, reader)
        try:
            yield loop
        finally:
            loop._reading.cancel()
            for writer in (loop._writer, far):
                writer.close()
            server.close()

    async def through(self, frame: bytes, number: int) -> None:
        """Write a frame and wait until it came out."""
        coming = self._coming[number] = asyncio.get_running_loop().create_future()
        self._writer.write(frame)
        await coming

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            frame = await reader.readuntil(b"\n\n")
            self._coming.pop(int(frame.split(b"id: ", 1)[1].split(b"\n", 1)[0])).set_result(None)


async def find_pages(
    uri: str,
    database: str,
    collection: str,
    queries: Sequence[Document],
    sort: Sequence[tuple[str, int]],
    seconds: float,
) -> LoadResult:
    """Find a first page by each query in turn, one at a time."""
    turn = cycle(queries)
    async with AsyncMongoClient[Document](uri) as client:
        found = client[database][collection]

        async def page() -> None:
            await found.find(next(turn)).sort(list(sort)).limit(_PAGE).to_list()

        await page()
        return await run_repeatedly(page, 1, seconds)
