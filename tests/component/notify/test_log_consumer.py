"""Reading the event log from RabbitMQ: acknowledgements, batches of events, and their order."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aio_pika
import orjson
import pytest

from parley.common.events import Event, new_event
from parley.common.events.presence import OnlineVisitor, VisitorOnline
from parley.common.events.team import SiteChanged
from parley.common.log_partitions import DEFAULT_PARTITIONS, get_partition
from parley.common.messaging import BrokerConnection, Consumer, topology
from parley.common.runtime.clock import utc_now
from parley.notify.streaming.log_consumer import LogConsumer, LogRecord
from parley.notify.streaming.positions import Partition, first_position, last_position, to_offset
from support.wait import wait_until

PARTITION = Partition(get_partition(1, DEFAULT_PARTITIONS), DEFAULT_PARTITIONS)
"""Of the tenant of all events here."""


@pytest.mark.parametrize("events", [100, 500, 1_230])
async def test_acknowledgements_never_restart_the_consumer(amqp_url: str, events: int) -> None:
    broker, starts, seen = BrokerConnection(amqp_url), 0, list[int]()

    def start_at() -> int:
        nonlocal starts
        starts += 1
        return 0

    async def on_record(record: LogRecord) -> None:
        seen.append(record.offset)

    broker.add(LogConsumer("test-log", PARTITION, start_at, on_record))
    await broker.start()
    try:
        await wait_until(lambda: broker.unready_reason() is None)
        documents = [new_event(SiteChanged(), tenant_id=1, site_id=1).to_document() for _ in range(events)]
        for _ in range(2):
            before = len(seen)
            for first in range(0, events, 50):
                await broker.publish(documents[first : first + 50])
            await wait_until(lambda before=before: len(seen) >= before + events)  # type: ignore[misc]
            # A restart would follow the acknowledgement: wait for two acknowledgement intervals.
            await asyncio.sleep(1.2)
        assert starts == 1
        assert seen == sorted(set(seen)), "each once, in order"
    finally:
        await broker.stop()


@asynccontextmanager
async def consume_log(
    amqp_url: str, *sessions: Consumer
) -> AsyncIterator[tuple[BrokerConnection, int, list[LogRecord]]]:
    """Yield a broker connection, a site of its own, and the list to which the log's records about it are added."""
    site, records, started_at = secrets.randbelow(10**9) + 1, list[LogRecord](), datetime.now(UTC)

    async def on_record(record: LogRecord) -> None:
        if any(event is not None and event.site_id == site for event in record.events):
            records.append(record)

    broker = BrokerConnection(amqp_url)
    broker.add(LogConsumer("test-log", PARTITION, lambda: started_at, on_record))
    for session in sessions:
        broker.add(session)
    await broker.start()
    try:
        await wait_until(lambda: broker.unready_reason() is None)
        yield broker, site, records
    finally:
        await broker.stop()


async def test_stream_only_neighbours_share_a_record_and_keep_their_order(amqp_url: str) -> None:
    """An event that a queue may receive has a record of its own, in its place between its neighbours."""
    queued: list[str] = []

    async def handle(event: Event) -> None:
        queued.append(event.id)

    consumer = Consumer(
        "tests",
        f"batched-{secrets.token_hex(4)}",
        {"visitor.online": handle, "site.changed": handle},
        binding_patterns={"visitor.online": "visitor.online.#.wanted.#"},
    )
    async with consume_log(amqp_url, consumer) as (broker, site, records):
        kinds = "vvvsvvwvvv"
        published = [_event(kind, site) for kind in kinds] + [_event("v", site) for _ in range(100)]
        await broker.publish([event.to_document() for event in published])
        await wait_until(lambda: sum(len(record.events) for record in records) == len(published))
        seen = [event for record in records for event in record.events if event is not None]
        assert [event.id for event in seen] == [event.id for event in published]
        assert [len(record.events) for record in records] == [3, 1, 2, 1, 64, 39]
        positions = [position for record in records for position, _ in record.with_positions()]
        assert positions == sorted(set(positions))
        for record in records:
            assert {to_offset(position) for position, _ in record.with_positions()} == {record.offset}
            assert first_position(record.offset) <= min(position for position, _ in record.with_positions())
            assert max(position for position, _ in record.with_positions()) == record.position
            assert record.position == last_position(record.offset) == first_position(record.offset + 1) - 1
        wanted = [event.id for kind, event in zip(kinds, published, strict=False) if kind in "sw"]
        await wait_until(lambda: wanted == [number for number in queued if number in wanted])


async def test_record_size_is_limited(amqp_url: str) -> None:
    async with consume_log(amqp_url) as (broker, site, records):
        await broker.publish(
            [_event("v", site, "x" * size).to_document() for size in (20_000,) * 5 + (100_000, 10, 10)]
        )
        await wait_until(lambda: sum(len(record.events) for record in records) == 8)
        assert [len(record.events) for record in records] == [3, 2, 1, 2]


async def test_unknown_events_keep_their_place_among_their_neighbours(amqp_url: str) -> None:
    async with consume_log(amqp_url) as (_, site, records):
        first, last = _event("v", site), _event("v", site)
        documents = [first.to_document(), {"type": "visitor.invented"}, "no event", last.to_document()]
        connection = await aio_pika.connect(amqp_url)
        async with connection:
            exchange = await (await connection.channel()).get_exchange(topology.EVENTS_EXCHANGE, ensure=False)
            for body in (b"no json", orjson.dumps(documents)):
                await exchange.publish(aio_pika.Message(body), "bundle")
        await wait_until(lambda: bool(records))
        assert [(event and event.id) for event in records[0].events] == [first.id, None, None, last.id]


def _event(kind: str, site: int, page: str | None = None) -> Event:
    """Make an event: `v` is stream_only, `w` the same with a queue's routing tag, `s` a type that queues receive."""
    if kind == "s":
        return new_event(SiteChanged(), tenant_id=1, site_id=site)
    visitor = OnlineVisitor(site_id=site, session_id="sess_1", since=utc_now(), page=page)
    return new_event(
        VisitorOnline(visitor=visitor), tenant_id=1, site_id=site, routing_tag="wanted" if kind == "w" else None
    )
