"""Live streams: who sees what, where they resume, and when they end."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from parley.common.clock import utc_now
from parley.common.events.presence import OnlineVisitor, OperatorOnline, VisitorOnline
from parley.common.identity import OperatorCaller, Permission
from support.notify import Replica, Scene, fresh_id
from support.proxy import Proxy
from support.sse import EventStream
from support.wait import until

StartReplica = Callable[..., Awaitable[Replica]]

STREAM = "/api/v1/operator/stream"


def texts(events: EventStream) -> list[str]:
    return [event.data["data"]["content"] for event in events.of("message.created")]


async def shown(events: EventStream, content: str, within: float = 10.0) -> None:
    await events.wait("message.created", lambda event: event.data["data"]["content"] == content, within=within)


RawStream = Callable[..., Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@pytest.fixture
async def raw_stream() -> AsyncIterator[RawStream]:
    """Opens a stream on a bare socket and reads as far as its `ready` (or not at all)."""
    opened: list[asyncio.StreamWriter] = []

    async def open_one(
        replica: Replica,
        caller: OperatorCaller,
        *,
        receive_bytes: int | None = None,
        version: str = "1.1",
        wait: bool = True,
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        raw = socket.socket()
        if receive_bytes is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", replica.port))
        reader, writer = await asyncio.open_connection(sock=raw, limit=1024)
        opened.append(writer)
        lines = "".join(f"{name}: {value}\r\n" for name, value in replica.headers(caller).items())
        writer.write(f"GET {STREAM} HTTP/{version}\r\nHost: notify\r\n{lines}\r\n".encode())
        if wait:
            await asyncio.wait_for(reader.readuntil(b"event: ready\n"), 5)
        return reader, writer

    yield open_one
    for writer in opened:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_stream_begins_with_ready_and_shows_what_happens_then(replica: Replica, scene: Scene) -> None:
    caller = scene.operator()
    async with replica.stream(caller) as events:
        ready = events.seen[0]
        assert ready.type == "ready"
        assert ready.id is not None
        assert ready.data["data"] == {
            "operator": {"id": caller.operator_id, "name": "Alex"},
            "sites": [scene.site_id],
            "resumed_from": None,
        }
        told = await scene.say("Hello")
        seen = await events.wait("message.created")
        assert seen.id is not None
        assert int(seen.id) > int(ready.id)
        assert seen.data["id"] == told.id
        assert seen.data["site_id"] == scene.site_id
        assert seen.data["conversation_id"] == scene.conversation_id
        assert seen.data["data"]["content"] == "Hello"


async def test_what_happened_before_a_first_stream_is_not_shown(replica: Replica, scene: Scene) -> None:
    async with replica.stream(scene.operator()) as first:
        await scene.say("before")
        await shown(first, "before")
    async with replica.stream(scene.operator()) as events:
        await scene.say("after")
        await shown(events, "after")
        assert texts(events) == ["after"]


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


async def test_the_position_may_stand_in_the_query(replica: Replica, scene: Scene) -> None:
    caller = scene.operator()
    async with replica.stream(caller) as events:
        start = events.last_id
    await scene.say("missed")
    async with replica.stream(caller, query={"last_event_id": str(start)}) as events:
        await shown(events, "missed")


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


# Who sees what.


async def test_operators_see_only_their_sites_also_in_a_replay(replica: Replica, scene: Scene) -> None:
    foreign = Scene(scene.bus)
    caller = scene.operator()
    async with replica.stream(caller) as events:
        start = events.last_id
        await foreign.say("foreign")
        await scene.say("own")
        await shown(events, "own")
        assert texts(events) == ["own"]
    async with replica.stream(caller, start) as events:
        await scene.say("end")
        await shown(events, "end")
        assert texts(events) == ["own", "end"]


async def test_a_replay_is_authorized_by_what_the_operator_may_see_now(replica: Replica, scene: Scene) -> None:
    second = Scene(scene.bus, tenant_id=scene.tenant_id)
    both = scene.operator(sites={scene.site_id: frozenset(Permission), second.site_id: frozenset(Permission)})
    async with replica.stream(both) as events:
        start = events.last_id
        await scene.say("one")
        await second.say("two")
        await shown(events, "two")
        assert texts(events) == ["one", "two"]
    only_chat = {scene.site_id: frozenset(Permission), second.site_id: frozenset({Permission.CHAT})}
    async with replica.stream(replace(both, sites=only_chat), start) as events:
        await scene.say("end")
        await shown(events, "end")
        assert texts(events) == ["one", "end"]


async def test_a_visitor_sees_their_own_messages_and_never_a_note(replica: Replica, scene: Scene) -> None:
    neighbour = Scene(scene.bus, tenant_id=scene.tenant_id, site_id=scene.site_id)
    presence = OnlineVisitor(site_id=scene.site_id, session_id=scene.session, since=utc_now())

    async def everything() -> None:
        await scene.note("VIP, do not tell")
        await neighbour.say("somebody else's")
        await scene.tell(VisitorOnline(visitor=presence))
        await scene.tell(OperatorOnline(operator_id=7))
        await scene.access_changed(scene.operator(), 2)
        await scene.say("mine", role="operator")

    async with replica.stream(scene.visitor()) as events, replica.stream(scene.operator()) as operators:
        assert events.seen[0].data["data"] == {"sites": [scene.site_id], "resumed_from": None}
        start = events.last_id
        await everything()
        await shown(events, "mine")
        await shown(operators, "mine")
        assert [event.type for event in events.seen] == ["ready", "message.created"]
        kinds = [event.type for event in operators.seen]
        assert kinds == [
            "ready",
            "note.created",
            "message.created",
            "visitor.online",
            "operator.online",
            "message.created",
        ]
    async with replica.stream(scene.visitor(), start) as events:
        await scene.say("end")
        await shown(events, "end")
        assert [event.type for event in events.seen] == ["ready", "message.created", "message.created"]
        assert "conversation" not in events.seen[1].data["data"], "the row that operators see is not for visitors"


async def test_a_visitor_of_the_same_session_name_on_another_site_sees_nothing(replica: Replica, scene: Scene) -> None:
    elsewhere = Scene(scene.bus, session=scene.session)
    async with replica.stream(elsewhere.visitor()) as events:
        await scene.say("not yours")
        await elsewhere.say("yours")
        await shown(events, "yours")
        assert texts(events) == ["yours"]


@pytest.mark.parametrize(
    "content",
    ["a\n\nevent: message.created\ndata: {}\n\n", "a\r\nid: 1\r\n\r\n", "a\rdata: x\r\r", "\u2028data: x", "\x00\n:"],
)
async def test_no_frame_can_be_forged(replica: Replica, scene: Scene, content: str) -> None:
    async with replica.stream(scene.operator()) as operators, replica.stream(scene.visitor()) as visitors:
        await scene.say(content)
        await scene.say("end")
        for events in (operators, visitors):
            await shown(events, "end")
            assert texts(events) == [content, "end"]
            assert [event.type for event in events.seen] == ["ready", "message.created", "message.created"]


async def test_typing_is_shown_to_the_other_side_without_a_position(replica: Replica, scene: Scene) -> None:
    author, colleague = scene.operator(), scene.operator()
    async with (
        replica.stream(author) as own,
        replica.stream(colleague) as other,
        replica.stream(scene.visitor()) as visitor,
    ):
        await scene.type("operator", author)
        seen = await visitor.wait("typing")
        assert seen.id is None
        assert seen.data["data"] == {"role": "operator", "name": "Alex"}
        await other.wait("typing")
        await scene.type("visitor")
        await own.wait("typing", lambda event: event.data["data"]["role"] == "visitor")
        await other.wait("typing", lambda event: event.data["data"]["role"] == "visitor")
        await scene.say("end")
        await shown(own, "end")
        await shown(visitor, "end")
        assert len(own.of("typing")) == 1
        assert len(visitor.of("typing")) == 1


async def test_who_may_not_see_conversations_gets_no_stream(replica: Replica, scene: Scene) -> None:
    nobody = scene.operator(sites={scene.site_id: frozenset({Permission.CHAT})})
    status, body, _ = await replica.call(nobody, "GET", STREAM)
    assert (status, body["code"]) == (403, "forbidden")
    status, body, _ = await replica.call(scene.visitor(), "GET", STREAM)
    assert (status, body["code"]) == (401, "unauthenticated")
    status, body, _ = await replica.call(scene.operator(), "GET", "/api/v1/chat/events")
    assert (status, body["code"]) == (401, "unauthenticated")


# When a stream ends.


async def ended_within(seconds: float, events: EventStream, cause: Callable[[], Awaitable[Any]]) -> None:
    started = time.monotonic()
    await cause()
    await events.wait_end(within=seconds)
    assert time.monotonic() - started < seconds


async def test_a_stream_ends_within_a_second_of_a_change_of_access(replica: Replica, scene: Scene) -> None:
    caller, colleague = scene.operator(), scene.operator()
    async with replica.stream(caller) as events, replica.stream(colleague) as other:
        await ended_within(1.0, events, lambda: scene.access_changed(caller, version=2))
        await scene.say("after")
        await shown(other, "after")
        assert not texts(events)


async def test_an_outdated_access_is_refused_for_a_second_and_a_fresh_one_is_not(
    replica: Replica, scene: Scene
) -> None:
    caller = scene.operator()
    async with replica.stream(caller) as events:
        await ended_within(1.0, events, lambda: scene.access_changed(caller, version=2))
    status, body, headers = await replica.call(caller, "GET", STREAM)
    assert (status, body["code"], headers["Retry-After"]) == (503, "access_outdated", "1")
    fresh = replace(caller, access_version=2)
    async with replica.stream(fresh) as events:
        # The news of a change that this access already knows of comes late.
        await scene.access_changed(caller, version=2)
        await scene.say("still here")
        await shown(events, "still here")


async def test_logging_out_ends_the_streams_of_that_session_alone(replica: Replica, scene: Scene) -> None:
    caller = scene.operator()
    elsewhere = replace(caller, session_id="another-login")
    async with replica.stream(caller) as events, replica.stream(elsewhere) as other:
        await ended_within(1.0, events, lambda: scene.access_changed(caller, version=1, session_id=caller.session_id))
        await scene.say("after")
        await shown(other, "after")
    status, body, _ = await replica.call(caller, "GET", STREAM)
    assert (status, body["code"]) == (401, "unauthenticated")


async def test_a_stream_ends_when_its_token_does(replica: Replica, scene: Scene) -> None:
    caller = scene.operator(expires_at=int(time.time()) + 2)
    async with replica.stream(caller) as events:
        await events.wait_end(within=4)
    assert time.time() >= caller.expires_at
    status, _, _ = await replica.call(caller, "GET", STREAM)
    assert status == 401


async def test_a_deleted_site_ends_its_streams(replica: Replica, scene: Scene) -> None:
    foreign = Scene(scene.bus)
    async with (
        replica.stream(scene.operator()) as events,
        replica.stream(scene.visitor()) as visitor,
        replica.stream(foreign.operator()) as other,
    ):
        await ended_within(1.0, events, scene.site_deleted)
        await visitor.wait_end(within=1)
        await foreign.say("still here")
        await shown(other, "still here")


async def test_a_stopping_replica_tells_its_clients_when_to_come_back(
    start_replica: StartReplica, scene: Scene, raw_stream: RawStream
) -> None:
    replica = await start_replica()
    waits = []
    connections = [await raw_stream(replica, scene.operator()) for _ in range(6)]
    assert replica.process is not None
    replica.process.send_signal(signal.SIGTERM)
    for reader, _ in connections:
        rest = await asyncio.wait_for(reader.read(), 5)
        assert rest.endswith(b"0\r\n\r\n"), "the body ends as HTTP wants it"
        waits.append(int(rest.split(b"retry: ")[1].split(b"\n")[0]))
    await asyncio.wait_for(replica.process.wait(), 5)
    assert all(500 <= wait <= 3000 for wait in waits)
    assert len(set(waits)) > 1


async def test_a_client_of_http_1_0_gets_the_events_without_chunks(
    replica: Replica, scene: Scene, raw_stream: RawStream
) -> None:
    reader, _ = await raw_stream(replica, scene.operator(), version="1.0")
    await scene.say("Hello")
    got = await asyncio.wait_for(reader.readuntil(b"}\n\n"), 5)
    assert got.startswith(b"data: {")
    got = await asyncio.wait_for(reader.readuntil(b"}\n\n"), 5)
    assert got.startswith(b"id: ")


# Bounds.


async def test_a_client_that_never_reads_is_cut_while_the_others_go_on(
    start_replica: StartReplica, scene: Scene, raw_stream: RawStream
) -> None:
    replica = await start_replica(stream_buffer_bytes=65_536)
    await raw_stream(replica, scene.operator(), receive_bytes=4096)
    async with replica.stream(scene.operator()) as events:
        number = 0
        started = time.monotonic()
        while await replica.open_streams() == 2:
            assert time.monotonic() - started < 30
            number += 1
            await scene.say(f"{number} " + "x" * 20_000)
        await until(lambda: len(events.of("message.created")) == number)
        assert not events.ended
    cut = [
        await replica.metric(f'parley_notify_streams_ended_total{{reason="{name}"}}') for name in ("slow", "stalled")
    ]
    assert sum(cut) == 1


async def test_a_client_that_stops_reading_a_little_is_cut_within_thirty_seconds(
    start_replica: StartReplica, scene: Scene, raw_stream: RawStream
) -> None:
    replica = await start_replica(stream_comment_seconds=2)
    await raw_stream(replica, scene.operator(), receive_bytes=4096)
    # More than the kernels keep, less than the stream's own bound: only time can tell.
    for number in range(18):
        await scene.say(f"{number} " + "x" * 20_000)
    started = time.monotonic()
    await until(lambda: _all_gone(replica), within=30)
    assert await replica.metric('parley_notify_streams_ended_total{reason="stalled"}') == 1
    assert time.monotonic() - started < 30


async def _all_gone(replica: Replica) -> bool:
    return await replica.open_streams() == 0


async def test_a_replay_larger_than_the_buffer_arrives_whole(start_replica: StartReplica, scene: Scene) -> None:
    replica = await start_replica(stream_buffer_bytes=65_536)
    caller = scene.operator()
    async with replica.stream(caller) as events:
        start = events.last_id
        for number in range(100):
            await scene.say(f"{number} " + "x" * 20_000)
        await until(lambda: len(events.of("message.created")) == 100)
    async with replica.stream(caller, start) as events:
        await until(lambda: len(events.of("message.created")) == 100)
        assert [int(text.split()[0]) for text in texts(events)] == list(range(100))


async def test_one_operator_and_one_visitor_may_open_only_so_many_streams(
    start_replica: StartReplica, scene: Scene
) -> None:
    replica = await start_replica(operator_streams=2, visitor_streams=1)
    caller = scene.operator()
    async with replica.stream(caller), replica.stream(caller), replica.stream(scene.visitor()):
        status, body, headers = await replica.call(caller, "GET", STREAM)
        assert (status, body["code"]) == (429, "too_many_streams")
        assert int(headers["Retry-After"]) >= 1
        status, _, _ = await replica.call(scene.visitor(), "GET", "/api/v1/chat/events")
        assert status == 429
        async with replica.stream(scene.operator()):
            pass
    await until(lambda: _all_gone(replica))
    async with replica.stream(caller):
        pass


async def test_abandoned_streams_leave_nothing_behind(
    start_replica: StartReplica, scene: Scene, raw_stream: RawStream
) -> None:
    replica = await start_replica(operator_streams=1000)
    caller = scene.operator()
    assert replica.process is not None
    async with replica.stream(caller):
        pass
    await until(lambda: _all_gone(replica))
    files = await replica.metric("process_open_fds")
    for _ in range(4):
        connections = [await raw_stream(replica, caller, wait=number % 3 > 0) for number in range(100)]
        for number, (_, writer) in enumerate(connections):
            if number % 2:
                writer.transport.abort()
            else:
                writer.close()
    await until(lambda: _all_gone(replica), within=20)
    async with replica.stream(scene.operator()) as events:
        await scene.say("still well")
        await shown(events, "still well")
    await until(lambda: _all_gone(replica))
    assert await replica.metric("process_open_fds") <= files + 3


async def test_a_silent_stream_is_kept_alive_by_comments(start_replica: StartReplica, scene: Scene) -> None:
    replica = await start_replica(stream_comment_seconds=1)
    async with replica.stream(scene.operator()) as events:
        await until(lambda: events.comments >= 2, within=5)


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
    finally:
        for talker in talkers:
            talker.cancel()
        await asyncio.gather(*talkers, return_exceptions=True)


async def _answers(replica: Replica) -> bool:
    try:
        await replica.call(OperatorCaller(fresh_id(), fresh_id(), "Alex", {}), "GET", STREAM)
    except OSError:
        return False
    return True


def _has_messages(events: EventStream, wanted: int) -> bool:
    return len(events.of("message.created")) >= wanted
