"""The part of `scale` for notify: sixteen tenants, each with a stream, on one, two and four replicas.

A tenant's stream is where the gateway would place it: all streams of a partition on one replica.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from bench.harness import BenchmarkContext, resource_usage
from bench.measurement import AlternatingRuns, Metric, Round, Target, build_metric
from bench.sse_clients import SseClientPool, raise_file_limit
from parley.common.auth.identity import IDENTITY_HEADER, IdentitySigner, OperatorCaller, Permission
from parley.common.events import Event, new_event
from parley.common.events.messages import MessageCreated
from parley.common.events.schemas import ConversationSchema, LastMessage, VisitorSchema
from parley.common.log_partitions import DEFAULT_PARTITIONS, get_partition
from parley.common.messaging import BrokerConnection
from parley.common.runtime.clock import utc_now
from parley_dev.ports import free_ports

_TENANTS = 16
_FIRST_TENANT = 991_008
_LOADS = ((1, 640), (2, 1280), (4, 2560), (2, 640), (4, 640))
"""Replicas, and events a second of all tenants together. The first is what the others are compared with."""
_ROUNDS = 3
_TIMEOUT_SECONDS = 60.0
_START_TIMEOUT_SECONDS = 60.0
_STOP_TIMEOUT_SECONDS = 10.0
_SECRET = "PARLEY_IDENTITY_SECRET"  # noqa: S105 - the name of a variable
_TEXT = "Is there a person I could speak to about my order? It has not arrived. " * 3


@dataclass(frozen=True, slots=True)
class Replicas:
    """The replicas of one measurement: their public ports and processes, and how to reach them."""

    ports: Sequence[int]
    pids: Sequence[int]
    amqp_url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of processor time of all replicas together, and their resident memory in bytes."""

    per_event: float
    idle_share: float
    """Share of a core that they use while nothing happens."""
    resident_bytes: int


async def measure_notify(bench: BenchmarkContext) -> list[Metric]:
    """Compare each number of replicas with one replica in the same round."""
    costs: dict[tuple[int, int], list[Cost]] = {load: [] for load in _LOADS}
    for number in range(1, bench.rounds(_ROUNDS) + 1):
        for count, rate in _LOADS:
            async with _start_replicas(bench, count) as replicas:
                cost = (await bench.run_in_subprocess(measure, replicas, rate, bench.seconds(8))).result
            costs[count, rate].append(cost)
            bench.output(f"  round {number}, {_name(count, rate)}: {cost.per_event:.0f} µs/event")
    return [metric for load in _LOADS for metric in _metrics(_name(*load), costs[load], costs[_LOADS[0]])]


def _name(replicas: int, rate: int) -> str:
    return f"notify, {'1 replica' if replicas == 1 else f'{replicas} replicas'}, {rate} events/s"


def _metrics(name: str, costs: Sequence[Cost], base: Sequence[Cost]) -> list[Metric]:
    runs = AlternatingRuns([Round(cost.per_event) for cost in costs], [Round(cost.per_event) for cost in base])
    note = "all replicas together, less what they use while idle"
    return [
        runs.metric(f"{name}: reading", "CPU µs/event", Target("ratio", "at most", 1.15), note=note),
        build_metric(f"{name}: idle", "cores", [Round(cost.idle_share) for cost in costs]),
        build_metric(f"{name}: memory", "MB", [Round(cost.resident_bytes / 1e6) for cost in costs]),
    ]


async def measure(replicas: Replicas, rate: int, seconds: float) -> Cost:
    """Publish events of all tenants at a fixed rate (events a second) until each stream has shown its own."""
    raise_file_limit()
    broker = BrokerConnection(replicas.amqp_url)
    await broker.start()
    async with asyncio.timeout(_START_TIMEOUT_SECONDS):
        while broker.unready_reason():  # noqa: ASYNC110 - it has no event to wait for
            await asyncio.sleep(0.02)
    pools = [SseClientPool(port, _requests(replicas, index)) for index, port in enumerate(replicas.ports)]
    for pool in pools:
        await pool.open()
    try:
        await _publish(broker, pools, rate, 1.0)
        started = time.monotonic()
        before = resource_usage(*replicas.pids).cpu_seconds
        await asyncio.sleep(seconds / 2)
        idle_share = (resource_usage(*replicas.pids).cpu_seconds - before) / (time.monotonic() - started)
        started, before = time.monotonic(), resource_usage(*replicas.pids).cpu_seconds
        events = await _publish(broker, pools, rate, seconds)
        used = resource_usage(*replicas.pids)
        cpu_seconds = used.cpu_seconds - before - idle_share * (time.monotonic() - started)
        return Cost(1e6 * cpu_seconds / events, idle_share, used.resident_bytes)
    finally:
        for pool in pools:
            pool.close()
        await broker.stop()


