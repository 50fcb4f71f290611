"""Benchmark `presence`: visitor heartbeats written per second, and how soon after its time a visitor's end is announced."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from pymongo import AsyncMongoClient, UpdateOne

from bench.baselines import Document, durable_collection
from bench.harness import BenchmarkContext
from bench.measurement import Benchmark, Metric, Round, Target, alternate, build_metric
from parley.common.messaging.topology import EVENTS
from parley.common.mongodb import Mongo, Outbox
from parley.presence.model import Beat, Place
from parley.presence.mongo_schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.presence.visitors.repository import COLLECTION, MongoVisitors

_TOGETHER = 1000
_DYING_EACH_SECOND = 600
"""Of a hundred thousand who stay three minutes each, as many leave in a second."""
_TENANT, _SITE = 990_001, 990_001
_SESSION = re.compile(rb'"sess_(\d{16}[0-9a-f]{16})"')


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Heartbeats, then deaths: spread, and all in one second."""
    visitors = bench.size(100_000, 5_000)
    turns = await alternate(bench.rounds(), lambda: _bulk(bench), lambda: _beats(bench))
    beats = turns.metric("heartbeats", "1/s", Target("ratio", "at least", 0.5), note="of known visitors, gathered")
    spread = await _deaths(bench, visitors, bench.size(20, 2) * _DYING_EACH_SECOND, _DYING_EACH_SECOND)
    at_once = await _deaths(bench, visitors, visitors, visitors)
    return [
        beats,
        build_metric(
            f"to offline, {_DYING_EACH_SECOND}/s of {visitors}",
            "s (last)",
            [spread],
            (),
            Target("value", "at most", 1.0),
            note="after its time, to a listener on the broker",
        ),
        build_metric(
            f"to offline, all {visitors} in a second",
            "s (last)",
            [at_once],
            note=f"{visitors / (at_once.value + 1):.0f} announced a second",
        ),
    ]


class _Nobody:
    """Where events go when there are none."""

    async def publish(self, documents: Sequence[Document]) -> None:
        raise AssertionError("a heartbeat of somebody who stays has nothing to tell")


async def _beats(bench: BenchmarkContext) -> Round:
    ran = await bench.run_in_subprocess(
        write_beats, bench.mongo.uri, bench.database("presence"), bench.seconds(), bench.size(20_000, 2_000)
    )
    return Round(ran.result, driver_cpu=ran.cpu)


async def write_beats(uri: str, database: str, seconds: float, visitors: int) -> float:
    """Heartbeats a second, written as presence writes them: gathered, a thousand together, of visitors it knows."""
    mongo = Mongo(uri, database, SCHEMA)
    await mongo.start()
    await mongo.prepared.wait()
    try:
        records = MongoVisitors(mongo, Outbox(mongo, _Nobody(), OUTBOX_COLLECTIONS))
        mark = secrets.token_hex(4)
        batches = list(_batches([f"sess_{mark}{number:024x}" for number in range(visitors)]))
        for batch in batches:
            await records.beat(_made(batch, 0))
        began, written, second = time.perf_counter(), 0, 1
        while (now := time.perf_counter()) < began + seconds:
            await records.beat(_made(batches[second % len(batches)], second))
            written += len(batches[second % len(batches)])
            second += 1
        return written / (now - began)
    finally:
        await mongo[COLLECTION].delete_many({"site_id": _SITE})
        await mongo.stop()


def _made(sessions: Sequence[str], second: int) -> list[Beat]:
    at = datetime.now(UTC)
    until = at + timedelta(seconds=3600 + second)
    place = Place("https://shop.test/products/1", "A product", None, "en")
    return [Beat(_TENANT, _SITE, session, place, at, until) for session in sessions]


async def _bulk(bench: BenchmarkContext) -> Round:
    ran = await bench.run_in_subprocess(
        bulk_writes, bench.mongo.uri, bench.database("presence"), bench.seconds(), bench.size(20_000, 2_000)
    )
    return Round(ran.result, driver_cpu=ran.cpu)


