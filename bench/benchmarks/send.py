"""Benchmark `send`: messages acknowledged per second through the gateway, durable, beside bare inserts."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count

from bench.baselines import Document, insert_documents
from bench.driver import LoadResult, closed_loop
from bench.harness import BenchmarkContext, SubprocessResult
from bench.measurement import AlternatingRuns, Benchmark, Metric, Round, Target, alternate
from bench.requests import MESSAGE_TEXT, build_workers, operator_message, visitor_message
from parley.chat.conversations.mappers import message_document
from parley.chat.conversations.model import Message
from parley.common.events.schemas import Person

_AT_ONCE = (1, 16, 64)
_first_ids = count(1, 10_000_000)


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Rates and waits of operators at 1, 16 and 64 in flight, and of visitors at 64."""
    scene = bench.scenario
    operators = [operator_message(held) for held in scene.assigned]
    visitors = [visitor_message(scene.site_key, held) for held in scene.assigned]
    figures: list[Metric] = []
    for at_once in _AT_ONCE:
        figures += _operators(at_once, await _turns(bench, operators, at_once))
    turns = await _turns(bench, visitors, 64)
    return [
        *figures,
        turns.metric("visitors, 64 in flight", "messages/s"),
        turns.latency_metric("visitors, 64 in flight, p50", "p50"),
    ]


async def _turns(bench: BenchmarkContext, requests: Sequence[bytes], at_once: int) -> AlternatingRuns:
    await _send(bench, requests, at_once, bench.seconds(2))
    return await alternate(
        bench.rounds(),
        lambda: _insert(bench, at_once),
        lambda: _send(bench, requests, at_once, bench.seconds()),
    )


def _operators(at_once: int, turns: AlternatingRuns) -> list[Metric]:
    aims = (Target("ratio", "at least", 0.6), Target("value", "at least", 1000)) if at_once == 64 else ()
    rate = turns.metric(f"{at_once} in flight", "messages/s", *aims)
    waits = [Target("ratio", "at most", 2.5)] if at_once == 1 else []
    return [rate, turns.latency_metric(f"{at_once} in flight, p50", "p50", *waits)]


async def _send(bench: BenchmarkContext, requests: Sequence[bytes], at_once: int, seconds: float) -> Round:
    scene, lanes = bench.scenario, build_workers(requests, at_once)
    ran = await bench.run_in_subprocess(closed_loop, scene.host, scene.port, lanes, seconds, secrets.token_hex(4))
    if ran.result.rejected:
        raise RuntimeError(f"{ran.result.rejected} messages were refused")
    return to_round(ran)


async def _insert(bench: BenchmarkContext, at_once: int) -> Round:
    document = sample_document(bench)
    ran = await bench.run_in_subprocess(
        insert_documents, bench.mongo.uri, bench.database("chat"), document, at_once, bench.seconds(), next(_first_ids)
    )
    return to_round(ran)


def to_round(ran: SubprocessResult[LoadResult]) -> Round:
    """A round whose figure is a rate."""
    return Round(ran.result.rate, ran.result.latencies, ran.cpu)


def sample_document(bench: BenchmarkContext) -> Document:
    """A message as chat keeps it."""
    scene = bench.scenario
    return message_document(
        Message(
            id=1,
            tenant_id=scene.tenant_id,
            site_id=scene.site_id,
            conversation_id=scene.assigned[0].conversation_id,
            session="sess_" + "0" * 32,
            seq=1,
            role="operator",
            content=f"{MESSAGE_TEXT}and {secrets.token_hex(16)}",
            created_at=datetime.now(UTC),
            sender=Person(id=scene.operator_id, name="Alex Archer"),
            message_id=f"operator:{scene.operator_id}:{secrets.token_hex(16)}",
        )
    )


BENCHMARK = Benchmark(
    "send",
    "messages acknowledged per second, durable: operators' at 1, 16 and 64 in flight, visitors' at 64.",
    "the same documents inserted one by one straight with the driver, majority and journalled.",
    run,
)
