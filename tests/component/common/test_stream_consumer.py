"""Following the log on the real RabbitMQ: one connection is enough, and what came together comes in its order."""

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
from parley.common.messaging import (
    BrokerConnection,
    Consumer,
    StreamConsumer,
    StreamRecord,
    first_position,
    last_position,
    to_offset,
    topology,
)
from parley.common.runtime.clock import utc_now
from support.wait import wait_until


@pytest.mark.parametrize("events", [100, 500, 1_230])
async def test_a_follower_is_never_begun_anew_by_what_it_acknowledges(amqp_url: str, events: int) -> None:
    bus, starts, seen = BrokerConnection(amqp_url), 0, list[int]()

    def start_at() -> int:
        nonlocal starts
        starts += 1
        return 0

    async def take(record: StreamRecord) -> None:
        seen.append(record.offset)

    bus.add(StreamConsumer("followed", start_at, take))
    await bus.start()
    try:
        await wait_until(lambda: bus.unready_reason() is None)
        documents = [new_event(SiteChanged(), tenant_id=1, site_id=1).to_document() for _ in range(events)]
        for _ in range(2):
            before = len(seen)
            for first in range(0, events, 50):
                await bus.publish(documents[first : first + 50])
            await wait_until(lambda before=before: len(seen) >= before + events)  # type: ignore[misc]
            # What must not happen needs a while to happen in: two of the times after which the last are acknowledged.
            await asyncio.sleep(1.2)
        assert starts == 1
        assert seen == list(range(seen[0], seen[0] + len(seen))), "each once, in order"
    finally:
        await bus.stop()


@asynccontextmanager
async def following(
    amqp_url: str, *sessions: Consumer
) -> AsyncIterator[tuple[BrokerConnection, int, list[StreamRecord]]]:
    """A bus, a site of the test's own, and the log's records about it as they come."""
    site, records, began = secrets.randbelow(10**9) + 1, list[StreamRecord](), datetime.now(UTC)

    async def take(record: StreamRecord) -> None:
        if any(event is not None and event.site_id == site for event in record.events):
            records.append(record)

    bus = BrokerConnection(amqp_url)
    bus.add(StreamConsumer("followed", lambda: began, take))
    for session in sessions:
        bus.add(session)
    await bus.start()
    try:
        await wait_until(lambda: bus.unready_reason() is None)
        yield bus, site, records
    finally:
        await bus.stop()


async def test_neighbours_for_the_log_alone_travel_together_and_keep_their_order(amqp_url: str) -> None:
    """What a queue wants goes by itself, between its neighbours as it was published."""
    queued: list[str] = []

    async def handle(event: Event) -> None:
        queued.append(event.id)

    consumer = Consumer(
        "tests",
        f"together-{secrets.token_hex(4)}",
        {"visitor.online": handle, "site.changed": handle},
        binding_patterns={"visitor.online": "visitor.online.#.wanted.#"},
    )
    async with following(amqp_url, consumer) as (bus, site, records):
        kinds = "vvvsvvwvvv"
        told = [_fact(kind, site) for kind in kinds] + [_fact("v", site) for _ in range(100)]
        await bus.publish([event.to_document() for event in told])
        await wait_until(lambda: sum(len(record.events) for record in records) == len(told))
        seen = [event for record in records for event in record.events if event is not None]
        assert [event.id for event in seen] == [event.id for event in told]
        assert [len(record.events) for record in records] == [3, 1, 2, 1, 64, 39]
        places = [position for record in records for position, _ in record.with_positions()]
        assert places == sorted(set(places))
        for record in records:
            assert {to_offset(position) for position, _ in record.with_positions()} == {record.offset}
            assert first_position(record.offset) <= min(position for position, _ in record.with_positions())
            assert max(position for position, _ in record.with_positions()) == record.position
            assert record.position == last_position(record.offset) == first_position(record.offset + 1) - 1
        wanted = [event.id for kind, event in zip(kinds, told, strict=False) if kind in "sw"]
        await wait_until(lambda: wanted == [number for number in queued if number in wanted])


async def test_together_they_are_no_larger_than_what_streams_take_at_once(amqp_url: str) -> None:
    async with following(amqp_url) as (bus, site, records):
        await bus.publish([_fact("v", site, "x" * size).to_document() for size in (20_000,) * 5 + (100_000, 10, 10)])
        await wait_until(lambda: sum(len(record.events) for record in records) == 8)
        assert [len(record.events) for record in records] == [3, 2, 1, 2]


def test_a_queue_cannot_ask_for_what_only_the_log_gets() -> None:
    async def handle(event: Event) -> None: ...

    with pytest.raises(TypeError, match="log alone"):
        Consumer("tests", "deaf", {"message.created": handle})


async def test_what_the_catalogue_does_not_know_keeps_its_place_among_its_neighbours(amqp_url: str) -> None:
    async with following(amqp_url) as (_, site, records):
        first, last = _fact("v", site), _fact("v", site)
        documents = [first.to_document(), {"type": "visitor.invented"}, "no event", last.to_document()]
        connection = await aio_pika.connect(amqp_url)
        async with connection:
            exchange = await (await connection.channel()).get_exchange(topology.EVENTS_EXCHANGE, ensure=False)
            for body in (b"no json", orjson.dumps(documents)):
                await exchange.publish(aio_pika.Message(body), "bundle")
        await wait_until(lambda: bool(records))
        assert [(event and event.id) for event in records[0].events] == [first.id, None, None, last.id]


def _fact(kind: str, site: int, page: str | None = None) -> Event:
    """`v`: for the log alone; `w`: the same, wanted by a queue; `s`: of a kind that queues want."""
    if kind == "s":
        return new_event(SiteChanged(), tenant_id=1, site_id=site)
    visitor = OnlineVisitor(site_id=site, session_id="sess_1", since=utc_now(), page=page)
    return new_event(
        VisitorOnline(visitor=visitor), tenant_id=1, site_id=site, routing_tag="wanted" if kind == "w" else None
    )