async def bulk_writes(uri: str, database: str, seconds: float, visitors: int) -> float:
    """The floor: bulk writes that move one indexed time on, a thousand together, straight with the driver."""
    async with AsyncMongoClient[Document](uri) as client:
        collection = durable_collection(client, database, "floor_visitors")
        await collection.drop()
        await collection.create_index("expires_at", partialFilterExpression={"online": True})
        now = datetime.now(UTC)
        keys = [f"{_SITE}:sess_{number:032x}" for number in range(visitors)]
        await collection.insert_many(_record(key, now) for key in keys)
        batches = list(_batches(keys))
        began, written, second = time.perf_counter(), 0, 1
        while (at := time.perf_counter()) < began + seconds:
            batch = batches[second % len(batches)]
            until = now + timedelta(seconds=3600 + second)
            await collection.bulk_write(
                [UpdateOne({"_id": key}, {"$set": {"expires_at": until}}) for key in batch], ordered=False
            )
            written += len(batch)
            second += 1
        await collection.drop()
        return written / (at - began)


async def _deaths(bench: BenchmarkContext, visitors: int, dying: int, each_second: int) -> Round:
    """`dying` of so many visitors come to the end of their time, so many a second: how long after it each is told."""
    uri, database = bench.mongo.uri, bench.database("presence")
    first = time.time() + bench.size(15, 4)
    await bench.run_in_subprocess(place, uri, database, visitors, dying, each_second, first)
    if time.time() > first:
        raise RuntimeError("the visitors were not there in time")
    try:
        ran = await bench.run_in_subprocess(hear, bench.rabbit.uri, dying)
        return Round(max(ran.result), ran.result, ran.cpu)
    finally:
        await bench.run_in_subprocess(forget, uri, database)


def _due(number: int, each_second: int, first: float) -> int:
    """When one's time is over, in milliseconds since 1970: evenly over the seconds."""
    return round(1000 * (first + number / each_second))


async def place(uri: str, database: str, visitors: int, dying: int, each_second: int, first: float) -> None:
    """Put visitors who are online into presence's records. A session's name tells when its time is over."""
    async with AsyncMongoClient[Document](uri) as client:
        collection = client[database][COLLECTION]
        now = datetime.now(UTC)
        for numbers in _batches(range(visitors)):
            records = []
            for number in numbers:
                due = _due(number, each_second, first) if number < dying else round(1000 * (first + 3600))
                key = f"{_SITE}:sess_{due:016d}{number:016x}"
                records.append(_record(key, datetime.fromtimestamp(due / 1000, UTC), now))
            await collection.insert_many(records, ordered=False)


async def forget(uri: str, database: str) -> None:
    """Take them away again."""
    async with AsyncMongoClient[Document](uri) as client:
        await client[database][COLLECTION].delete_many({"site_id": _SITE})


def _record(key: str, until: datetime, since: datetime | None = None) -> Document:
    since = since or until
    return {
        "_id": key,
        "tenant_id": _TENANT,
        "site_id": _SITE,
        "session": key.partition(":")[2],
        "page": "https://shop.test/products/1",
        "title": "A product",
        "referrer": None,
        "language": "en",
        "seen": "0" * 18,
        "online": True,
        "since": since,
        "expires_at": until,
        "changed_at": since,
        "outbox": [],
    }


async def hear(amqp_url: str, expected: int) -> list[float]:
    """Seconds after its time at which each end came from the broker; all of them, or it raises."""
    heard: dict[bytes, float] = {}
    every = asyncio.Event()
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        # All there is, as the log takes it: those that end together share a message, which has no site in its key.
        await queue.bind(EVENTS, "#")

        async def take(message: AbstractIncomingMessage) -> None:
            now = time.time()
            for session in _SESSION.findall(message.body):
                # Events come at least once: the first time counts.
                heard.setdefault(session, now - int(session[:16]) / 1000)
            if len(heard) == expected:
                every.set()

        await queue.consume(take, no_ack=True)
        async with asyncio.timeout(180):
            await every.wait()
    return list(heard.values())


def _batches(all_of_them: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(all_of_them), _TOGETHER):
        yield all_of_them[start : start + _TOGETHER]


BENCHMARK = Benchmark(
    "presence",
    "visitor heartbeats written per second; seconds from the end of a visitor's time to `offline`.",
    "bulk writes of one indexed field straight with the driver.",
    run,
)
