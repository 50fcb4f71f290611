"""The benchmarks by name, in the order in which they run: those that leave the most data behind come last."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from bench.measurement import Benchmark

BENCHMARK_NAMES = (
    "answers",
    "send",
    "delivery",
    "fanout",
    "gateway",
    "presence",
    "scale",
    "start",
    "panel",
    "growth",
    "lists",
    "search",
    "reports",
)


def get_benchmark(name: str) -> Benchmark:
    """Load the benchmark of this name. Raises KeyError when there is none."""
    if name not in BENCHMARK_NAMES:
        raise KeyError(name)
    return cast("Benchmark", import_module(f"bench.benchmarks.{name}").BENCHMARK)
