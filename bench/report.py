"""Output of a run: the printed table and the JSON document, with the machine it ran on."""

from __future__ import annotations

import os
import platform
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from bench.measurement import Metric

_HEADER = (
    "benchmark",
    "metric",
    "unit",
    "value",
    "baseline",
    "ratio",
    "batched",
    "ratio",
    "target",
    "met",
    "p50 ms",
    "p99 ms",
    "spread",
    "driver",
)


def table(results: Mapping[str, Sequence[Metric]]) -> str:
    """Format all metrics as text, one per line, followed by their notes."""
    rows = [_HEADER, *(_row(benchmark, metric) for benchmark, metrics in results.items() for metric in metrics)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    notes = [
        f"{benchmark}, {metric.name}: {metric.note}"
        for benchmark, metrics in results.items()
        for metric in metrics
        if metric.note
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], *([""] if notes else []), *notes])


def _row(benchmark: str, metric: Metric) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[metric.met]
    return (
        benchmark,
        metric.name,
        metric.unit,
        _number(metric.value),
        _number(metric.baseline),
        f"{metric.ratio:.2f}" if metric.ratio is not None else "",
        _number(metric.batched_baseline),
        f"{metric.batched_ratio:.2f}" if metric.batched_ratio is not None else "",
        ", ".join(str(target) for target in metric.targets),
        met,
        _number(metric.p50),
        _number(metric.p99),
        f"{metric.spread:.0%}" if metric.spread is not None else "",
        f"{metric.driver_cpu:.0%}" if metric.driver_cpu is not None else "",
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def to_document(results: Mapping[str, Sequence[Metric]], machine: Mapping[str, Any], *, quick: bool) -> dict[str, Any]:
    """Build the JSON document: the metrics with time and machine."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": dict(machine),
        "metrics": [
            {
                "benchmark": benchmark,
                **asdict(metric),
                "targets": [str(target) for target in metric.targets],
                "met": metric.met,
            }
            for benchmark, metrics in results.items()
            for metric in metrics
        ],
    }


def machine_info() -> dict[str, Any]:
    """Collect what the metrics depend on: hardware, load, and versions."""
    return {
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "python_optimized": "--enable-optimizations" in str(sysconfig.get_config_var("CONFIG_ARGS")),
        "versions": {
            name: version(name) for name in ("aiohttp", "pymongo", "aio-pika", "uvloop", "pydantic", "orjson")
        },
        "commit": _commit(),
    }


def machine_line(machine: Mapping[str, Any]) -> str:
    """Summarize the machine in one line."""
    memory = machine["memory_bytes"] / 2**30
    # Debian optimizes without the flag: the line says what is recorded.
    build = f"built {'with' if machine['python_optimized'] else 'without'} --enable-optimizations"
    return (
        f"{machine['cores']} cores, {memory:.0f} GiB, {machine['system']}, Python {machine['python']} ({build}), "
        f"commit {machine['commit']}, load {machine['load_before'][0]}"
    )


def _commit() -> str:
    result = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return result.stdout.strip() or "unknown"
