"""Benchmark `scale`: what one, two and four replicas of a service cost together."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bench import report
from bench.benchmarks.scale_chat import measure_chat
from bench.benchmarks.scale_notify import measure_notify
from bench.harness import BenchmarkContext
from bench.measurement import Benchmark, Metric

_PARTS = {"chat": measure_chat, "notify": measure_notify}


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Measure chat, then notify. Each part's figures are shown as it ends: one that fails does not take the others'."""
    metrics: list[Metric] = []
    for name, measure in _PARTS.items():
        started = time.monotonic()
        part = await measure(bench)
        bench.output(f"{report.table({'scale': part})}\nscale, {name}: {time.monotonic() - started:.0f} s")
        metrics += part
    return metrics


BENCHMARK = Benchmark(
    "scale",
    "processor time of all replicas of a service together, by their number.",
    "one replica, in the same round.",
    run,
)