async def _publish(broker: BrokerConnection, pools: Sequence[SseClientPool], rate: int, seconds: float) -> int:
    """Publish for this long, wait until every stream has its events, and return how many there were."""
    rounds = max(1, round(seconds * rate / _TENANTS))
    for pool in pools:
        pool.expect(rounds)
    started = time.perf_counter()
    for number in range(rounds):
        due = started + number * _TENANTS / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await broker.publish([_event(_FIRST_TENANT + one, number + 1).to_document() for one in range(_TENANTS)])
    for pool in pools:
        await pool.wait_all_received(_TIMEOUT_SECONDS)
    return rounds * _TENANTS


def _requests(replicas: Replicas, index: int) -> list[bytes]:
    """Return the requests for the streams that are placed on a replica."""
    signer = IdentitySigner(replicas.secret)
    tenants = [
        tenant_id
        for tenant_id in range(_FIRST_TENANT, _FIRST_TENANT + _TENANTS)
        if get_partition(tenant_id, DEFAULT_PARTITIONS) % len(replicas.ports) == index
    ]
    return [
        b"GET /api/v1/operator/stream HTTP/1.1\r\nHost: notify\r\n%b: %b\r\n\r\n"
        % (IDENTITY_HEADER.encode(), signer.sign(_operator(tenant_id)).encode())
        for tenant_id in tenants
    ]


def _operator(tenant_id: int) -> OperatorCaller:
    sites = {tenant_id: frozenset(Permission)}
    return OperatorCaller(tenant_id, tenant_id, "Alex", sites, login_session_id=f"s-{tenant_id}")


def _event(tenant_id: int, seq: int) -> Event:
    now = utc_now()
    handle = f"sess_{tenant_id:032d}"
    conversation = ConversationSchema(
        id=tenant_id,
        site_id=tenant_id,
        mode="pending",
        visitor=VisitorSchema(session_id=handle, name="Jane"),
        last_message=LastMessage(seq=seq, role="visitor", preview=_TEXT[:100], created_at=now),
        last_seq=seq,
        created_at=now,
        updated_at=now,
    )
    message = MessageCreated(
        id=seq,
        conversation_id=tenant_id,
        seq=seq,
        role="visitor",
        content=f"~{time.time():.6f}~ {_TEXT}",
        created_at=now,
        conversation=conversation,
    )
    return new_event(message, tenant_id=tenant_id, site_id=tenant_id, conversation_id=tenant_id, session=handle)


@asynccontextmanager
async def _start_replicas(bench: BenchmarkContext, count: int) -> AsyncIterator[Replicas]:
    environment = bench.stack.environment("notify")
    ports = free_ports(2 * count)
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "parley.notify",
            env=environment
            | {"PARLEY_PORT": str(port), "PARLEY_INTERNAL_PORT": str(internal), "PARLEY_LOG_LEVEL": "error"}
            # What earlier rounds have published is not read again at the start.
            | {"PARLEY_WINDOW_SECONDS": "5"},
        )
        for port, internal in zip(ports[::2], ports[1::2], strict=True)
    ]
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(_START_TIMEOUT_SECONDS):
            for internal in ports[1::2]:
                await _wait_ready(http, internal)
        yield Replicas(ports[::2], [process.pid for process in processes], bench.amqp_url, environment[_SECRET])
    finally:
        await asyncio.gather(*(_stop(process) for process in processes))


async def _stop(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_TIMEOUT_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _wait_ready(http: aiohttp.ClientSession, port: int) -> None:
    while True:
        try:
            async with http.get(f"http://127.0.0.1:{port}/readyz") as response:
                if response.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
