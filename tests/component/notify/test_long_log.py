"""Replicas that start while the event log is long or growing. The log is on a broker of its own.

On the broker of the other tests, each replica that starts later would read the long log too.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from parley.common.messaging import BrokerConnection
from support.fcm import FcmServer
from support.infrastructure import Infrastructure
from support.notify import (
    FakeTeam,
    NotifyReplica,
    Scenario,
    StartReplica,
    connect_as_chat,
    message_texts,
    wait_for_message,
)
from support.pushes import SendFirstPush, wait_for_push
from support.wait import wait_until

LONG_LOG_EVENTS = 5_500
"""More than a replica reads before it accepts streams."""


@pytest.fixture(scope="module")
async def amqp_url(infrastructure: Infrastructure, run_directory: Path) -> AsyncIterator[str]:
    async with infrastructure.broker(run_directory / "notify-long-log") as amqp_url:
        yield amqp_url


@pytest.fixture(scope="module")
async def broker(amqp_url: str, team: FakeTeam) -> AsyncIterator[BrokerConnection]:
    async with connect_as_chat(amqp_url, team) as broker:
        yield broker


async def test_a_starting_replica_reads_the_same_number_of_events_from_single_and_batched_records(
    start_replica: StartReplica, scenario: Scenario
) -> None:
    """It reads fewer records if they are batches, also when the last record is a single event."""
    caller = scenario.operator()
    async with (await start_replica()).stream(caller) as stream:
        start = stream.last_event_id
    for _ in range(10):
        await scenario.send_messages_in_one_batch(*(f"{number}" for number in range(640)))
    late = await start_replica()
    async with late.stream(caller) as stream:
        await wait_until(partial(_has_startup_events, late), description="five thousand events in the replay buffer")
        recent = stream.last_event_id
        await scenario.send_message("now")
        await wait_for_message(stream, "now")
    later = await start_replica()
    async with later.stream(caller, recent) as stream:
        await wait_until(partial(_has_startup_events, later), description="the same after a record with one event")
        await wait_for_message(stream, "now")
        assert message_texts(stream) == ["now"]
    async with later.stream(caller, start) as stream:
        await stream.wait_for("reset")


async def test_only_the_last_part_of_a_long_log_is_read_before_streams_are_accepted(
    start_replica: StartReplica, scenario: Scenario
) -> None:
    caller = scenario.operator()
    async with (await start_replica()).stream(caller) as stream:
        start = stream.last_event_id
        await scenario.send_message("long ago")
        await scenario.fill_log(LONG_LOG_EVENTS)
        await scenario.send_message("a moment ago")
        await scenario.send_message("now")
        await wait_for_message(stream, "now", timeout=60)
        recent = stream.of_type("message.created")[1].id
    late = await start_replica()
    async with late.stream(caller, recent) as stream:
        await wait_for_message(stream, "now")
        assert await late.metric("parley_notify_window_events") < 10, "only the last messages are buffered"
        assert not stream.of_type("reset")
    async with late.stream(caller, start) as stream:
        await stream.wait_for("reset")


async def test_an_event_that_no_replica_has_planned_causes_a_push_despite_many_later_events(
    start_replica: StartReplica, scenario: Scenario, fcm: FcmServer, send_first_push: SendFirstPush
) -> None:
    first = await start_replica(push_delay_seconds=0.3, **fcm.notify_settings)
    token = await send_first_push(first)
    await first.stop(signal.SIGKILL)
    await scenario.send_message("two")
    await scenario.fill_log(LONG_LOG_EVENTS)
    await start_replica(push_delay_seconds=0.3, **fcm.notify_settings)
    assert (await wait_for_push(fcm, token, 2, timeout=30))["notification"]["body"] == "two"


async def test_a_stream_opens_while_events_are_published_without_a_pause(
    start_replica: StartReplica, scenario: Scenario
) -> None:
    """The end of the log moves faster than it can be looked up, so the replica must not chase it."""
    caller = scenario.operator()

    async def publish() -> None:
        while True:
            await scenario.send_message("more")

    publishers = [asyncio.create_task(publish()) for _ in range(4)]
    try:
        late = await start_replica()
        async with late.stream(caller) as stream:
            await wait_for_message(stream, "more")
        assert not any(publisher.done() for publisher in publishers), "published until the stream was open"
    finally:
        for publisher in publishers:
            publisher.cancel()
        await asyncio.gather(*publishers, return_exceptions=True)


async def _has_startup_events(replica: NotifyReplica) -> bool:
    return 5_000 <= await replica.metric("parley_notify_window_events") < 5_100
