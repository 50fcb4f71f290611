"""Benchmark `lists`: what operators and visitors open, in a database with ever more conversations."""

from __future__ import annotations

import secrets
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.baselines import Document, find_pages
from bench.benchmarks.send import to_round
from bench.driver import Worker, closed_loop, get
from bench.harness import BenchmarkContext
from bench.measurement import AlternatingRuns, Benchmark, Metric, Round, Target, alternate, build_metric
from bench.seeding import FIRST_ID, SeedTarget, numbers_with_many_messages, seed, session_handle, session_id

_SIZES = (1_000, 100_000, 1_000_000)
_QUICK_SIZES = (1_000, 5_000)


@dataclass(frozen=True, slots=True)
class _List:
    """A list, as a client asks for it, and the find that answers it."""

    name: str
    requests: tuple[bytes, ...]
    collection: str
    queries: tuple[Document, ...]
    sort: tuple[tuple[str, int], ...]


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Each list at each size, and how much longer the largest takes than the smallest."""
    scene = bench.scenario
    place = SeedTarget(bench.mongo.uri, bench.database("chat"), scene.tenant_id, scene.site_id, scene.operator_id)
    sizes = _QUICK_SIZES if bench.quick else _SIZES
    figures: list[Metric] = []
    turns: dict[str, list[AlternatingRuns]] = {}
    before = 0
    for size in sizes:
        began = time.monotonic()
        await bench.run_in_subprocess(seed, place, before, size)
        bench.output(f"lists: {size - before} more conversations seeded in {time.monotonic() - began:.0f} s")
        before = size
        for one in _lists(bench, numbers_with_many_messages(0, size)):
            await _ask(bench, one, bench.seconds(1))
            taken = await alternate(
                bench.rounds(),
                lambda one=one: _find(bench, one),  # type: ignore[misc]
                lambda one=one: _ask(bench, one, bench.seconds(2)),  # type: ignore[misc]
            )
            turns.setdefault(one.name, []).append(taken)
            figures.append(taken.latency_metric(f"{one.name}, {size} conversations, p50", "p50"))
    return figures + [_flatness(name, sizes, taken) for name, taken in turns.items()]


def _flatness(name: str, sizes: Sequence[int], taken: Sequence[AlternatingRuns]) -> Metric:
    smallest, largest = taken[0], taken[-1]
    against = [
        [Round(1000 * statistics.median(one.latencies)) for one in turns.measured] for turns in (smallest, largest)
    ]
    return build_metric(
        f"{name}, {sizes[-1]} beside {sizes[0]} conversations, p50",
        "ms",
        against[1],
        against[0],
        Target("ratio", "at most", 1.3),
        note="the floor is the same list at the smallest size, measured earlier in the run",
    )


def _lists(bench: BenchmarkContext, numbers: Sequence[int]) -> list[_List]:
    scene = bench.scenario
    token, ids = scene.owner_token, [FIRST_ID + number for number in numbers]
    sessions = [session_id(number) for number in numbers]
    visitor = f"site_key={scene.site_key}&session_id="
    in_site = {"tenant_id": scene.tenant_id, "site_id": scene.site_id}
    newest_first = (("seq", -1),)
    return [
        _List(
            "active chats",
            (get(f"/api/v1/operator/active-chats?site_id={scene.site_id}", token),),
            "conversations",
            ({**in_site, "site_id": {"$in": [scene.site_id]}, "mode": {"$in": ["pending", "operator"]}},),
            (("queue_at", 1), ("_id", 1)),
        ),
        _List(
            "conversation",
            tuple(get(f"/api/v1/operator/conversation/{number}", token) for number in ids),
            "messages",
            tuple({"conversation_id": number, "tenant_id": scene.tenant_id} for number in ids),
            newest_first,
        ),
        _List(
            "history",
            tuple(get(f"/api/v1/chat/history?{visitor}{session}") for session in sessions),
            "conversations",
            tuple({"visitor_key": f"{scene.site_id}:{session_handle(scene.site_id, session)}"} for session in sessions),
            (("created_at", -1), ("_id", -1)),
        ),
    ]


async def _ask(bench: BenchmarkContext, one: _List, seconds: float) -> Round:
    scene = bench.scenario
    lanes = [Worker(one.requests)]
    ran = await bench.run_in_subprocess(closed_loop, scene.host, scene.port, lanes, seconds, secrets.token_hex(4))
    if ran.result.rejected or not ran.result.latencies:
        raise RuntimeError(f"{one.name}: {ran.result.rejected} requests were refused")
    return to_round(ran)


async def _find(bench: BenchmarkContext, one: _List) -> Round:
    uri, database = bench.mongo.uri, bench.database("chat")
    return to_round(
        await bench.run_in_subprocess(
            find_pages, uri, database, one.collection, one.queries, one.sort, bench.seconds(2)
        )
    )


BENCHMARK = Benchmark(
    "lists",
    "active chats, a conversation and a visitor's history, one request at a time, as the database grows.",
    "the find on the same index, straight with the driver.",
    run,
)
