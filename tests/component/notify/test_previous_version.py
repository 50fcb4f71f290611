"""With replicas and publishers of the previous version, with one log for all tenants, no event is lost or doubled."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aio_pika
import orjson
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from parley.common.events import Event, routing_key
from parley.common.log_partitions import SINGLE_LOG
from parley.common.messaging import BrokerConnection
from parley.common.messaging.batch_codec import unpack_events
from parley.common.messaging.topology import EVENTS_EXCHANGE
from parley.notify.streaming.single_log_removal import SingleLogRemoval
from support.notify import Scenario, StartReplica, message_texts, wait_for_message
from support.wait import wait_until


@pytest.fixture
async def previous_log(amqp_url: str) -> AsyncIterator[AbstractChannel]:
    """The single log as the previous version declares it."""
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=100)
        queue = await channel.declare_queue(
            SINGLE_LOG,
            durable=True,
            arguments={
                "x-queue-type": "stream",
                "x-max-age": "24h",
                "x-max-length-bytes": 2_000_000_000,
                "x-stream-max-segment-size-bytes": 20_000_000,
            },
        )
        await queue.bind(EVENTS_EXCHANGE, "#")
        yield channel
        if not channel.is_closed:
            await channel.queue_delete(SINGLE_LOG)


async def _publish_as_before(channel: AbstractChannel, events: Sequence[Event]) -> None:
    """Publish events as the previous version does: several in one message, whatever their tenants."""
    exchange = await channel.get_exchange(EVENTS_EXCHANGE, ensure=False)
    documents = [event.to_document() for event in events]
    if len(events) > 1:
        message = aio_pika.Message(orjson.dumps(documents), headers={"x-parley-events": len(events)})
        await exchange.publish(message, "bundle")
    else:
        await exchange.publish(aio_pika.Message(orjson.dumps(documents[0])), routing_key(events[0]))


async def test_events_of_older_publishers_reach_the_streams_of_their_tenants_once_and_in_order(
    start_replica: StartReplica, broker: BrokerConnection, previous_log: AbstractChannel
) -> None:
    """T17: and the events of replicas of both versions keep one order."""
    one, other = Scenario(broker), Scenario(broker)
    replica = await start_replica()
    caller = one.operator()
    async with replica.stream(caller) as stream, replica.stream(other.operator()) as other_stream:
        position = stream.last_event_id
        await one.send_message("of this version")
        single, first, foreign, second = (
            scenario.make_message(text)
            for scenario, text in ((one, "single"), (one, "first"), (other, "foreign"), (one, "second"))
        )
        await _publish_as_before(previous_log, [single])
        await _publish_as_before(previous_log, [first, foreign, second])
        await one.republish(single)
        await one.send_message("last")
        await wait_for_message(stream, "last")
        await wait_for_message(other_stream, "foreign")
        expected = ["of this version", "single", "first", "second", "last"]
        assert message_texts(stream) == expected
        assert message_texts(other_stream) == ["foreign"]
    late = await start_replica()
    for resumed in (replica, late):
        async with resumed.stream(caller, position) as stream:
            await wait_for_message(stream, "last")
            assert message_texts(stream) == expected
            assert not stream.of_type("reset")


async def test_a_stream_can_be_resumed_when_the_newest_record_holds_only_other_tenants_events(
    start_replica: StartReplica, broker: BrokerConnection, previous_log: AbstractChannel
) -> None:
    """T17: such a record is in every partition, as older publishers write it."""
    scenario, other = Scenario(broker), Scenario(broker)
    replica = await start_replica()
    await scenario.send_message("before")
    foreign = [other.make_message("foreign"), other.make_message("foreign too")]
    await _publish_as_before(previous_log, foreign)
    async with replica.stream(scenario.operator()) as stream:
        start = stream.last_event_id
        assert start is not None
        await scenario.send_message("missed")
        await wait_for_message(stream, "missed")
    async with replica.stream(scenario.operator(), start) as stream:
        await wait_for_message(stream, "missed")
        assert message_texts(stream) == ["missed"]
        assert not stream.of_type("reset")


async def test_older_replicas_get_the_events_of_this_version(
    scenario: Scenario, broker: BrokerConnection, previous_log: AbstractChannel
) -> None:
    """T17: the log that they follow has every event, in order."""
    ids: list[str] = []

    async def on_message(message: AbstractIncomingMessage) -> None:
        ids.extend(document["id"] for document in unpack_events(message.body))
        await message.ack()

    queue = await previous_log.get_queue(SINGLE_LOG)
    await queue.consume(on_message, arguments={"x-stream-offset": "next"})
    single = await scenario.accept(scenario.operator())
    batch = [scenario.make_message(f"batched {number}") for number in range(3)]
    await broker.publish([event.to_document() for event in batch])
    expected = [single.id, *(event.id for event in batch)]
    await wait_until(lambda: [one for one in ids if one in expected] == expected)
    assert [one for one in ids if one in expected] == expected


async def test_the_old_log_is_deleted_when_no_older_replica_is_left(
    amqp_url: str, previous_log: AbstractChannel
) -> None:
    checks = asyncio.Event()

    async def is_over() -> bool:
        checks.set()
        return False

    async with _running(amqp_url, SingleLogRemoval(is_over)):
        await checks.wait()
    assert await _exists(amqp_url)

    async def is_really_over() -> bool:
        return True

    async with _running(amqp_url, SingleLogRemoval(is_really_over)):
        await wait_until(lambda: _is_gone(amqp_url))


@asynccontextmanager
async def _running(amqp_url: str, session: SingleLogRemoval) -> AsyncIterator[None]:
    connection = BrokerConnection(amqp_url)
    connection.add(session)
    await connection.start()
    yield
    await connection.stop()


async def _exists(amqp_url: str) -> bool:
    connection = await aio_pika.connect(amqp_url, name=secrets.token_hex(4))
    async with connection:
        channel = await connection.channel()
        try:
            await channel.declare_queue(SINGLE_LOG, passive=True)
        except aio_pika.exceptions.ChannelNotFoundEntity:
            return False
        return True


async def _is_gone(amqp_url: str) -> bool:
    return not await _exists(amqp_url)
