"""Resumed streams: no missing and no duplicate event, on any replica, after any failure."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from parley.common.auth.identity import OperatorCaller
from support.notify import NotifyReplica, Scenario, StartReplica, message_texts, unique_id, wait_for_message
from support.sse import SseStream
from support.tcp_proxy import TcpProxy
from support.wait import wait_until

STREAM_PATH = "/api/v1/operator/stream"


async def test_clients_cut_at_random_resume_on_any_replica_without_gap_or_duplicate(
    start_replica: StartReplica, scenario: Scenario
) -> None:
    replicas = [await start_replica()]
    caller = scenario.operator()
    async with replicas[0].stream(caller) as stream:
        last_event_id = stream.last_event_id
    received: list[Any] = []
    total = 400

    async def publish() -> None:
        for number in range(total):
            await scenario.send_message(f"m{number}")
            if number == total // 2:
                replicas.append(await start_replica())

    publishing = asyncio.create_task(publish())
    rng = random.Random(7)
    while len(received) < total:
        async with rng.choice(replicas).stream(caller, last_event_id) as stream:
            assert str(stream.events[0].data["data"]["resumed_from"]) == last_event_id
            count = min(total - len(received), rng.randint(1, 60))
            await wait_until(partial(_has_messages, stream, count), timeout=90)
            messages = stream.of_type("message.created")[:count]
            assert not stream.of_type("reset")
        received += [event.data["data"]["content"] for event in messages]
        last_event_id = messages[-1].id
    await publishing
    assert received == [f"m{number}" for number in range(total)]


@pytest.mark.parametrize("position", ["abc", "999999999999", "-7", "1.5", "1 2", "9" * 40, "{}", "-2"])
async def test_an_unknown_position_causes_a_reset(replica: NotifyReplica, scenario: Scenario, position: str) -> None:
    async with replica.stream(scenario.operator(), position) as stream:
        reset = await stream.wait_for("reset")
        assert stream.events[0].data["data"]["resumed_from"] is None
        assert stream.events[0].id is None, "a client cut before the reset must come back with its old position"
        assert reset.id is not None
        await scenario.send_message("after")
        await wait_for_message(stream, "after")
    async with replica.stream(scenario.operator(), reset.id) as stream:
        await wait_for_message(stream, "after")
        assert not stream.of_type("reset")


async def test_a_position_before_the_replay_buffer_causes_a_reset_and_one_within_it_does_not(
    start_replica: StartReplica, scenario: Scenario
) -> None:
    replica = await start_replica(window_bytes=65_536)
    caller = scenario.operator()
    async with replica.stream(caller) as stream:
        start = stream.last_event_id
        for number in range(60):
            await scenario.send_message(f"{number} " + "x" * 1500)
        await wait_until(lambda: len(stream.of_type("message.created")) == 60)
        recent = stream.of_type("message.created")[-3].id
    assert await replica.metric("parley_notify_window_bytes") < 70_000
    async with replica.stream(caller, start) as stream:
        await stream.wait_for("reset")
    async with replica.stream(caller, recent) as stream:
        await wait_until(lambda: len(stream.of_type("message.created")) == 2)
        assert not stream.of_type("reset")


async def test_a_stream_resumes_within_a_batch_of_events(start_replica: StartReplica, scenario: Scenario) -> None:
    """A client that got the third event of a log record continues with the fourth, on every replica."""
    caller, first = scenario.operator(), await start_replica()
    texts = [f"batched {number}" for number in range(6)]
    async with first.stream(caller) as stream, first.stream(scenario.visitor()) as visitor:
        await scenario.send_messages_in_one_batch(*texts)
        for open_stream in (stream, visitor):
            await wait_for_message(open_stream, texts[-1])
            assert message_texts(open_stream) == texts
        ids = [event.id for event in stream.of_type("message.created")]
        assert ids == [event.id for event in visitor.of_type("message.created")]
    assert len(set(ids)) == len(ids)
    late = await start_replica()
    for replica in (first, late):
        for number, event_id in enumerate(ids[:-1]):
            for resuming_caller in (caller, scenario.visitor()):
                async with replica.stream(resuming_caller, event_id) as stream:
                    await wait_for_message(stream, texts[-1])
                    assert message_texts(stream) == texts[number + 1 :]
    await scenario.send_message("after")
    for replica in (first, late):
        async with replica.stream(caller, ids[-1]) as stream:
            await wait_for_message(stream, "after")
            assert message_texts(stream) == ["after"]


async def test_the_position_may_be_in_the_query(replica: NotifyReplica, scenario: Scenario) -> None:
    caller = scenario.operator()
    async with replica.stream(caller) as stream:
        start = stream.last_event_id
    await scenario.send_message("missed")
    async with replica.stream(caller, query={"last_event_id": str(start)}) as stream:
        await wait_for_message(stream, "missed")
        assert message_texts(stream) == ["missed"]


async def test_an_event_published_twice_is_shown_once(replica: NotifyReplica, scenario: Scenario) -> None:
    async with replica.stream(scenario.operator()) as stream:
        event = await scenario.send_message("once")
        await scenario.republish(event)
        await scenario.send_message("end")
        await wait_for_message(stream, "end")
        assert message_texts(stream) == ["once", "end"]
        position = stream.events[0].id
    async with replica.stream(scenario.operator(), position) as stream:
        await wait_for_message(stream, "end")
        assert message_texts(stream) == ["once", "end"]


async def test_a_lost_broker_connection_causes_no_gap_and_no_duplicate(
    start_replica: StartReplica, scenario: Scenario, amqp_url: str
) -> None:
    address = urlsplit(amqp_url)
    proxy = TcpProxy(address.hostname or "127.0.0.1", address.port or 5672)
    await proxy.start()
    try:
        connected = await start_replica()
        cut = await start_replica(broker=amqp_url.replace(f":{address.port}", f":{proxy.port}"))
        async with cut.stream(scenario.operator()) as stream, connected.stream(scenario.operator()) as other:
            await scenario.send_message("before")
            await wait_for_message(stream, "before")
            proxy.disconnect()
            await wait_until(lambda: _is_unready(cut))
            while_disconnected = [f"while disconnected {number}" for number in range(20)]
            for text in while_disconnected:
                await scenario.send_message(text)
            await wait_for_message(other, while_disconnected[-1])
            proxy.reconnect()
            await wait_for_message(stream, while_disconnected[-1], timeout=20)
            await scenario.send_message("after")
            await wait_for_message(stream, "after")
            assert message_texts(stream) == ["before", *while_disconnected, "after"]
            assert not stream.of_type("reset")
            await wait_until(cut.is_ready)
    finally:
        await proxy.stop()


async def test_a_replay_larger_than_the_stream_buffer_is_complete(
    start_replica: StartReplica, scenario: Scenario
) -> None:
    replica = await start_replica(stream_buffer_bytes=65_536)
    caller = scenario.operator()
    async with replica.stream(caller) as stream:
        start = stream.last_event_id
        for number in range(100):
            # One at a time: on a busy machine a client that falls behind is cut, as it should be.
            text = f"{number} " + "x" * 20_000
            await scenario.send_message(text)
            await wait_for_message(stream, text)
    async with replica.stream(caller, start) as stream:
        await wait_until(lambda: len(stream.of_type("message.created")) == 100)
        assert [int(shown.split()[0]) for shown in message_texts(stream)] == list(range(100))


async def test_a_replica_accepts_no_streams_before_it_has_caught_up_with_the_log(
    start_replica: StartReplica, scenario: Scenario
) -> None:
    async with (await start_replica()).stream(scenario.operator()) as stream:
        start = stream.last_event_id
        for number in range(300):
            await scenario.send_message(str(number))
    late = await start_replica(wait_ready=False)
    await wait_until(lambda: _is_listening(late))
    statuses = set()
    while not await late.is_ready():
        statuses.add((await late.request(scenario.operator(sites={}), "GET", STREAM_PATH))[0])
    assert statuses <= {403, 503}
    async with late.stream(scenario.operator(), start) as stream:
        await wait_until(lambda: len(stream.of_type("message.created")) == 300)
        assert message_texts(stream) == [str(number) for number in range(300)]


async def _is_unready(replica: NotifyReplica) -> bool:
    return not await replica.is_ready()


async def _is_listening(replica: NotifyReplica) -> bool:
    try:
        await replica.request(OperatorCaller(unique_id(), unique_id(), "Alex", {}), "GET", STREAM_PATH)
    except OSError:
        return False
    return True


def _has_messages(stream: SseStream, count: int) -> bool:
    return len(stream.of_type("message.created")) >= count
