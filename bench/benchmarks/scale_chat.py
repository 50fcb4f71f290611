"""The part of `scale` for chat: what an operator's message costs with one, two and four replicas.

All replicas run from the start. The gateway learns how many of them there are, as in a cluster: by the addresses
behind their name. With the same number in flight for each replica the cost should stay what it is with one.

What the replicas do without messages (sweeps, timers) is measured by itself and subtracted: it does not depend on
messages, and on a slow machine it would be a large part of each.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp
from pymongo import AsyncMongoClient

from bench.driver import closed_loop
from bench.harness import BenchmarkContext, resource_usage, running_stack
from bench.measurement import Metric, Round, Target, build_metric
from bench.requests import build_workers, operator_message
from bench.scenario import Scenario
from parley_dev.stack import Stack

_CHAT_LOADS = ((1, 64), (2, 128), (4, 256), (2, 64), (4, 64))
"""Replicas, and messages in flight. The first is what the others are compared with."""
_CONVERSATIONS = 256
_ROUNDS = 3
_MAX_REJECTED_SHARE = 0.01
"""Of the messages of a round. On a machine with much other work, a few requests time out."""
_DRIVERS = 2
"""Processes that send, so that none of them is the bottleneck."""
_LOOKUP_TIMEOUT_SECONDS = 10.0
_SETTLE_SECONDS = 1.0
"""What follows a message by up to half a second: the insert into `messages`, and the clearing of the outbox."""
_OPERATIONS = {"update": "update", "find": "queries"}
"""Operations of MongoDB, with the name that the command `top` has for them."""
_COLLECTIONS = ("conversations", "messages")
"""Counted are operations on these. The search index writes 8 192 documents at once, in one round of several."""


@dataclass(slots=True)
class _Sample:
    """One round: messages a second, and per message processor time in µs and operations of MongoDB."""

    rate: float
    chat_cpu: float
    operations: dict[str, float]
    resident_megabytes: float
    driver_cpu: float
    idle_cpu: float
    """Share of one core, of all replicas together."""


@dataclass(frozen=True, slots=True)
class _Counters:
    """What was used until a moment: processor time of chat, and operations of MongoDB on `_COLLECTIONS`."""

    at: float
    cpu_seconds: float
    operations: dict[str, int]

    def rates_until(self, later: _Counters) -> tuple[float, dict[str, float]]:
        """Return processor time and operations, per second."""
        seconds = later.at - self.at
        operations = {name: (later.operations[name] - count) / seconds for name, count in self.operations.items()}
        return (later.cpu_seconds - self.cpu_seconds) / seconds, operations


@dataclass(slots=True)
class _Load:
    """A number of replicas with a number of messages in flight."""

    replicas: int
    in_flight: int
    samples: list[_Sample] = field(default_factory=list)

    @property
    def name(self) -> str:
        replicas = "1 replica" if self.replicas == 1 else f"{self.replicas} replicas"
        return f"chat, {replicas}, {self.in_flight} in flight"


async def measure_chat(bench: BenchmarkContext) -> list[Metric]:
    """Compare each number of replicas with one replica in the same round."""
    loads = [_Load(*load) for load in _CHAT_LOADS]
    directory = bench.directory / "scale-chat"
    async with (
        running_stack(bench.mongodb_uri, bench.amqp_url, directory, {"chat": 4}) as stack,
        AsyncMongoClient[dict[str, object]](bench.mongodb_uri) as database,
    ):
        scenario = await Scenario.create(stack, bench.mongodb_uri, conversations=bench.size(_CONVERSATIONS, 8))
        for number in range(1, bench.rounds(_ROUNDS) + 1):
            for load in loads:
                await _use_replicas(stack, load.replicas)
                await _send(bench, scenario, load.in_flight, bench.seconds(1))  # Caches and connections.
                sample = await _measure(bench, stack, scenario, database, load)
                load.samples.append(sample)
                bench.output(f"  round {number}, {load.name}: {sample.chat_cpu:.0f} µs/message, {sample.rate:.0f}/s")
    return [metric for load in loads for metric in _metrics(load, loads[0])]


async def _use_replicas(stack: Stack, count: int) -> None:
    """Let the gateway use the first replicas. Raises TimeoutError when it does not see them."""
    stack.write_hosts({"chat": count})
    url = f"{stack.processes('gateway')[0].internal_url}/metrics"
    expected = f'parley_gateway_replicas{{service="chat"}} {count}.0'
    async with aiohttp.ClientSession() as http, asyncio.timeout(_LOOKUP_TIMEOUT_SECONDS):
        while True:
            async with http.get(url) as response:
                if expected in await response.text():
                    return
            await asyncio.sleep(0.1)


async def _measure(
    bench: BenchmarkContext,
    stack: Stack,
    scenario: Scenario,
    database: AsyncMongoClient[dict[str, object]],
    load: _Load,
) -> _Sample:
    pids = [replica.process.pid for replica in stack.processes("chat")[: load.replicas]]
    await asyncio.sleep(_SETTLE_SECONDS)
    names = [f"{stack.environment('chat')['PARLEY_DATABASE_PREFIX']}_chat.{name}" for name in _COLLECTIONS]
    idle_from = await _count(database, names, pids)
    await asyncio.sleep(bench.seconds(2))
    started = await _count(database, names, pids)
    rate, sent, driver_cpu = await _send(bench, scenario, load.in_flight, bench.seconds())
    await asyncio.sleep(_SETTLE_SECONDS)
    ended = await _count(database, names, pids)
    idle_cpu, idle_operations = idle_from.rates_until(started)
    cpu, operations = started.rates_until(ended)
    seconds = ended.at - started.at
    return _Sample(
        rate,
        1e6 * (cpu - idle_cpu) * seconds / sent,
        {name: (operations[name] - idle_operations[name]) * seconds / sent for name in _OPERATIONS},
        resource_usage(*pids).resident_bytes / 2**20,
        driver_cpu,
        idle_cpu,
    )


async def _count(
    database: AsyncMongoClient[dict[str, object]], collections: Sequence[str], pids: Sequence[int]
) -> _Counters:
    totals = (await database.admin.command("top"))["totals"]
    operations = {
        name: sum(int(totals[collection][counter]["count"]) for collection in collections if collection in totals)
        for name, counter in _OPERATIONS.items()
    }
    return _Counters(time.monotonic(), resource_usage(*pids).cpu_seconds, operations)


async def _send(
    bench: BenchmarkContext, scenario: Scenario, in_flight: int, seconds: float
) -> tuple[float, int, float]:
    """Send operators' messages. Returns the rate, how many were stored, and the busiest driver's share of a core."""
    workers = build_workers([operator_message(one) for one in scenario.assigned], in_flight)
    runs = await asyncio.gather(
        *(
            bench.run_in_subprocess(
                closed_loop, scenario.host, scenario.port, workers[part::_DRIVERS], seconds, secrets.token_hex(4)
            )
            for part in range(_DRIVERS)
        )
    )
    rejected = sum(one.result.rejected for one in runs)
    sent = sum(len(one.result.latencies) for one in runs)
    if rejected > _MAX_REJECTED_SHARE * sent:
        raise RuntimeError(f"{rejected} messages were rejected, {sent} were stored")
    return sum(one.result.rate for one in runs), sent, max(one.cpu for one in runs)


def _metrics(load: _Load, first: _Load) -> list[Metric]:
    """Build the lines of one load, with its ratios to the first one in the same round."""
    is_first = load is first
    # A smaller share for each replica makes smaller batches, which cost more.
    bound = 1.1 if load.in_flight == first.in_flight * load.replicas else 1.3
    targets = () if is_first else (Target("ratio", "at most", bound),)
    update_targets = () if is_first else (Target("ratio", "at most", 1.05),)

    def build(name: str, unit: str, values: Sequence[float], base: Sequence[float], *targets: Target) -> Metric:
        drivers = [sample.driver_cpu for sample in load.samples]
        measured = [Round(value, driver_cpu=driver) for value, driver in zip(values, drivers, strict=True)]
        baseline = () if is_first else [Round(value) for value in base]
        return build_metric(f"{load.name}: {name}", unit, measured, baseline, *targets)

    def build_operations(name: str, *targets: Target) -> Metric:
        values, base = ([sample.operations[name] for sample in one.samples] for one in (load, first))
        return build(f"{name}s", "a message", values, base, *targets)

    samples, base = load.samples, first.samples
    return [
        build(
            "chat's processor time", "µs/message", [s.chat_cpu for s in samples], [s.chat_cpu for s in base], *targets
        ),
        build("throughput", "messages/s", [s.rate for s in samples], [s.rate for s in base]),
        build_operations("update", *update_targets),
        build_operations("find"),
        build("idle", "% of a core", [100 * s.idle_cpu for s in samples], [100 * s.idle_cpu for s in base]),
        build("memory of chat", "MB", [s.resident_megabytes for s in samples], [s.resident_megabytes for s in base]),
    ]
