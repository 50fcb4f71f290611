"""What a part of the benchmark is, and what it gives: the one interface between parts and the harness.

A part is a module `bench/parts/<name>.py` with a `PART = Part(...)` in it, listed in `bench/parts_table.py`. Its
`run` is given a `Bench` (a warm private stack, processes of its own to drive it from, a quick mode) and answers
figures. A figure is made from rounds: whatever has a floor is measured in turns with it (`alternate`: floor,
measured, floor, measured, ...), so that a noisy neighbour disturbs both; the ratio is the median of the rounds' own
ratios.

The driver must not be what is measured: what sends runs in a process of its own (`Bench.elsewhere`), which tells the
share of a core it used.
"""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bench.harness import BenchmarkContext


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of measuring: its figure, and single waits in seconds where there are any."""

    value: float
    latencies: Sequence[float] = ()
    driver_cpu: float | None = None
    """Share of one core that the driver's process used; near 1 it was the bottleneck itself."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should be, by itself or against its floor."""

    of: Literal["ratio", "value", "p50", "p99"]
    """`p50` and `p99` are the waits' own, in milliseconds; `ratio` is the figure's to the floor's."""
    sense: Literal["at least", "at most"]
    bound: float

    def __str__(self) -> str:
        sign = "≥" if self.sense == "at least" else "≤"
        of = "" if self.of == "value" else f"{self.of} "
        times = " × floor" if self.of == "ratio" else ""
        return f"{of if self.of != 'ratio' else ''}{sign} {self.bound:g}{times}"

    def met(self, figure: Metric) -> bool | None:
        """Whether the figure reaches it; None where the figure does not have what it is about."""
        found = getattr(figure, self.of)
        if found is None:
            return None
        return bool(found >= self.bound if self.sense == "at least" else found <= self.bound)


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the table."""

    name: str
    unit: str
    value: float
    baseline: float | None = None
    ratio: float | None = None
    p50: float | None = None
    """Milliseconds, like `p99`: of single waits over all rounds."""
    p99: float | None = None
    spread: float | None = None
    """(largest - smallest) / median over the rounds."""
    targets: tuple[Target, ...] = ()
    driver_cpu: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether every aim is met; None where there is none that could be told."""
        told = [met for aim in self.targets if (met := aim.met(self)) is not None]
        return all(told) if told else None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A part of the benchmark."""

    name: str
    description: str
    """A sentence: what is measured."""
    baseline: str
    """A sentence: what it is measured against."""
    run: Callable[[BenchmarkContext], Awaitable[Sequence[Metric]]]


@dataclass(frozen=True, slots=True)
class AlternatingRuns:
    """Rounds of the measured and of its floor, taken in turns."""

    measured: list[Round] = field(default_factory=list)
    baseline: list[Round] = field(default_factory=list)

    def metric(self, name: str, unit: str, *aims: Target, note: str = "") -> Metric:
        """The figure of `value`, with its ratio to the floor's."""
        return build_metric(name, unit, self.measured, self.baseline, *aims, note=note)

    def latency_metric(self, name: str, at: Literal["p50", "p99"], *aims: Target, note: str = "") -> Metric:
        """The figure of a percentile of the waits, in milliseconds, with its ratio to the floor's."""
        share = 0.5 if at == "p50" else 0.99
        both = [
            [Round(1000 * percentile(one.latencies, share), one.latencies, one.driver_cpu) for one in rounds]
            for rounds in (self.measured, self.baseline)
        ]
        return build_metric(name, "ms", both[0], both[1], *aims, note=note)


async def alternate(
    rounds: int, baseline: Callable[[], Awaitable[Round]], measured: Callable[[], Awaitable[Round]]
) -> AlternatingRuns:
    """Measure in turns, floor first."""
    turns = AlternatingRuns()
    for _ in range(rounds):
        turns.baseline.append(await baseline())
        turns.measured.append(await measured())
    return turns


def build_metric(
    name: str, unit: str, measured: Sequence[Round], floor: Sequence[Round] = (), *aims: Target, note: str = ""
) -> Metric:
    """A figure from its rounds: medians, the ratio round by round, percentiles of all waits."""
    values = [one.value for one in measured]
    value = statistics.median(values)
    ratios = [one.value / base.value for one, base in zip(measured, floor, strict=False) if base.value]
    waits = [wait for one in measured for wait in one.latencies]
    driver = [one.driver_cpu for one in measured if one.driver_cpu is not None]
    return Metric(
        name,
        unit,
        value,
        baseline=statistics.median(one.value for one in floor) if floor else None,
        ratio=statistics.median(ratios) if ratios else None,
        p50=1000 * percentile(waits, 0.5) if waits else None,
        p99=1000 * percentile(waits, 0.99) if waits else None,
        spread=(max(values) - min(values)) / value if value and len(values) > 1 else None,
        targets=aims,
        driver_cpu=max(driver) if driver else None,
        note=note,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of all lie; of no values, an error."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
