"""Benchmark `fanout`: events from one notify process to thousands of streams, compared with plain socket writes."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from bench.harness import BenchmarkContext, resource_usage
from bench.measurement import AlternatingRuns, Benchmark, Metric, Round, Target, build_metric, percentile
from bench.sse_clients import SseClientPool, open_slow_client, raise_file_limit
from parley.common.auth.identity import IDENTITY_HEADER, IdentitySigner, OperatorCaller, Permission
from parley.common.events import Event, new_event
from parley.common.events.messages import MessageCreated
from parley.common.events.schemas import ConversationSchema, LastMessage, VisitorSchema
from parley.common.messaging import BrokerConnection
from parley.common.runtime.clock import utc_now
from parley.notify.streaming.frames import operator_frame
from parley_dev.ports import free_ports

_TENANT, _SITE = 990_002, 990_002
_HANDLE = "sess_" + "0" * 32
_TEXT = "Is there a person I could speak to about my order? It has not arrived. " * 3
_TIMEOUT_SECONDS = 60.0
_BATCH_SIZE = 50
_EVENTS_PER_SECOND = 10
"""Rate while latencies are compared: with a thousand readers, a tenth of what one process can deliver."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses and processes of both servers, and the secret that signs identities."""

    amqp_url: str
    notify: int
    notify_pid: int
    baseline: int
    baseline_pid: int
    secret: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Deliveries per second of each burst; resident bytes per idle stream."""

    measured: list[float]
    baseline: list[float]
    measured_cpu: list[float]
    """The same per second of processor time of the server."""
    baseline_cpu: list[float]
    bytes_measured: float
    bytes_baseline: float


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Measure rates and memory by number of streams, then latencies with and without clients that never read."""
    metrics: list[Metric] = []
    async with _start_servers(bench) as servers:
        for streams in (100, 1000) if bench.quick else (100, 1000, 5000):
            events = max(_BATCH_SIZE, min(1000, 200_000 // streams // _BATCH_SIZE * _BATCH_SIZE))
            measured = await bench.run_in_subprocess(compare, servers, streams, events, bench.rounds())
            metrics += _metrics(streams, measured.result, measured.cpu)
        metrics += await _measure_slow_clients(bench, servers)
    return metrics


def _metrics(streams: int, comparison: Comparison, driver: float) -> list[Metric]:
    rates = AlternatingRuns(
        [Round(rate, driver_cpu=driver) for rate in comparison.measured], [Round(rate) for rate in comparison.baseline]
    )
    cores = AlternatingRuns(
        [Round(rate) for rate in comparison.measured_cpu], [Round(rate) for rate in comparison.baseline_cpu]
    )
    target = Target("ratio", "at least", 0.8)
    metrics = [
        rates.metric(
            f"{streams} streams",
            "deliveries/s",
            target,
            note="the broker and the readers share the machine with notify",
        ),
        cores.metric(f"{streams} streams, one core", "deliveries/CPU s", target),
    ]
    if streams >= 1000:
        memory = AlternatingRuns([Round(comparison.bytes_measured)], [Round(comparison.bytes_baseline)])
        metrics.append(memory.metric(f"an idle stream of {streams}", "bytes", Target("ratio", "at most", 1.5)))
    return metrics


async def _measure_slow_clients(bench: BenchmarkContext, servers: Servers) -> list[Metric]:
    measured = await bench.run_in_subprocess(
        measure_latencies, servers, bench.size(1000, 200), bench.seconds(10), bench.rounds(4)
    )
    without, alongside = measured.result
    runs = AlternatingRuns(
        [Round(1000 * percentile(delays, 0.99), delays) for delays in alongside],
        [Round(1000 * percentile(delays, 0.99), delays) for delays in without],
    )
    note = "baseline: the same without them, in the same run"
    return [
        runs.metric("p99 alongside 1 % that never read", "ms", Target("ratio", "at most", 1.1), note=note),
        build_metric(
            "deliveries alongside them", "share", [Round(1.0)], note="every reader received every event, else it fails"
        ),
    ]


async def compare(servers: Servers, streams: int, events: int, rounds: int) -> Comparison:
    """Send bursts to both servers in alternation, with the same number of streams open on each."""
    raise_file_limit()
    broker = await _connected(servers.amqp_url)
    baseline = SseClientPool(servers.baseline, [_BASELINE_REQUEST] * streams)
    readers = SseClientPool(servers.notify, _requests(servers.secret, streams))
    sizes = []
    for pool, pid in ((baseline, servers.baseline_pid), (readers, servers.notify_pid)):
        before = resource_usage(pid).resident_bytes
        await pool.open()
        await asyncio.sleep(0.5)
        sizes.append((resource_usage(pid).resident_bytes - before) / streams)
    comparison = Comparison([], [], [], [], sizes[1], sizes[0])
    async with aiohttp.ClientSession() as http:
        for number in range(rounds + 1):
            used = [resource_usage(servers.baseline_pid).cpu_seconds, resource_usage(servers.notify_pid).cpu_seconds]
            baseline_seconds = await _burst_baseline(http, servers.baseline, baseline, events)
            seconds = await _burst(broker, readers, events)
            if not number:
                continue  # The first round warms up.
            comparison.baseline.append(events * streams / baseline_seconds)
            comparison.measured.append(events * streams / seconds)
            comparison.baseline_cpu.append(
                events * streams / (resource_usage(servers.baseline_pid).cpu_seconds - used[0])
            )
            comparison.measured_cpu.append(
                events * streams / (resource_usage(servers.notify_pid).cpu_seconds - used[1])
            )
    for pool in (baseline, readers):
        pool.close()
    await broker.stop()
    return comparison


async def _burst(broker: BrokerConnection, readers: SseClientPool, events: int) -> float:
    readers.expect(events)
    documents = [_event(number).to_document() for number in range(events)]
    for start in range(0, events, _BATCH_SIZE):
        # A client is disconnected when 256 KB, about a hundred events, are buffered for it.
        await readers.wait_received(start - _BATCH_SIZE, _TIMEOUT_SECONDS)
        await broker.publish(documents[start : start + _BATCH_SIZE])
    return await readers.wait_all_received(_TIMEOUT_SECONDS)


async def _burst_baseline(http: aiohttp.ClientSession, port: int, readers: SseClientPool, events: int) -> float:
    readers.expect(events)
    frame = operator_frame(_event(1), 123_456)
    for start in range(0, events, _BATCH_SIZE):
        # The same pace: writes that queue up at a socket go out together and cost almost nothing.
        await readers.wait_received(start - _BATCH_SIZE, _TIMEOUT_SECONDS)
        async with http.post(f"http://127.0.0.1:{port}/burst", params={"events": _BATCH_SIZE}, data=frame) as answer:
            answer.raise_for_status()
    return await readers.wait_all_received(_TIMEOUT_SECONDS)


async def measure_latencies(
    servers: Servers, streams: int, seconds: float, rounds: int
) -> tuple[list[list[float]], list[list[float]]]:
    """Measure delivery delays in seconds: without slow clients, and with one client in a hundred that never reads."""
    raise_file_limit()
    broker = await _connected(servers.amqp_url)
    readers = SseClientPool(servers.notify, _requests(servers.secret, streams))
    await readers.open()
    without, alongside = [], []
    await _paced(broker, readers, 2.0)
    for _ in range(rounds):
        without.append(await _paced(broker, readers, seconds))
        slow = [
            await open_slow_client(servers.notify, request) for request in _requests(servers.secret, streams // 100)
        ]
        alongside.append(await _paced(broker, readers, seconds))
        for one in slow:
            one.close()
    readers.close()
    await broker.stop()
    return without, alongside


async def _paced(broker: BrokerConnection, readers: SseClientPool, seconds: float) -> list[float]:
    count = round(seconds * _EVENTS_PER_SECOND)
    readers.expect(count)
    started = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, started + number / _EVENTS_PER_SECOND - time.perf_counter()))
        await broker.publish([_event(number).to_document()])
    await readers.wait_all_received(_TIMEOUT_SECONDS)
    return list(readers.delays)


_BASELINE_REQUEST = b"GET /events HTTP/1.1\r\nHost: baseline\r\n\r\n"


def _requests(secret: str, streams: int) -> list[bytes]:
    signer = IdentitySigner(secret)
    first = secrets.randbelow(10**9) + 1
    return [
        b"GET /api/v1/operator/stream HTTP/1.1\r\nHost: notify\r\n%b: %b\r\n\r\n"
        % (IDENTITY_HEADER.encode(), signer.sign(_operator(first + number)).encode())
        for number in range(streams)
    ]


def _operator(operator_id: int) -> OperatorCaller:
    return OperatorCaller(
        operator_id, _TENANT, "Alex", {_SITE: frozenset(Permission)}, login_session_id=f"s-{operator_id}"
    )


def _event(seq: int) -> Event:
    now = utc_now()
    row = ConversationSchema(
        id=7,
        site_id=_SITE,
        mode="pending",
        visitor=VisitorSchema(session_id=_HANDLE, name="Jane"),
        last_message=LastMessage(seq=seq, role="visitor", preview=_TEXT[:100], created_at=now),
        last_seq=seq,
        created_at=now,
        updated_at=now,
    )
    message = MessageCreated(
        id=seq + 1,
        conversation_id=7,
        seq=seq,
        role="visitor",
        content=f"~{time.time():.6f}~ {_TEXT}",
        created_at=now,
        conversation=row,
    )
    return new_event(message, tenant_id=_TENANT, site_id=_SITE, conversation_id=7, session=_HANDLE)


async def _connected(amqp_url: str) -> BrokerConnection:
    broker = BrokerConnection(amqp_url)
    await broker.start()
    while broker.unready_reason():  # noqa: ASYNC110 - it has no event to wait for
        await asyncio.sleep(0.02)
    return broker


@asynccontextmanager
async def _start_servers(bench: BenchmarkContext) -> AsyncIterator[Servers]:
    notify = bench.stack.processes("notify")[0]
    (port,) = free_ports(1)
    baseline = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.baseline_streams", str(port), env=os.environ
    )
    notify_pid = notify.process.pid
    for pid in (notify_pid, baseline.pid):
        raise_file_limit(pid)
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(20):
            await _wait_answering(http, port)
        yield Servers(
            bench.amqp_url, notify.port, notify_pid, port, baseline.pid, bench.stack.environment("notify")[_SECRET]
        )
    finally:
        baseline.terminate()
        await baseline.wait()


_SECRET = "PARLEY_IDENTITY_SECRET"  # noqa: S105 - the name of a variable


async def _wait_answering(http: aiohttp.ClientSession, port: int) -> None:
    while True:
        try:
            async with http.post(f"http://127.0.0.1:{port}/burst", params={"events": 0}):
                return
        except aiohttp.ClientError:
            await asyncio.sleep(0.05)


BENCHMARK = Benchmark(
    "fanout",
    "event deliveries per second from one notify process; bytes per idle stream; readers alongside slow clients.",
    "pre-encoded writes to as many sockets from one process (aiohttp, uvloop).",
    run,
)
