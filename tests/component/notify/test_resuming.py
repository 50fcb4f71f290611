"""Live streams that come back: no gap and no double, on any replica, whatever broke meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from parley.common.auth.identity import OperatorCaller
from support.notify import Replica, Scene, fresh_id, shown, texts
from support.tcp_proxy import Proxy
from support.sse import EventStream
from support.wait import until

StartReplica = Callable[..., Awaitable[Replica]]
STREAM = "/api/v1/operator/stream"
LONG_LOG = 10_500
"""More than a replica reads before it is ready."""


async def test_clients_cut_at_random_resume_on_any_replica_without_gap_or_double(
    start_replica: StartReplica, scene: Scene
) -> None:
    replicas = [await start_replica()]
    caller = scene.operator()
    async with replicas[0].stream(caller) as events:
        last = events.last_id
    seen: list[Any] = []
    total = 400

    async def publish() -> None:
        for number in range(total):
            await scene.say(f"m{number}")
            if number == total // 2:
                replicas.append(await start_replica())

    writing = asyncio.create_task(publish())
    dice = random.Random(7)
    while len(seen) < total:
        async with dice.choice(replicas).stream(caller, last) as events:
            assert str(events.seen[0].data["data"]["resumed_from"]) == last
            wanted = min(total - len(seen), dice.randint(1, 60))
            await until(partial(_has_messages, events, wanted), within=90)
            taken = events.of("message.created")[:wanted]
            assert not events.of("reset")
        seen += [event.data["data"]["content"] for event in taken]
        last = taken[-1].id
    await writing
    assert seen == [f"m{number}" for number in range(total)]


@pytest.mark.parametrize("position", ["abc", "999999999999", "-7", "1.5", "1 2", "9" * 40, "{}", "-2"])
async def test_an_unknown_position_gets_reset(replica: Replica, scene: Scene, position: str) -> None:
    async with replica.stream(scene.operator(), position) as events:
        reset = await events.wait("reset")
        assert events.seen[0].data["data"]["resumed_from"] is None
        assert events.seen[0].id is None, "a client cut before the reset must come back with its old position"
        assert reset.id is not None
        await scene.say("after")
        await shown(events, "after")
    async with replica.stream(scene.operator(), reset.id) as events:
        await shown(events, "after")
        assert not events.of("reset")


async def test_a_position_before_the_window_gets_reset_and_one_within_it_does_not(
    start_replica: StartReplica, scene: Scene
) -> None:
    replica = await start_replica(window_bytes=65_536)
    caller = scene.operator()
    async with replica.stream(caller) as events:
        start = events.last_id
        for number in range(60):
            await scene.say(f"{number} " + "x" * 1500)
        await until(lambda: len(events.of("message.created")) == 60)
        recent = events.of("message.created")[-3].id
    assert await replica.metric("parley_notify_window_bytes") < 70_000
    async with replica.stream(caller, start) as events:
        await events.wait("reset")
    async with replica.stream(caller, recent) as events:
        await until(lambda: len(events.of("message.created")) == 2)
        assert not events.of("reset")


async def test_of_what_came_together_the_rest_is_given(start_replica: StartReplica, scene: Scene) -> None:
    """Messages that travelled in one record of the log: whoever saw the third goes on with the fourth, everywhere."""
    caller, first = scene.operator(), await start_replica()
    said = [f"together {number}" for number in range(6)]
    async with first.stream(caller) as events, first.stream(scene.visitor()) as visitor:
        await scene.together(*said)
        for seen in (events, visitor):
            await shown(seen, said[-1])
            assert texts(seen) == said
        ids = [event.id for event in events.of("message.created")]
        assert ids == [event.id for event in visitor.of("message.created")]
    assert len(set(ids)) == len(ids)
    late = await start_replica()
    for replica in (first, late):
        for number, last in enumerate(ids[:-1]):
            for somebody in (caller, scene.visitor()):
                async with replica.stream(somebody, last) as events:
                    await shown(events, said[-1])
                    assert texts(events) == said[number + 1 :]
    await scene.say("after")
    for replica in (first, late):
        async with replica.stream(caller, ids[-1]) as events:
            await shown(events, "after")
            assert texts(events) == ["after"]


async def test_a_replica_that_starts_reads_as_many_events_however_they_came(
    start_replica: StartReplica, scene: Scene
) -> None:
    """Of a log of full records it reads fewer of them, also where its end looks otherwise."""
    caller = scene.operator()
    async with (await start_replica()).stream(caller) as events:
        start = events.last_id
    for _ in range(20):
        await scene.together(*(f"{number}" for number in range(640)))
    late = await start_replica()
    await until(partial(_holds_enough, late), what="the window has some ten thousand events")
    async with late.stream(caller) as events:
        recent = events.last_id
        await scene.say("now")
        await shown(events, "now")
    later = await start_replica()
    await until(partial(_holds_enough, later), what="the same where the last record is one message")
    async with later.stream(caller, recent) as events:
        await shown(events, "now")
        assert texts(events) == ["now"]
    async with later.stream(caller, start) as events:
        await events.wait("reset")


async def test_the_position_may_stand_in_the_query(replica: Replica, scene: Scene) -> None:
    caller = scene.operator()
    async with replica.stream(caller) as events:
        start = events.last_id
    await scene.say("missed")
    async with replica.stream(caller, query={"last_event_id": str(start)}) as events:
        await shown(events, "missed")
        assert texts(events) == ["missed"]


async def test_an_event_told_twice_is_shown_once(replica: Replica, scene: Scene) -> None:
    async with replica.stream(scene.operator()) as events:
        told = await scene.say("once")
        await scene.again(told)
        await scene.say("end")
        await shown(events, "end")
        assert texts(events) == ["once", "end"]
        position = events.seen[0].id
    async with replica.stream(scene.operator(), position) as events:
        await shown(events, "end")
        assert texts(events) == ["once", "end"]


async def test_a_lost_broker_connection_leaves_no_gap_and_no_double(
    start_replica: StartReplica, scene: Scene, amqp_url: str
) -> None:
    address = urlsplit(amqp_url)
    proxy = Proxy(address.hostname or "127.0.0.1", address.port or 5672)
    await proxy.start()
    try:
        replica = await start_replica()
        cut = await start_replica(broker=amqp_url.replace(f":{address.port}", f":{proxy.port}"))
        async with cut.stream(scene.operator()) as events, replica.stream(scene.operator()) as other:
            await scene.say("before")
            await shown(events, "before")
            proxy.shut()
            await until(lambda: not_ready(cut))
            for number in range(20):
                await scene.say(f"while away {number}")
            await shown(other, "while away 19")
            proxy.open()
            await shown(events, "while away 19", within=20)
            await scene.say("after")
            await shown(events, "after")
            assert texts(events) == ["before", *(f"while away {number}" for number in range(20)), "after"]
            assert not events.of("reset")
            await until(cut.is_ready)
    finally:
        await proxy.stop()


async def not_ready(replica: Replica) -> bool:
    return not await replica.is_ready()


async def test_a_replay_larger_than_the_buffer_arrives_whole(start_replica: StartReplica, scene: Scene) -> None:
    replica = await start_replica(stream_buffer_bytes=65_536)
    caller = scene.operator()
    async with replica.stream(caller) as events:
        start = events.last_id
        for number in range(100):
            # One at a time: a reader that a busy machine keeps from reading is cut, and rightly so.
            said = f"{number} " + "x" * 20_000
            await scene.say(said)
            await shown(events, said)
    async with replica.stream(caller, start) as events:
        await until(lambda: len(events.of("message.created")) == 100)
        assert [int(text.split()[0]) for text in texts(events)] == list(range(100))


async def test_a_replica_shows_the_past_to_nobody_before_its_window_is_read(
    start_replica: StartReplica, scene: Scene
) -> None:
    async with (await start_replica()).stream(scene.operator()) as events:
        start = events.last_id
        for number in range(300):
            await scene.say(str(number))
    late = await start_replica(ready=False)
    await until(lambda: _answers(late))
    statuses = set()
    while not await late.is_ready():
        statuses.add((await late.call(scene.operator(sites={}), "GET", STREAM))[0])
    assert statuses <= {403, 503}
    async with late.stream(scene.operator(), start) as events:
        await until(lambda: len(events.of("message.created")) == 300)
        assert texts(events) == [str(number) for number in range(300)]


async def test_a_replica_becomes_ready_while_the_log_is_never_silent(start_replica: StartReplica, scene: Scene) -> None:
    """The end of the log moves on faster than one can look at it; it must not be chased."""

    async def talk() -> None:
        while True:
            await scene.say("and on")

    talkers = [asyncio.create_task(talk()) for _ in range(4)]
    try:
        late = await start_replica(ready=False)
        await until(late.is_ready, within=60, what="notify to be ready")
        assert not any(talker.done() for talker in talkers), "the log was never silent meanwhile"
    finally:
        for talker in talkers:
            talker.cancel()
        await asyncio.gather(*talkers, return_exceptions=True)


async def test_of_a_long_log_only_the_last_part_is_read_before_streams_are_let_in(
    start_replica: StartReplica, scene: Scene
) -> None:
    caller = scene.operator()
    async with (await start_replica()).stream(caller) as events:
        start = events.last_id
        await scene.say("long ago")
        await scene.flood(LONG_LOG)
        await scene.say("a moment ago")
        await scene.say("now")
        await shown(events, "now", within=60)
        recent = events.of("message.created")[1].id
    late = await start_replica()
    assert await late.metric("parley_notify_window_events") < 10, "of what is shown, what was said last alone"
    async with late.stream(caller, recent) as events:
        await shown(events, "now")
        assert not events.of("reset")
    async with late.stream(caller, start) as events:
        await events.wait("reset")


async def _holds_enough(replica: Replica) -> bool:
    return 10_000 <= await replica.metric("parley_notify_window_events") < 10_100


async def _answers(replica: Replica) -> bool:
    try:
        await replica.call(OperatorCaller(fresh_id(), fresh_id(), "Alex", {}), "GET", STREAM)
    except OSError:
        return False
    return True


def _has_messages(events: EventStream, wanted: int) -> bool:
    return len(events.of("message.created")) >= wanted
