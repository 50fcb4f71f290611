"""Benchmark `fanout`: events from one notify process to thousands of streams, beside bare writes to as many sockets."""

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
from parley.common.auth.identity import HEADER, IdentitySigner, OperatorCaller, Permission
from parley.common.events import Event, new_event
from parley.common.events.messages import MessageCreated
from parley.common.events.schemas import ConversationView, LastMessage, VisitorView
from parley.common.messaging import Bus
from parley.common.runtime.clock import utc_now
from parley.notify.streaming.frames import operator_frame
from parley_dev.ports import free_ports

_TENANT, _SITE = 990_002, 990_002
_HANDLE = "sess_" + "0" * 32
_WORDS = "Is there a person I could speak to about my order? It has not come. " * 3
_LATEST_SECONDS = 60.0
_TOGETHER = 50
_EACH_SECOND = 10
"""Events a second while waits are compared: to a thousand readers, a tenth of what one process can."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Where both sides are, and how to be let in."""

    amqp_url: str
    notify: int
    notify_pid: int
    bare: int
    bare_pid: int
    secret: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Deliveries a second, burst for burst; bytes that an idle stream takes in the process."""

    measured: list[float]
    floor: list[float]
    measured_cpu: list[float]
    """The same by the second of processor time that the process took."""
    floor_cpu: list[float]
    bytes_measured: float
    bytes_floor: float


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Rates and memory by number of streams; then the readers' waits with and without clients that never read."""
    figures: list[Metric] = []
    async with _sides(bench) as sides:
        for streams in (100, 1000) if bench.quick else (100, 1000, 5000):
            events = max(_TOGETHER, min(1000, 200_000 // streams // _TOGETHER * _TOGETHER))
            ran = await bench.run_in_subprocess(compare, sides, streams, events, bench.rounds())
            figures += _figures(streams, ran.result, ran.cpu)
        figures += await _beside_the_deaf(bench, sides)
    return figures


def _figures(streams: int, found: Compared, driver: float) -> list[Metric]:
    rates = AlternatingRuns(
        [Round(rate, driver_cpu=driver) for rate in found.measured], [Round(rate) for rate in found.floor]
    )
    cores = AlternatingRuns([Round(rate) for rate in found.measured_cpu], [Round(rate) for rate in found.floor_cpu])
    aim = Target("ratio", "at least", 0.8)
    made = [
        rates.metric(f"{streams} streams", "deliveries/s", aim, note="broker and readers share the machine with it"),
        cores.metric(f"{streams} streams, one core", "deliveries/CPU s", aim),
    ]
    if streams >= 1000:
        held = AlternatingRuns([Round(found.bytes_measured)], [Round(found.bytes_floor)])
        made.append(held.metric(f"an idle stream of {streams}", "bytes", Target("ratio", "at most", 1.5)))
    return made


async def _beside_the_deaf(bench: BenchmarkContext, sides: Sides) -> list[Metric]:
    ran = await bench.run_in_subprocess(waits, sides, bench.size(1000, 200), bench.seconds(10), bench.rounds(4))
    alone, beside = ran.result
    turns = AlternatingRuns(
        [Round(1000 * percentile(found, 0.99), found) for found in beside],
        [Round(1000 * percentile(found, 0.99), found) for found in alone],
    )
    note = "floor: the same without them, in the same run"
    return [
        turns.metric("p99 beside 1 % that never read", "ms", Target("ratio", "at most", 1.1), note=note),
        build_metric(
            "deliveries beside them", "share", [Round(1.0)], note="every reader was given every event, or it fails"
        ),
    ]


async def compare(sides: Sides, streams: int, events: int, rounds: int) -> Compared:
    """Bursts to both sides in turns, as many streams open on each."""
    raise_file_limit()
    bus = await _connected(sides.amqp_url)
    bare = SseClientPool(sides.bare, [_BARE] * streams)
    readers = SseClientPool(sides.notify, _requests(sides.secret, streams))
    sizes = []
    for audience, pid in ((bare, sides.bare_pid), (readers, sides.notify_pid)):
        before = resource_usage(pid).resident_bytes
        await audience.open()
        await asyncio.sleep(0.5)
        sizes.append((resource_usage(pid).resident_bytes - before) / streams)
    found = Compared([], [], [], [], sizes[1], sizes[0])
    async with aiohttp.ClientSession() as http:
        for number in range(rounds + 1):
            used = [resource_usage(sides.bare_pid).cpu_seconds, resource_usage(sides.notify_pid).cpu_seconds]
            bare_took = await _bare_burst(http, sides.bare, bare, events)
            took = await _burst(bus, readers, events)
            if not number:
                continue  # The first of each only warms up.
            found.floor.append(events * streams / bare_took)
            found.measured.append(events * streams / took)
            found.floor_cpu.append(events * streams / (resource_usage(sides.bare_pid).cpu_seconds - used[0]))
            found.measured_cpu.append(events * streams / (resource_usage(sides.notify_pid).cpu_seconds - used[1]))
    for audience in (bare, readers):
        audience.close()
    await bus.stop()
    return found


async def _burst(bus: Bus, readers: SseClientPool, events: int) -> float:
    readers.expect(events)
    facts = [_fact(number).to_document() for number in range(events)]
    for start in range(0, events, _TOGETHER):
        # A client may owe a quarter of a megabyte before it is cut: a hundred events.
        await readers.wait_received(start - _TOGETHER, _LATEST_SECONDS)
        await bus.publish(facts[start : start + _TOGETHER])
    return await readers.wait_all_received(_LATEST_SECONDS)


async def _bare_burst(http: aiohttp.ClientSession, port: int, readers: SseClientPool, events: int) -> float:
    readers.expect(events)
    frame = operator_frame(_fact(1), 123_456)
    for start in range(0, events, _TOGETHER):
        # The same pace: what piles up at a socket goes out together, and costs next to nothing.
        await readers.wait_received(start - _TOGETHER, _LATEST_SECONDS)
        async with http.post(f"http://127.0.0.1:{port}/burst", params={"events": _TOGETHER}, data=frame) as answer:
            answer.raise_for_status()
    return await readers.wait_all_received(_LATEST_SECONDS)


async def waits(sides: Sides, streams: int, seconds: float, rounds: int) -> tuple[list[list[float]], list[list[float]]]:
    """What events took to the readers, in seconds: by themselves, and beside one in a hundred who never reads."""
    raise_file_limit()
    bus = await _connected(sides.amqp_url)
    readers = SseClientPool(sides.notify, _requests(sides.secret, streams))
    await readers.open()
    alone, beside = [], []
    await _paced(bus, readers, 2.0)
    for _ in range(rounds):
        alone.append(await _paced(bus, readers, seconds))
        silent = [await open_slow_client(sides.notify, request) for request in _requests(sides.secret, streams // 100)]
        beside.append(await _paced(bus, readers, seconds))
        for one in silent:
            one.close()
    readers.close()
    await bus.stop()
    return alone, beside


async def _paced(bus: Bus, readers: SseClientPool, seconds: float) -> list[float]:
    count = round(seconds * _EACH_SECOND)
    readers.expect(count)
    began = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / _EACH_SECOND - time.perf_counter()))
        await bus.publish([_fact(number).to_document()])
    await readers.wait_all_received(_LATEST_SECONDS)
    return list(readers.delays)


_BARE = b"GET /events HTTP/1.1\r\nHost: bare\r\n\r\n"


def _requests(secret: str, streams: int) -> list[bytes]:
    signer = IdentitySigner(secret)
    first = secrets.randbelow(10**9) + 1
    return [
        b"GET /api/v1/operator/stream HTTP/1.1\r\nHost: notify\r\n%b: %b\r\n\r\n"
        % (HEADER.encode(), signer.sign(_operator(first + number)).encode())
        for number in range(streams)
    ]


def _operator(operator_id: int) -> OperatorCaller:
    return OperatorCaller(operator_id, _TENANT, "Alex", {_SITE: frozenset(Permission)}, session_id=f"s-{operator_id}")


def _fact(seq: int) -> Event:
    now = utc_now()
    row = ConversationView(
        id=7,
        site_id=_SITE,
        mode="pending",
        visitor=VisitorView(session_id=_HANDLE, name="Jane"),
        last_message=LastMessage(seq=seq, role="visitor", preview=_WORDS[:100], created_at=now),
        last_seq=seq,
        created_at=now,
        updated_at=now,
    )
    made = MessageCreated(
        id=seq + 1,
        conversation_id=7,
        seq=seq,
        role="visitor",
        content=f"~{time.time():.6f}~ {_WORDS}",
        created_at=now,
        conversation=row,
    )
    return new_event(made, tenant_id=_TENANT, site_id=_SITE, conversation_id=7, session=_HANDLE)


async def _connected(amqp_url: str) -> Bus:
    bus = Bus(amqp_url)
    await bus.start()
    while bus.fault():  # noqa: ASYNC110 - it tells nobody when it is up
        await asyncio.sleep(0.02)
    return bus


@asynccontextmanager
async def _sides(bench: BenchmarkContext) -> AsyncIterator[Sides]:
    notify = bench.stack.processes("notify")[0]
    (port,) = free_ports(1)
    bare = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.baseline_streams", str(port), env=os.environ
    )
    notify_pid = notify.process.pid
    for pid in (notify_pid, bare.pid):
        raise_file_limit(pid)
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(20):
            await _answers(http, port)
        yield Sides(
            bench.rabbit.uri, notify.port, notify_pid, port, bare.pid, bench.stack.environment("notify")[_SECRET]
        )
    finally:
        bare.terminate()
        await bare.wait()


_SECRET = "PARLEY_IDENTITY_SECRET"  # noqa: S105 - the name of a variable


async def _answers(http: aiohttp.ClientSession, port: int) -> None:
    while True:
        try:
            async with http.post(f"http://127.0.0.1:{port}/burst", params={"events": 0}):
                return
        except aiohttp.ClientError:
            await asyncio.sleep(0.05)


BENCHMARK = Benchmark(
    "fanout",
    "event deliveries per second from one notify process; bytes of an idle stream; readers beside clients that do not.",
    "bare pre-encoded writes to as many sockets from one process (aiohttp, uvloop).",
    run,
)
