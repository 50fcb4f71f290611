"""Benchmark `scale`: what one, two and four replicas of a service cost together."""

from __future__ import annotations

from collections.abc import Sequence

from bench.benchmarks.scale_chat import measure_chat
from bench.benchmarks.scale_notify import measure_notify
from bench.harness import BenchmarkContext
from bench.measurement import Benchmark, Metric


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Measure chat, then notify."""
    return [*await measure_chat(bench), *await measure_notify(bench)]


BENCHMARK = Benchmark(
    "scale",
    "processor time of all replicas of a service together, by their number.",
    "one replica, in the same round.",
    run,
)
