"""When a live stream ends: with its right to be there, with its replica, or when its client does not read."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from parley.common.auth.identity import OperatorCaller
from support.notify import Replica, Scene, shown, texts
from support.sse import EventStream
from support.wait import until

StartReplica = Callable[..., Awaitable[Replica]]
STREAM = "/api/v1/operator/stream"
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
        assert texts(events) == texts(visitor) == []


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
