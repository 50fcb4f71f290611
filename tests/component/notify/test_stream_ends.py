"""The end of a stream: revoked access, a stopping replica, a client that does not read."""

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
from support.notify import NotifyReplica, Scenario, StartReplica, message_texts, wait_for_message
from support.sse import SseStream
from support.wait import SchedulingDelay, wait_until

STREAM_PATH = "/api/v1/operator/stream"
RawStream = Callable[..., Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@pytest.fixture
async def raw_stream() -> AsyncIterator[RawStream]:
    """Opens a stream on a plain socket and reads up to its `ready` (or, with `wait_ready=False`, not at all)."""
    opened: list[asyncio.StreamWriter] = []

    async def open_raw_stream(
        replica: NotifyReplica,
        caller: OperatorCaller,
        *,
        receive_bytes: int | None = None,
        version: str = "1.1",
        wait_ready: bool = True,
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        raw_socket = socket.socket()
        if receive_bytes is not None:
            raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        raw_socket.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw_socket, ("127.0.0.1", replica.port))
        reader, writer = await asyncio.open_connection(sock=raw_socket, limit=1024)
        opened.append(writer)
        header_lines = "".join(f"{name}: {value}\r\n" for name, value in replica.headers(caller).items())
        writer.write(f"GET {STREAM_PATH} HTTP/{version}\r\nHost: notify\r\n{header_lines}\r\n".encode())
        if wait_ready:
            await asyncio.wait_for(reader.readuntil(b"event: ready\n"), 5)
        return reader, writer

    yield open_raw_stream
    for writer in opened:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def assert_ends_within(seconds: float, stream: SseStream, cause: Callable[[], Awaitable[Any]]) -> None:
    async with SchedulingDelay() as delay:
        started = time.monotonic()
        await cause()
        await stream.wait_until_ended(timeout=10 * seconds)
        taken = time.monotonic() - started
    assert taken < seconds + delay.tolerance_seconds


async def test_a_stream_ends_within_a_second_of_a_change_of_access(replica: NotifyReplica, scenario: Scenario) -> None:
    caller, colleague = scenario.operator(), scenario.operator()
    async with replica.stream(caller) as stream, replica.stream(colleague) as other:
        await assert_ends_within(1.0, stream, lambda: scenario.change_access(caller, version=2))
        await scenario.send_message("after")
        await wait_for_message(other, "after")
        assert not message_texts(stream)


async def test_an_outdated_access_is_refused_with_a_retry_and_a_current_one_is_accepted(
    replica: NotifyReplica, scenario: Scenario
) -> None:
    caller = scenario.operator()
    async with replica.stream(caller) as stream:
        await assert_ends_within(1.0, stream, lambda: scenario.change_access(caller, version=2))
    status, body, headers = await replica.request(caller, "GET", STREAM_PATH)
    assert (status, body["code"], headers["Retry-After"]) == (503, "access_outdated", "1")
    current = replace(caller, access_version=2)
    async with replica.stream(current) as stream:
        # A late event about a change that this access already includes.
        await scenario.change_access(caller, version=2)
        await scenario.send_message("still here")
        await wait_for_message(stream, "still here")


async def test_logging_out_ends_only_the_streams_of_that_session(replica: NotifyReplica, scenario: Scenario) -> None:
    caller = scenario.operator()
    other_session = replace(caller, login_session_id="another-login")
    async with replica.stream(caller) as stream, replica.stream(other_session) as other:
        await assert_ends_within(
            1.0, stream, lambda: scenario.change_access(caller, version=1, session_id=caller.login_session_id)
        )
        await scenario.send_message("after")
        await wait_for_message(other, "after")
    status, body, _ = await replica.request(caller, "GET", STREAM_PATH)
    assert (status, body["code"]) == (401, "unauthenticated")


async def test_a_stream_ends_when_its_token_expires(replica: NotifyReplica, scenario: Scenario) -> None:
    caller = scenario.operator(expires_at=int(time.time()) + 2)
    async with replica.stream(caller) as stream:
        await stream.wait_until_ended(timeout=4)
    assert time.time() >= caller.expires_at
    status, _, _ = await replica.request(caller, "GET", STREAM_PATH)
    assert status == 401


async def test_a_deleted_site_ends_its_streams(replica: NotifyReplica, scenario: Scenario) -> None:
    other_tenant = Scenario(scenario.broker)
    async with (
        replica.stream(scenario.operator()) as stream,
        replica.stream(scenario.visitor()) as visitor,
        replica.stream(other_tenant.operator()) as other,
    ):
        await assert_ends_within(1.0, stream, lambda: scenario.change_site(deleted=True))
        await visitor.wait_until_ended(timeout=10)
        await other_tenant.send_message("still here")
        await wait_for_message(other, "still here")
        assert message_texts(stream) == message_texts(visitor) == []


async def test_a_stopping_replica_sends_varied_reconnection_delays(
    start_replica: StartReplica, scenario: Scenario, raw_stream: RawStream
) -> None:
    replica = await start_replica()
    delays = []
    connections = [await raw_stream(replica, scenario.operator()) for _ in range(6)]
    assert replica.process is not None
    replica.process.send_signal(signal.SIGTERM)
    for reader, _ in connections:
        rest = await asyncio.wait_for(reader.read(), 5)
        assert rest.endswith(b"0\r\n\r\n"), "the body ends with the last chunk"
        delays.append(int(rest.split(b"retry: ")[1].split(b"\n")[0]))
    await asyncio.wait_for(replica.process.wait(), 5)
    assert all(500 <= delay <= 3000 for delay in delays)
    assert len(set(delays)) > 1


async def test_an_http_1_0_client_gets_events_without_chunks(
    replica: NotifyReplica, scenario: Scenario, raw_stream: RawStream
) -> None:
    reader, _ = await raw_stream(replica, scenario.operator(), version="1.0")
    await scenario.send_message("Hello")
    received = b""
    while received.count(b"}\n\n") < 2:
        # An event may be longer than the reader's limit.
        part = await asyncio.wait_for(reader.read(1024), 5)
        assert part, "the stream goes on"
        received += part
    ready, _, event = received.partition(b"}\n\n")
    assert ready.startswith(b"data: {")
    assert event.startswith(b"id: ")


async def test_a_client_that_never_reads_is_cut_and_others_are_not_affected(
    start_replica: StartReplica, scenario: Scenario, raw_stream: RawStream
) -> None:
    replica = await start_replica(stream_buffer_bytes=65_536)
    await raw_stream(replica, scenario.operator(), receive_bytes=4096)
    async with replica.stream(scenario.operator()) as stream:
        number = 0
        started = time.monotonic()
        while await replica.open_streams() == 2:
            assert time.monotonic() - started < 30
            number += 1
            await scenario.send_message(f"{number} " + "x" * 20_000)
        await wait_until(lambda: len(stream.of_type("message.created")) == number)
        assert not stream.ended
    reasons = ("slow", "stalled")
    ended = [await replica.metric(f'parley_notify_streams_ended_total{{reason="{reason}"}}') for reason in reasons]
    assert sum(ended) == 1


async def test_a_client_with_a_small_unread_backlog_is_cut_within_thirty_seconds(
    start_replica: StartReplica, scenario: Scenario, raw_stream: RawStream
) -> None:
    replica = await start_replica(stream_comment_seconds=2)
    await raw_stream(replica, scenario.operator(), receive_bytes=4096)
    # More than the kernels buffer, less than the stream's bound: only the passing of time shows that it does not read.
    for number in range(18):
        await scenario.send_message(f"{number} " + "x" * 20_000)
    started = time.monotonic()
    await wait_until(lambda: _has_no_streams(replica), timeout=30)
    assert await replica.metric('parley_notify_streams_ended_total{reason="stalled"}') == 1
    assert time.monotonic() - started < 30


async def _has_no_streams(replica: NotifyReplica) -> bool:
    return await replica.open_streams() == 0


async def test_the_number_of_streams_per_operator_and_per_visitor_is_limited(
    start_replica: StartReplica, scenario: Scenario
) -> None:
    replica = await start_replica(operator_streams=2, visitor_streams=1)
    caller = scenario.operator()
    async with replica.stream(caller), replica.stream(caller), replica.stream(scenario.visitor()):
        status, body, headers = await replica.request(caller, "GET", STREAM_PATH)
        assert (status, body["code"]) == (429, "too_many_streams")
        assert int(headers["Retry-After"]) >= 1
        status, _, _ = await replica.request(scenario.visitor(), "GET", "/api/v1/chat/events")
        assert status == 429
        async with replica.stream(scenario.operator()):
            pass
    await wait_until(lambda: _has_no_streams(replica))
    async with replica.stream(caller):
        pass


async def test_abandoned_streams_leave_no_open_files(
    start_replica: StartReplica, scenario: Scenario, raw_stream: RawStream
) -> None:
    replica = await start_replica(operator_streams=1000)
    caller = scenario.operator()
    assert replica.process is not None
    async with replica.stream(caller):
        pass
    await wait_until(lambda: _has_no_streams(replica))
    open_files = await replica.metric("process_open_fds")
    for _ in range(4):
        connections = [await raw_stream(replica, caller, wait_ready=number % 3 > 0) for number in range(100)]
        for number, (_, writer) in enumerate(connections):
            if number % 2:
                writer.transport.abort()
            else:
                writer.close()
    await wait_until(lambda: _has_no_streams(replica), timeout=20)
    async with replica.stream(scenario.operator()) as stream:
        await scenario.send_message("still working")
        await wait_for_message(stream, "still working")
    await wait_until(lambda: _has_no_streams(replica))
    assert await replica.metric("process_open_fds") <= open_files + 3
