"""Benchmark `send`: durable messages acknowledged per second through the gateway, compared with plain inserts."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from itertools import count

from bench.baselines import Document, insert_documents, insert_in_batches
from bench.driver import LoadResult, closed_loop
from bench.harness import BenchmarkContext, SubprocessResult
from bench.measurement import AlternatingRuns, Benchmark, Metric, Round, Target, alternate
from bench.requests import MESSAGE_TEXT, build_workers, operator_message, visitor_message
from parley.chat.messages.mappers import message_document
from parley.chat.messages.model import Message
from parley.common.events.schemas import OperatorRef

_CONCURRENCY = (1, 16, 64)
_first_ids = count(1, 10_000_000)


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Measure rates and latencies of operators with 1, 16 and 64 in flight, and of visitors with 64."""
    scenario = bench.scenario
    operators = [operator_message(one) for one in scenario.assigned]
    visitors = [visitor_message(scenario.site_key, one) for one in scenario.assigned]
    metrics: list[Metric] = []
    for concurrency in _CONCURRENCY:
        metrics += _operator_metrics(concurrency, await _alternating_runs(bench, operators, concurrency))
    runs = await _alternating_runs(bench, visitors, 64)
    return [
        *metrics,
        runs.metric("visitors, 64 in flight", "messages/s"),
        runs.latency_metric("visitors, 64 in flight, p50", "p50"),
    ]


async def _alternating_runs(bench: BenchmarkContext, requests: Sequence[bytes], concurrency: int) -> AlternatingRuns:
    await _send(bench, requests, concurrency, bench.seconds(2))
    return await alternate(
        bench.rounds(),
        lambda: _insert(bench, insert_documents, concurrency),
        lambda: _send(bench, requests, concurrency, bench.seconds()),
        lambda: _insert(bench, insert_in_batches, concurrency),
    )


def _operator_metrics(concurrency: int, runs: AlternatingRuns) -> list[Metric]:
    targets = (Target("ratio", "at least", 0.6), Target("value", "at least", 1000)) if concurrency == 64 else ()
    rate = runs.metric(f"{concurrency} in flight", "messages/s", *targets)
    latency_targets = [Target("ratio", "at most", 2.5)] if concurrency == 1 else []
    return [rate, runs.latency_metric(f"{concurrency} in flight, p50", "p50", *latency_targets)]


async def _send(bench: BenchmarkContext, requests: Sequence[bytes], concurrency: int, seconds: float) -> Round:
    scenario, workers = bench.scenario, build_workers(requests, concurrency)
    measured = await bench.run_in_subprocess(
        closed_loop, scenario.host, scenario.port, workers, seconds, secrets.token_hex(4)
    )
    if measured.result.rejected:
        raise RuntimeError(f"{measured.result.rejected} messages were rejected")
    return to_round(measured)


async def _insert(
    bench: BenchmarkContext,
    insert: Callable[[str, str, Document, int, float, int], Awaitable[LoadResult]],
    concurrency: int,
) -> Round:
    document = sample_document(bench)
    measured = await bench.run_in_subprocess(
        insert,
        bench.mongodb_uri,
        bench.database("chat"),
        document,
        concurrency,
        bench.seconds(),
        next(_first_ids),
    )
    return to_round(measured)


def to_round(measured: SubprocessResult[LoadResult]) -> Round:
    """Build a round whose value is a rate."""
    return Round(measured.result.rate, measured.result.latencies, measured.cpu)


def sample_document(bench: BenchmarkContext) -> Document:
    """Build a message document as chat stores it."""
    scenario = bench.scenario
    return message_document(
        Message(
            id=1,
            tenant_id=scenario.tenant_id,
            site_id=scenario.site_id,
            conversation_id=scenario.assigned[0].conversation_id,
            session="sess_" + "0" * 32,
            seq=1,
            role="operator",
            content=f"{MESSAGE_TEXT}and {secrets.token_hex(16)}",
            created_at=datetime.now(UTC),
            sender=OperatorRef(id=scenario.operator_id, name="Alex Archer"),
            message_id=f"operator:{scenario.operator_id}:{secrets.token_hex(16)}",
        )
    )


BENCHMARK = Benchmark(
    "send",
    "messages acknowledged per second, durable: operators' at 1, 16 and 64 in flight, visitors' at 64.",
    "the same documents inserted one by one with the database driver, majority and journalled; batched: those that are "
    "concurrent in one write.",
    run,
)
