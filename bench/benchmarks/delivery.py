"""Benchmark `delivery`: from an operator's POST to the visitor's open stream, through everything in between."""

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

_MARK = re.compile(rb"~([0-9a-f]+-\d+)~")
_LATEST_SECONDS = 10.0
_STREAMS = 16


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """p50 and p99 at 1 in flight and at half of the sustained rate."""
    scene = bench.scenario
    held = scene.assigned[:_STREAMS]
    at_one = await alternate(bench.rounds(), lambda: _bare(bench, None), lambda: _through(bench, held[:1], None))
    lanes = build_workers([operator_message(held) for held in scene.assigned], 64)
    sustained = await bench.run_in_subprocess(
        closed_loop, scene.host, scene.port, lanes, bench.seconds(), secrets.token_hex(4)
    )
    rate = sustained.result.rate / 2
    at_half = await alternate(bench.rounds(), lambda: _bare(bench, rate), lambda: _through(bench, held, rate))
    return [
        *_figures("1 in flight", at_one, (6.5, 12.0)),
        *_figures(f"at {rate:.0f} a second, half of the sustained", at_half, None),
    ]


def _figures(name: str, turns: AlternatingRuns, peer: tuple[float, float] | None) -> list[Metric]:
    typical, worst = [Target("ratio", "at most", 2)], [Target("ratio", "at most", 3)]
    if peer is not None:
        # A quarter of what the closest peer took on such a machine.
        typical.append(Target("value", "at most", peer[0]))
        worst.append(Target("value", "at most", peer[1]))
    return [turns.latency_metric(f"{name}, p50", "p50", *typical), turns.latency_metric(f"{name}, p99", "p99", *worst)]


async def _through(bench: BenchmarkContext, held: Sequence[AssignedConversation], rate: float | None) -> Round:
    scene = bench.scenario
    return to_round(
        await bench.run_in_subprocess(deliveries, scene.host, scene.port, scene.site_key, held, rate, bench.seconds())
    )


async def _bare(bench: BenchmarkContext, rate: float | None) -> Round:
    document = sample_document(bench)
    return to_round(
        await bench.run_in_subprocess(
            deliver_documents,
            bench.mongo.uri,
            bench.database("chat"),
            bench.rabbit.uri,
            document,
            rate,
            bench.seconds(),
        )
    )


async def deliveries(
    host: str, port: int, site_key: str, held: Sequence[AssignedConversation], rate: float | None, seconds: float
) -> LoadResult:
    """Send to conversations in turn and wait for each message on its visitor's stream.

    One at a time, or so many a second, each then counted from when it was due.
    """
    mark, due = secrets.token_hex(4), dict[bytes, float]()
    driven = LoadResult(seconds)
    arrived = asyncio.Event()

    def take(event: bytes) -> None:
        found = _MARK.search(event)
        began = due.pop(found[1], None) if found else None
        if began is not None:
            driven.latencies.append(time.perf_counter() - began)
            arrived.set()

    async with _open(host, port, site_key, held, take) as connections:
        began, number = time.perf_counter(), 0
        tasks: set[asyncio.Task[None]] = set()
        while (now := time.perf_counter()) < began + seconds:
            number += 1
            token = f"{mark}-{number}"
            when = now if rate is None else began + number / rate
            if when > now:
                await asyncio.sleep(when - now)
            due[token.encode()] = when
            arrived.clear()
            sending = asyncio.create_task(_send(connections, host, port, held[number % len(held)], token))
            if rate is None:
                await sending
                while due:
                    await asyncio.wait_for(arrived.wait(), _LATEST_SECONDS)
                    arrived.clear()
            else:
                tasks.add(sending)
                sending.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        async with asyncio.timeout(_LATEST_SECONDS):
            while due:
                arrived.clear()
                await arrived.wait()
    driven.seconds = seconds
    return driven


@asynccontextmanager
async def _open(
    host: str, port: int, site_key: str, held: Sequence[AssignedConversation], take: Callable[[bytes], None]
) -> AsyncIterator[list[Connection]]:
    streams = [
        await Stream.open(host, port, get(f"/api/v1/chat/events?site_key={site_key}&session_id={one.session_id}"), take)
        for one in held
    ]
    idle = [await Connection.open(host, port)]
    try:
        yield idle
    finally:
        for stream in streams:
            stream.close()
        for connection in idle:
            connection.close()


async def _send(idle: list[Connection], host: str, port: int, held: AssignedConversation, token: str) -> None:
    connection = idle.pop() if idle else await Connection.open(host, port)
    body = json.dumps({"conversation_id": held.conversation_id, "content": f"{MESSAGE_TEXT}~{token}~"}).encode()
    answer = await connection.request(post("/api/v1/operator/message", body, held.token, token))
    if answer.status != 200:
        raise RuntimeError(f"a message was refused: {answer.status} {answer.body[:300]!r}")
    idle.append(connection)


BENCHMARK = Benchmark(
    "delivery",
    "from an operator's POST to the visitor's open stream.",
    "one bare insert, one confirmed publish and one write to a socket, one after the other.",
    run,
)
