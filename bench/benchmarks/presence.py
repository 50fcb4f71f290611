"""Benchmark `presence`: visitor heartbeats written per second, and the delay of visitors' offline events."""

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
from parley.common.messaging.topology import EVENTS_EXCHANGE
from parley.common.mongodb import Mongo, Outbox
from parley.presence.mongo_schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.presence.visitors.model import Heartbeat, PageInfo
from parley.presence.visitors.repository import COLLECTION, MongoVisitorRepository

_BATCH_SIZE = 1000
_EXPIRING_PER_SECOND = 600
"""Of a hundred thousand visitors who stay three minutes each, this many leave per second."""
_TENANT, _SITE = 990_001, 990_001
_SESSION = re.compile(rb'"sess_(\d{16}[0-9a-f]{16})"')


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Measure heartbeats, then expirations: spread out, and all within one second."""
    visitors = bench.size(100_000, 1_500)
    runs = await alternate(bench.rounds(), lambda: _measure_bulk_writes(bench), lambda: _measure_heartbeats(bench))
    beats = runs.metric("heartbeats", "1/s", Target("ratio", "at least", 0.5), note="of known visitors, batched")
    spread = await _measure_expirations(bench, visitors, bench.size(20, 2) * _EXPIRING_PER_SECOND, _EXPIRING_PER_SECOND)
    at_once = await _measure_expirations(bench, visitors, visitors, visitors)
    return [
        beats,
        build_metric(
            f"to offline, {_EXPIRING_PER_SECOND}/s of {visitors}",
            "s (last)",
            [spread],
            (),
            Target("value", "at most", 1.0),
            note="after expiry, to a subscriber on the broker",
        ),
        build_metric(
            f"to offline, all {visitors} in a second",
            "s (last)",
            [at_once],
            note=f"{visitors / (at_once.value + 1):.0f} events per second",
        ),
    ]


class _NoEvents:
    """Publisher that must not be called."""

    async def publish(self, documents: Sequence[Document]) -> None:
        raise AssertionError("a heartbeat of an online visitor publishes no event")


async def _measure_heartbeats(bench: BenchmarkContext) -> Round:
    measured = await bench.run_in_subprocess(
        write_heartbeats, bench.mongodb_uri, bench.database("presence"), bench.seconds(), bench.size(20_000, 2_000)
    )
    return Round(measured.result, driver_cpu=measured.cpu)


async def write_heartbeats(uri: str, database: str, seconds: float, visitors: int) -> float:
    """Return heartbeats per second, written as presence writes them: in batches of a thousand, of known visitors."""
    mongo = Mongo(uri, database, SCHEMA)
    await mongo.start()
    await mongo.schema_ready.wait()
    try:
        records = MongoVisitorRepository(mongo, Outbox(mongo, _NoEvents(), OUTBOX_COLLECTIONS))
        run_id = secrets.token_hex(4)
        batches = list(_batches([f"sess_{run_id}{number:024x}" for number in range(visitors)]))
        for batch in batches:
            await records.save_heartbeats(_heartbeats(batch, 0))
        started, written, second = time.perf_counter(), 0, 1
        while (now := time.perf_counter()) < started + seconds:
            await records.save_heartbeats(_heartbeats(batches[second % len(batches)], second))
            written += len(batches[second % len(batches)])
            second += 1
        return written / (now - started)
    finally:
        await mongo[COLLECTION].delete_many({"site_id": _SITE})
        await mongo.stop()


def _heartbeats(sessions: Sequence[str], second: int) -> list[Heartbeat]:
    at = datetime.now(UTC)
    until = at + timedelta(seconds=3600 + second)
    page = PageInfo("https://shop.test/products/1", "A product", None, "en")
    return [Heartbeat(_TENANT, _SITE, session, page, at, until) for session in sessions]


async def _measure_bulk_writes(bench: BenchmarkContext) -> Round:
    measured = await bench.run_in_subprocess(
        bulk_writes, bench.mongodb_uri, bench.database("presence"), bench.seconds(), bench.size(20_000, 2_000)
    )
    return Round(measured.result, driver_cpu=measured.cpu)


async def bulk_writes(uri: str, database: str, seconds: float, visitors: int) -> float:
    """Baseline: bulk writes of one indexed time, in batches of a thousand, with the database driver."""
    async with AsyncMongoClient[Document](uri) as client:
        collection = durable_collection(client, database, "baseline_visitors")
        await collection.drop()
        await collection.create_index("expires_at", partialFilterExpression={"online": True})
        now = datetime.now(UTC)
        keys = [f"{_SITE}:sess_{number:032x}" for number in range(visitors)]
        await collection.insert_many(_record(key, now) for key in keys)
        batches = list(_batches(keys))
        started, written, second = time.perf_counter(), 0, 1
        while (at := time.perf_counter()) < started + seconds:
            batch = batches[second % len(batches)]
            until = now + timedelta(seconds=3600 + second)
            await collection.bulk_write(
                [UpdateOne({"_id": key}, {"$set": {"expires_at": until}}) for key in batch], ordered=False
            )
            written += len(batch)
            second += 1
        await collection.drop()
        return written / (at - started)


async def _measure_expirations(bench: BenchmarkContext, visitors: int, expiring: int, per_second: int) -> Round:
    """Let `expiring` of the visitors expire, so many per second; return the delay of each offline event."""
    uri, database = bench.mongodb_uri, bench.database("presence")
    first = time.time() + bench.size(15, 4)
    await bench.run_in_subprocess(insert_visitors, uri, database, visitors, expiring, per_second, first)
    if time.time() > first:
        raise RuntimeError("seeding the visitors took too long")
    try:
        measured = await bench.run_in_subprocess(receive_offline_events, bench.amqp_url, expiring)
        return Round(max(measured.result), measured.result, measured.cpu)
    finally:
        await bench.run_in_subprocess(delete_visitors, uri, database)


def _due(number: int, per_second: int, first: float) -> int:
    """Return when a visitor expires, in milliseconds since 1970: spread evenly."""
    return round(1000 * (first + number / per_second))


async def insert_visitors(uri: str, database: str, visitors: int, expiring: int, per_second: int, first: float) -> None:
    """Insert online visitors into presence's collection. The session id contains the time of expiry."""
    async with AsyncMongoClient[Document](uri) as client:
        collection = client[database][COLLECTION]
        now = datetime.now(UTC)
        for numbers in _batches(range(visitors)):
            records = []
            for number in numbers:
                due = _due(number, per_second, first) if number < expiring else round(1000 * (first + 3600))
                key = f"{_SITE}:sess_{due:016d}{number:016x}"
                records.append(_record(key, datetime.fromtimestamp(due / 1000, UTC), now))
            await collection.insert_many(records, ordered=False)


async def delete_visitors(uri: str, database: str) -> None:
    """Delete the inserted visitors."""
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


async def receive_offline_events(amqp_url: str, expected: int) -> list[float]:
    """Return the delay of each offline event in seconds. Raises TimeoutError unless all are received."""
    delays: dict[bytes, float] = {}
    complete = asyncio.Event()
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        # Everything, as the log does: events of one batch share a message whose routing key names no site.
        await queue.bind(EVENTS_EXCHANGE, "#")

        async def on_message(message: AbstractIncomingMessage) -> None:
            now = time.time()
            for session in _SESSION.findall(message.body):
                # Delivery is at least once: the first one counts.
                delays.setdefault(session, now - int(session[:16]) / 1000)
            if len(delays) == expected:
                complete.set()

        await queue.consume(on_message, no_ack=True)
        async with asyncio.timeout(180):
            await complete.wait()
    return list(delays.values())


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _BATCH_SIZE):
        yield items[start : start + _BATCH_SIZE]


BENCHMARK = Benchmark(
    "presence",
    "visitor heartbeats written per second; seconds from a visitor's expiry to `offline`.",
    "bulk writes of one indexed field with the database driver.",
    run,
)
