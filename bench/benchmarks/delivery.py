"""Benchmark `delivery`: latency from an operator's POST to the visitor's open stream, through all services."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from bench.baselines import deliver_documents
from bench.benchmarks.send import sample_document, to_round
from bench.driver import Connection, LoadResult, Stream, closed_loop, get, post
from bench.harness import BenchmarkContext
from bench.measurement import AlternatingRuns, Benchmark, Metric, Round, Target, alternate
from bench.requests import MESSAGE_TEXT, build_workers, operator_message
from bench.scenario import AssignedConversation

_MARKER = re.compile(rb"~([0-9a-f]+-\d+)~")
_TIMEOUT_SECONDS = 10.0
_STREAMS = 16


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Measure p50 and p99 with 1 in flight and at half of the sustained rate."""
    scenario = bench.scenario
    conversations = scenario.assigned[:_STREAMS]
    at_one = await alternate(
        bench.rounds(), lambda: _measure_baseline(bench, None), lambda: _measure_parley(bench, conversations[:1], None)
    )
    workers = build_workers([operator_message(conversation) for conversation in scenario.assigned], 64)
    sustained = await bench.run_in_subprocess(
        closed_loop, scenario.host, scenario.port, workers, bench.seconds(), secrets.token_hex(4)
    )
    # A quick run on a busy machine may not finish a single message.
    rate = max(1.0, sustained.result.rate / 2)
    at_half = await alternate(
        bench.rounds(), lambda: _measure_baseline(bench, rate), lambda: _measure_parley(bench, conversations, rate)
    )
    return [
        *_metrics("1 in flight", at_one, (6.5, 12.0)),
        *_metrics(f"at {rate:.0f} a second, half of the sustained", at_half, None),
    ]


def _metrics(name: str, runs: AlternatingRuns, peer: tuple[float, float] | None) -> list[Metric]:
    typical, worst = [Target("ratio", "at most", 2)], [Target("ratio", "at most", 3)]
    if peer is not None:
        # A quarter of the latency of the closest comparable product on such a machine.
        typical.append(Target("value", "at most", peer[0]))
        worst.append(Target("value", "at most", peer[1]))
    return [runs.latency_metric(f"{name}, p50", "p50", *typical), runs.latency_metric(f"{name}, p99", "p99", *worst)]


async def _measure_parley(
    bench: BenchmarkContext, conversations: Sequence[AssignedConversation], rate: float | None
) -> Round:
    scenario = bench.scenario
    return to_round(
        await bench.run_in_subprocess(
            deliveries, scenario.host, scenario.port, scenario.site_key, conversations, rate, bench.seconds()
        )
    )


async def _measure_baseline(bench: BenchmarkContext, rate: float | None) -> Round:
    document = sample_document(bench)
    return to_round(
        await bench.run_in_subprocess(
            deliver_documents,
            bench.mongodb_uri,
            bench.database("chat"),
            bench.amqp_url,
            document,
            rate,
            bench.seconds(),
        )
    )


async def deliveries(
    host: str,
    port: int,
    site_key: str,
    conversations: Sequence[AssignedConversation],
    rate: float | None,
    seconds: float,
) -> LoadResult:
    """Send to conversations in turn and wait for each message on its visitor's stream.

    `rate`: None for one at a time; else so many a second, with latencies counted from the scheduled time.
    """
    run_id, due = secrets.token_hex(4), dict[bytes, float]()
    load = LoadResult(seconds)
    arrived = asyncio.Event()

    def on_event(event: bytes) -> None:
        marker = _MARKER.search(event)
        scheduled = due.pop(marker[1], None) if marker else None
        if scheduled is not None:
            load.latencies.append(time.perf_counter() - scheduled)
            arrived.set()

    async def wait_all_arrived() -> None:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            while due:
                arrived.clear()
                await arrived.wait()

    async with _open_streams(host, port, site_key, conversations, on_event) as connections:
        started, number = time.perf_counter(), 0
        tasks: set[asyncio.Task[None]] = set()
        while (now := time.perf_counter()) < started + seconds:
            number += 1
            token = f"{run_id}-{number}"
            scheduled = now if rate is None else started + number / rate
            if scheduled > now:
                await asyncio.sleep(scheduled - now)
            due[token.encode()] = scheduled
            conversation = conversations[number % len(conversations)]
            sending = asyncio.create_task(_send(connections, host, port, conversation, token))
            if rate is None:
                await sending
                await wait_all_arrived()
            else:
                tasks.add(sending)
                sending.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        await wait_all_arrived()
    return load


@asynccontextmanager
async def _open_streams(
    host: str,
    port: int,
    site_key: str,
    conversations: Sequence[AssignedConversation],
    on_event: Callable[[bytes], None],
) -> AsyncIterator[list[Connection]]:
    streams = [
        await Stream.open(
            host, port, get(f"/api/v1/chat/events?site_key={site_key}&session_id={one.session_id}"), on_event
        )
        for one in conversations
    ]
    idle = [await Connection.open(host, port)]
    try:
        yield idle
    finally:
        for stream in streams:
            stream.close()
        for connection in idle:
            connection.close()


async def _send(idle: list[Connection], host: str, port: int, conversation: AssignedConversation, token: str) -> None:
    connection = idle.pop() if idle else await Connection.open(host, port)
    body = json.dumps({"conversation_id": conversation.conversation_id, "content": f"{MESSAGE_TEXT}~{token}~"}).encode()
    response = await connection.request(post("/api/v1/operator/message", body, conversation.token, token))
    if response.status != 200:
        raise RuntimeError(f"a message was rejected: {response.status} {response.body[:300]!r}")
    idle.append(connection)


BENCHMARK = Benchmark(
    "delivery",
    "from an operator's POST to the visitor's open stream.",
    "one insert, one confirmed publish and one write to a socket with the plain client libraries, one after the other.",
    run,
)
