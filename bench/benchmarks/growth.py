"""Benchmark `growth`: memory and idle CPU of each service as streams, conversations and sites grow tenfold, twice."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.driver import Connection, Stream, Worker, get, post
from bench.harness import BenchmarkContext, ResourceUsage
from bench.measurement import Benchmark, Metric, Round, Target, build_metric
from bench.requests import operator_message
from bench.scenario import AssignedConversation
from bench.seeding import FIRST_ID, SeedTarget, seed
from parley_dev.stack import SERVICES

_STEPS = (50, 500, 5_000)
_QUICK_STEPS = (5, 50)
_SETTLE_SECONDS = 2.0
_LINEAR = 1.5
"""Cost per item may grow by at most this factor from one step of ten to the next: more would not be linear."""
_NOISE_BYTES = 3 * 2**20
"""A smaller difference between two steps is allocator noise."""
_SEEDED_FROM = 2_000_000


@dataclass(frozen=True, slots=True)
class _Sample:
    """Memory of every service at one step, and the share of a core that it used while idle."""

    count: int
    usage: dict[str, ResourceUsage]
    idle_cpu: dict[str, float]


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Measure memory per additional item, and whether it stays linear."""
    steps = _QUICK_STEPS if bench.quick else _STEPS
    metrics: list[Metric] = []
    for what, grow in (("streams", _grow_streams), ("conversations", _grow_conversations), ("sites", _grow_sites)):
        samples = await grow(bench, steps)
        metrics += [one for service in SERVICES for one in _metrics(what, service, samples)]
    return metrics


def _metrics(what: str, service: str, samples: Sequence[_Sample]) -> list[Metric]:
    growth_bytes = [
        after.usage[service].resident_bytes - before.usage[service].resident_bytes
        for before, after in pairwise(samples)
    ]
    cost_per_item = [
        Round(max(0.0, more / (after.count - before.count)) / 1024)
        for more, (before, after) in zip(growth_bytes, pairwise(samples), strict=True)
    ]
    last = samples[-1]
    memory_note = ", ".join(f"{one.count}: {one.usage[service].resident_bytes / 2**20:.0f} MB" for one in samples)
    idle_note = f"; idle CPU at {last.count}: {100 * last.idle_cpu[service]:.1f} % of a core"
    linear = [cost_per_item[-2]] if len(cost_per_item) > 1 and min(growth_bytes[-2:]) > _NOISE_BYTES else []
    targets = (Target("ratio", "at most", _LINEAR),) if linear else ()
    return [
        build_metric(
            f"{service}, for each of {last.count} {what}",
            "KiB",
            cost_per_item[-1:],
            linear,
            *targets,
            note=memory_note + idle_note,
        )
    ]


async def _sample(bench: BenchmarkContext, count: int) -> _Sample:
    await asyncio.sleep(_SETTLE_SECONDS)
    before = {service: bench.usage(service) for service in SERVICES}
    seconds = bench.seconds()
    await asyncio.sleep(seconds)
    after = {service: bench.usage(service) for service in SERVICES}
    idle = {name: (after[name].cpu_seconds - before[name].cpu_seconds) / seconds for name in SERVICES}
    return _Sample(count, after, idle)


async def _measure_steps(
    bench: BenchmarkContext, steps: Sequence[int], grow: Callable[[int, int], Awaitable[None]]
) -> list[_Sample]:
    samples, current = [], 0
    for step in steps:
        await grow(current, step)
        samples.append(await _sample(bench, step))
        current = step
    return samples


async def _grow_streams(bench: BenchmarkContext, steps: Sequence[int]) -> list[_Sample]:
    """Open visitors' streams, held by this process, which does nothing else meanwhile."""
    scenario = bench.scenario
    streams: list[Stream] = []

    async def grow(current: int, target: int) -> None:
        for _ in range(current, target):
            visitor = f"site_key={scenario.site_key}&session_id={secrets.token_hex(16)}"
            request = get(f"/api/v1/chat/events?{visitor}")
            streams.append(await Stream.open(scenario.host, scenario.port, request, lambda _: None))

    try:
        return await _measure_steps(bench, steps, grow)
    finally:
        for stream in streams:
            stream.close()


async def _grow_conversations(bench: BenchmarkContext, steps: Sequence[int]) -> list[_Sample]:
    """Seed conversations, and send a message to each one that is assigned to the operator."""
    scenario = bench.scenario
    seed_target = SeedTarget(
        bench.mongodb_uri, bench.database("chat"), scenario.tenant_id, scenario.site_id, scenario.operator_id
    )

    async def grow(current: int, target: int) -> None:
        # One in forty is assigned to the operator: only that one can be written to.
        first, last = (_SEEDED_FROM + 40 * number for number in (current, target))
        await bench.run_in_subprocess(seed, seed_target, first, last)
        ids = [FIRST_ID + number for number in range(first, last) if number % 40 == 3]
        workers = [
            Worker(
                tuple(
                    operator_message(AssignedConversation(number, "", scenario.operator_token))
                    for number in ids[offset::8]
                )
            )
            for offset in range(8)
        ]
        await bench.run_in_subprocess(
            _send_once, scenario.host, scenario.port, [worker for worker in workers if worker.requests]
        )

    return await _measure_steps(bench, steps, grow)


async def _send_once(host: str, port: int, workers: Sequence[Worker]) -> None:
    """Send every request of every worker once."""

    async def send(worker: Worker) -> None:
        connection = await Connection.open(host, port)
        for request in worker.requests:
            response = await connection.request(request)
            if response.status not in (200, 201):
                raise RuntimeError(f"rejected: {response.status} {response.body[:300]!r}")
        connection.close()

    await asyncio.gather(*(send(worker) for worker in workers))


async def _grow_sites(bench: BenchmarkContext, steps: Sequence[int]) -> list[_Sample]:
    """Create sites of one tenant and load each one's widget configuration, so that gateway and chat cache it."""
    scenario = bench.scenario

    async def grow(current: int, target: int) -> None:
        connection = await Connection.open(scenario.host, scenario.port)
        for number in range(current, target):
            body = json.dumps({"name": f"Site {number}", "domains": [f"site-{number}.test"]}).encode()
            response = await connection.request(post("/api/v1/sites", body, scenario.owner_token))
            if response.status != 201:
                raise RuntimeError(f"rejected: {response.status} {response.body[:300]!r}")
            key = json.loads(response.body)["site"]["site_key"]
            visitor = f"site_key={key}&session_id={secrets.token_hex(16)}"
            await connection.request(get(f"/api/v1/chat/config?{visitor}"))
        connection.close()

    return await _measure_steps(bench, steps, grow)


BENCHMARK = Benchmark(
    "growth",
    "memory of every service for each stream, conversation and site, growing tenfold, twice.",
    "the cost per item in the step before: linear at worst.",
    run,
)
