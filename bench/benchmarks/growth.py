"""Benchmark `growth`: what each service holds and uses as streams, conversations and sites grow tenfold, twice."""

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
"""A step of ten costs at most this much more, for each one, than the step before it: more would not be linear."""
_NOISE_BYTES = 3 * 2**20
"""Less than that between two steps is the allocator's, not growth."""
_SEEDED_FROM = 2_000_000


@dataclass(frozen=True, slots=True)
class _Seen:
    """Every service at one step: memory, and the share of a core used while nothing was asked of it."""

    count: int
    usage: dict[str, ResourceUsage]
    idle_cpu: dict[str, float]


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Memory for each one more, and whether that stays so."""
    steps = _QUICK_STEPS if bench.quick else _STEPS
    figures: list[Metric] = []
    for what, grow in (("streams", _streams), ("conversations", _conversations), ("sites", _sites)):
        seen = await grow(bench, steps)
        figures += [found for service in SERVICES for found in _figures(what, service, seen)]
    return figures


def _figures(what: str, service: str, seen: Sequence[_Seen]) -> list[Metric]:
    grown = [
        after.usage[service].resident_bytes - before.usage[service].resident_bytes for before, after in pairwise(seen)
    ]
    each = [
        Round(max(0.0, more / (after.count - before.count)) / 1024)
        for more, (before, after) in zip(grown, pairwise(seen), strict=True)
    ]
    last = seen[-1]
    held = ", ".join(f"{one.count}: {one.usage[service].resident_bytes / 2**20:.0f} MB" for one in seen)
    idle = f"; idle CPU at {last.count}: {100 * last.idle_cpu[service]:.1f} % of a core"
    linear = [each[-2]] if len(each) > 1 and min(grown[-2:]) > _NOISE_BYTES else []
    aims = (Target("ratio", "at most", _LINEAR),) if linear else ()
    return [
        build_metric(f"{service}, for each of {last.count} {what}", "KiB", each[-1:], linear, *aims, note=held + idle)
    ]


async def _seen(bench: BenchmarkContext, count: int) -> _Seen:
    await asyncio.sleep(_SETTLE_SECONDS)
    before = {service: bench.usage(service) for service in SERVICES}
    seconds = bench.seconds()
    await asyncio.sleep(seconds)
    after = {service: bench.usage(service) for service in SERVICES}
    idle = {name: (after[name].cpu_seconds - before[name].cpu_seconds) / seconds for name in SERVICES}
    return _Seen(count, after, idle)


async def _grown(
    bench: BenchmarkContext, steps: Sequence[int], grow: Callable[[int, int], Awaitable[None]]
) -> list[_Seen]:
    seen, have = [], 0
    for step in steps:
        await grow(have, step)
        seen.append(await _seen(bench, step))
        have = step
    return seen


async def _streams(bench: BenchmarkContext, steps: Sequence[int]) -> list[_Seen]:
    """Visitors' streams; they are held in this process, which does nothing else meanwhile."""
    scene = bench.scenario
    streams: list[Stream] = []

    async def grow(have: int, want: int) -> None:
        for _ in range(have, want):
            visitor = f"site_key={scene.site_key}&session_id={secrets.token_hex(16)}"
            request = get(f"/api/v1/chat/events?{visitor}")
            streams.append(await Stream.open(scene.host, scene.port, request, lambda _: None))

    try:
        return await _grown(bench, steps, grow)
    finally:
        for stream in streams:
            stream.close()


async def _conversations(bench: BenchmarkContext, steps: Sequence[int]) -> list[_Seen]:
    """Conversations that an operator holds, with a message said in each."""
    scene = bench.scenario
    place = SeedTarget(bench.mongo.uri, bench.database("chat"), scene.tenant_id, scene.site_id, scene.operator_id)

    async def grow(have: int, want: int) -> None:
        # One in forty is held: that one is written to.
        first, last = (_SEEDED_FROM + 40 * number for number in (have, want))
        await bench.run_in_subprocess(seed, place, first, last)
        ids = [FIRST_ID + number for number in range(first, last) if number % 40 == 3]
        lanes = [
            Worker(
                tuple(
                    operator_message(AssignedConversation(number, "", scene.operator_token)) for number in ids[lane::8]
                )
            )
            for lane in range(8)
        ]
        await bench.run_in_subprocess(_once, scene.host, scene.port, [lane for lane in lanes if lane.requests])

    return await _grown(bench, steps, grow)


async def _once(host: str, port: int, lanes: Sequence[Worker]) -> None:
    """Every request of every lane, once."""

    async def send(lane: Worker) -> None:
        connection = await Connection.open(host, port)
        for request in lane.requests:
            answer = await connection.request(request)
            if answer.status not in (200, 201):
                raise RuntimeError(f"refused: {answer.status} {answer.body[:300]!r}")
        connection.close()

    await asyncio.gather(*(send(lane) for lane in lanes))


async def _sites(bench: BenchmarkContext, steps: Sequence[int]) -> list[_Seen]:
    """Sites of one tenant, each looked at by a widget: known to the gateway and to chat."""
    scene = bench.scenario

    async def grow(have: int, want: int) -> None:
        connection = await Connection.open(scene.host, scene.port)
        for number in range(have, want):
            body = json.dumps({"name": f"Site {number}", "domains": [f"site-{number}.test"]}).encode()
            made = await connection.request(post("/api/v1/sites", body, scene.owner_token))
            if made.status != 201:
                raise RuntimeError(f"refused: {made.status} {made.body[:300]!r}")
            key = json.loads(made.body)["site"]["site_key"]
            visitor = f"site_key={key}&session_id={secrets.token_hex(16)}"
            await connection.request(get(f"/api/v1/chat/config?{visitor}"))
        connection.close()

    return await _grown(bench, steps, grow)


BENCHMARK = Benchmark(
    "growth",
    "memory of every service for each stream, conversation and site, growing tenfold, twice.",
    "what each cost in the step before: linear at worst.",
    run,
)
