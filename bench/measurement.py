"""What a benchmark is and what it returns: the interface between benchmarks and the harness.

A benchmark is a module `bench/benchmarks/<name>.py` that defines `BENCHMARK = Benchmark(...)` and is listed in
`bench/registry.py`. Its `run` receives a `BenchmarkContext` (a warm private stack, driver processes, a quick mode) and
returns metrics. A metric is built from rounds. Whatever has a baseline is measured in alternation with it (`alternate`:
baseline, measured, baseline, measured, ...), so that other load on the machine disturbs both sides. The ratio is the
median of the rounds' own ratios.

The load driver must not be the bottleneck: it runs in a process of its own (`BenchmarkContext.run_in_subprocess`),
which reports the share of a core that it used.
"""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bench.harness import BenchmarkContext


@dataclass(frozen=True, slots=True)
class Round:
    """One round of measuring: its value, and single latencies in seconds where there are any."""

    value: float
    latencies: Sequence[float] = ()
    driver_cpu: float | None = None
    """Share of one core that the driver process used; near 1 the driver was the bottleneck."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a metric should reach, by itself or relative to its baseline."""

    of: Literal["ratio", "value", "p50", "p99"]
    """`p50` and `p99` are percentiles of the latencies, in milliseconds; `ratio` is value / baseline."""
    comparison: Literal["at least", "at most"]
    bound: float

    def __str__(self) -> str:
        sign = "≥" if self.comparison == "at least" else "≤"
        match self.of:
            case "ratio":
                return f"{sign} {self.bound:g} × baseline"
            case "value":
                return f"{sign} {self.bound:g}"
            case _:
                return f"{self.of} {sign} {self.bound:g}"

    def is_met(self, metric: Metric) -> bool | None:
        """Tell whether the metric reaches it; None when the metric lacks the value in question."""
        value = getattr(metric, self.of)
        if value is None:
            return None
        return bool(value >= self.bound if self.comparison == "at least" else value <= self.bound)


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the table."""

    name: str
    unit: str
    value: float
    baseline: float | None = None
    ratio: float | None = None
    batched_baseline: float | None = None
    """The baseline with what is concurrent in one write, as the services do: the limit for them."""
    batched_ratio: float | None = None
    p50: float | None = None
    """Milliseconds, like `p99`: of single latencies over all rounds."""
    p99: float | None = None
    spread: float | None = None
    """(largest - smallest) / median over the rounds."""
    targets: tuple[Target, ...] = ()
    driver_cpu: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether every target is met; None when no target can be judged."""
        judged = [met for target in self.targets if (met := target.is_met(self)) is not None]
        return all(judged) if judged else None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark."""

    name: str
    description: str
    """One sentence: what is measured."""
    baseline: str
    """One sentence: what it is compared with."""
    run: Callable[[BenchmarkContext], Awaitable[Sequence[Metric]]]


@dataclass(frozen=True, slots=True)
class AlternatingRuns:
    """Rounds of the measured side and of its baseline, taken in alternation."""

    measured: list[Round] = field(default_factory=list)
    baseline: list[Round] = field(default_factory=list)
    batched_baseline: list[Round] = field(default_factory=list)

    def metric(self, name: str, unit: str, *targets: Target, note: str = "") -> Metric:
        """Build the metric of `value`, with its ratio to the baselines."""
        metric = build_metric(name, unit, self.measured, self.baseline, *targets, note=note)
        return self._add_batched_baseline(metric, self.measured, self.batched_baseline)

    def latency_metric(self, name: str, at: Literal["p50", "p99"], *targets: Target, note: str = "") -> Metric:
        """Build the metric of a latency percentile, in milliseconds, with its ratio to the baseline."""
        share = 0.5 if at == "p50" else 0.99
        measured, baseline, batched = (
            [Round(1000 * percentile(one.latencies, share), one.latencies, one.driver_cpu) for one in rounds]
            for rounds in (self.measured, self.baseline, self.batched_baseline)
        )
        metric = build_metric(name, "ms", measured, baseline, *targets, note=note)
        return self._add_batched_baseline(metric, measured, batched)

    @staticmethod
    def _add_batched_baseline(metric: Metric, measured: Sequence[Round], batched: Sequence[Round]) -> Metric:
        if not batched:
            return metric
        compared = build_metric(metric.name, metric.unit, measured, batched)
        return replace(metric, batched_baseline=compared.baseline, batched_ratio=compared.ratio)


async def alternate(
    rounds: int,
    baseline: Callable[[], Awaitable[Round]],
    measured: Callable[[], Awaitable[Round]],
    batched_baseline: Callable[[], Awaitable[Round]] | None = None,
) -> AlternatingRuns:
    """Measure all sides in alternation, the baselines first."""
    runs = AlternatingRuns()
    for _ in range(rounds):
        runs.baseline.append(await baseline())
        if batched_baseline is not None:
            runs.batched_baseline.append(await batched_baseline())
        runs.measured.append(await measured())
    return runs


def build_metric(
    name: str, unit: str, measured: Sequence[Round], baseline: Sequence[Round] = (), *targets: Target, note: str = ""
) -> Metric:
    """Build a metric from its rounds: medians, the ratio round by round, percentiles of all latencies."""
    values = [one.value for one in measured]
    value = statistics.median(values)
    ratios = [one.value / base.value for one, base in zip(measured, baseline, strict=False) if base.value]
    latencies = [latency for one in measured for latency in one.latencies]
    driver = [one.driver_cpu for one in measured if one.driver_cpu is not None]
    return Metric(
        name,
        unit,
        value,
        baseline=statistics.median(one.value for one in baseline) if baseline else None,
        ratio=statistics.median(ratios) if ratios else None,
        p50=1000 * percentile(latencies, 0.5) if latencies else None,
        p99=1000 * percentile(latencies, 0.99) if latencies else None,
        spread=(max(values) - min(values)) / value if value and len(values) > 1 else None,
        targets=targets,
        driver_cpu=max(driver) if driver else None,
        note=note,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of all lies. Raises IndexError when there are no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
