"""The table that is printed and the file that is kept: figures, and the machine they were seen on."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from bench.measurement import Metric

_HEAD = ("part", "figure", "unit", "value", "floor", "ratio", "aim", "met", "p50 ms", "p99 ms", "spread", "driver")


def table(found: Mapping[str, Sequence[Metric]]) -> str:
    """All figures as text, a line each."""
    rows = [_HEAD, *(_row(part, figure) for part, figures in found.items() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    notes = [f"{part}, {one.name}: {one.note}" for part, figures in found.items() for one in figures if one.note]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], *([""] if notes else []), *notes])


def _row(part: str, figure: Metric) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[figure.met]
    return (
        part,
        figure.name,
        figure.unit,
        _number(figure.value),
        _number(figure.baseline),
        f"{figure.ratio:.2f}" if figure.ratio is not None else "",
        ", ".join(str(aim) for aim in figure.targets),
        met,
        _number(figure.p50),
        _number(figure.p99),
        f"{figure.spread:.0%}" if figure.spread is not None else "",
        f"{figure.driver_cpu:.0%}" if figure.driver_cpu is not None else "",
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def to_document(found: Mapping[str, Sequence[Metric]], facts: Mapping[str, Any], *, quick: bool) -> dict[str, Any]:
    """The same for programs, with where and when."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": dict(facts),
        "figures": [
            {"part": part, **asdict(figure), "aims": [str(aim) for aim in figure.targets], "met": figure.met}
            for part, figures in found.items()
            for figure in figures
        ],
    }


def machine_info() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "versions": {
            name: version(name) for name in ("aiohttp", "pymongo", "aio-pika", "uvloop", "pydantic", "orjson")
        },
        "commit": _commit(),
    }


def machine_line(facts: Mapping[str, Any]) -> str:
    """The machine in a line."""
    memory = facts["memory_bytes"] / 2**30
    return (
        f"{facts['cores']} cores, {memory:.0f} GiB, {facts['system']}, Python {facts['python']}, "
        f"commit {facts['commit']}, load {facts['load_before'][0]}"
    )


def _commit() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return told.stdout.strip() or "unknown"
