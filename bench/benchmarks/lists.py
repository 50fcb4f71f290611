"""Benchmark `lists`: lists that operators and visitors open, as the number of conversations grows."""

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
from bench.seeding import FIRST_ID, SeedTarget, numbers_with_many_messages, seed, session_id
from parley.common.auth.visitor_session import session_handle

_SIZES = (1_000, 100_000, 1_000_000)
_QUICK_SIZES = (1_000, 5_000)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A list as clients request it, and the equivalent find."""

    name: str
    requests: tuple[bytes, ...]
    collection: str
    queries: tuple[Document, ...]
    sort: tuple[tuple[str, int], ...]


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Measure each list at each size, and the largest size compared with the smallest."""
    scenario = bench.scenario
    seed_target = SeedTarget(
        bench.mongodb_uri, bench.database("chat"), scenario.tenant_id, scenario.site_id, scenario.operator_id
    )
    sizes = _QUICK_SIZES if bench.quick else _SIZES
    metrics: list[Metric] = []
    runs: dict[str, list[AlternatingRuns]] = {}
    before = 0
    for size in sizes:
        started = time.monotonic()
        await bench.run_in_subprocess(seed, seed_target, before, size)
        bench.output(f"lists: seeded {size - before} more conversations in {time.monotonic() - started:.0f} s")
        before = size
        for query in _list_queries(bench, numbers_with_many_messages(0, size)):
            await request(bench, query, bench.seconds(1))
            result = await alternate(
                bench.rounds(),
                lambda query=query: find(bench, query),  # type: ignore[misc]
                lambda query=query: request(bench, query, bench.seconds(2)),  # type: ignore[misc]
            )
            runs.setdefault(query.name, []).append(result)
            metrics.append(result.latency_metric(f"{query.name}, {size} conversations, p50", "p50"))
    return metrics + [_flatness(name, sizes, results) for name, results in runs.items()]


def _flatness(name: str, sizes: Sequence[int], results: Sequence[AlternatingRuns]) -> Metric:
    smallest, largest = results[0], results[-1]
    baseline, measured = (
        [Round(1000 * statistics.median(one.latencies)) for one in runs.measured] for runs in (smallest, largest)
    )
    return build_metric(
        f"{name}, {sizes[-1]} compared with {sizes[0]} conversations, p50",
        "ms",
        measured,
        baseline,
        Target("ratio", "at most", 1.3),
        note="the baseline is the same list at the smallest size, measured earlier in the run",
    )


def _list_queries(bench: BenchmarkContext, numbers: Sequence[int]) -> list[ListQuery]:
    scenario = bench.scenario
    token, ids = scenario.owner_token, [FIRST_ID + number for number in numbers]
    sessions = [session_id(number) for number in numbers]
    visitor = f"site_key={scenario.site_key}&session_id="
    in_site = {"tenant_id": scenario.tenant_id, "site_id": scenario.site_id}
    newest_first = (("seq", -1),)
    return [
        ListQuery(
            "active chats",
            (get(f"/api/v1/operator/active-chats?site_id={scenario.site_id}", token),),
            "conversations",
            ({**in_site, "site_id": {"$in": [scenario.site_id]}, "mode": {"$in": ["pending", "operator"]}},),
            (("queue_at", 1), ("_id", 1)),
        ),
        ListQuery(
            "conversation",
            tuple(get(f"/api/v1/operator/conversation/{number}", token) for number in ids),
            "messages",
            tuple({"conversation_id": number, "tenant_id": scenario.tenant_id} for number in ids),
            newest_first,
        ),
        ListQuery(
            "history",
            tuple(get(f"/api/v1/chat/history?{visitor}{session}") for session in sessions),
            "conversations",
            tuple(
                {"visitor_key": f"{scenario.site_id}:{session_handle(scenario.site_id, session)}"}
                for session in sessions
            ),
            (("created_at", -1), ("_id", -1)),
        ),
    ]


async def request(bench: BenchmarkContext, query: ListQuery, seconds: float) -> Round:
    """Request a list again and again, one at a time."""
    scenario = bench.scenario
    workers = [Worker(query.requests)]
    measured = await bench.run_in_subprocess(
        closed_loop, scenario.host, scenario.port, workers, seconds, secrets.token_hex(4)
    )
    if measured.result.rejected or not measured.result.latencies:
        raise RuntimeError(f"{query.name}: {measured.result.rejected} requests were rejected")
    return to_round(measured)


async def find(bench: BenchmarkContext, query: ListQuery) -> Round:
    """Find the same with the database driver."""
    uri, database = bench.mongodb_uri, bench.database("chat")
    return to_round(
        await bench.run_in_subprocess(
            find_pages, uri, database, query.collection, query.queries, query.sort, bench.seconds(2)
        )
    )


BENCHMARK = Benchmark(
    "lists",
    "active chats, a conversation and a visitor's history, one request at a time, as the database grows.",
    "the find on the same index with the database driver.",
    run,
)
