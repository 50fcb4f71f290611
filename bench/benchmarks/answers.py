"""Benchmark `answers`: what retrieval finds, answers and declines on the multilingual set, by words and by meaning."""

from __future__ import annotations

from collections.abc import Sequence

from bench.answers.evaluation import Score, evaluate
from bench.harness import BenchmarkContext
from bench.measurement import Benchmark, Metric, Target

_MODES = {"words": (True, False), "meaning": (False, True), "both": (True, True)}
_SUBJECTS = ("dental", "city")
_TARGETS = {
    "recall at 3": Target("value", "at least", 0.93),
    "answered": Target("value", "at least", 0.85),
    "declined": Target("value", "at least", 0.9),
    "processor time": Target("value", "at most", 500),
}


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Evaluate each mode in a driver process; the peak of its memory includes the driver."""
    metrics: list[Metric] = []
    for mode in _MODES:
        measured = await bench.run_in_subprocess(_evaluate, mode)
        score = measured.result
        metrics += _to_metrics(mode, score)
        for line in score.misses:
            bench.output(f"answers, {mode}: {line}")
    for subject in _SUBJECTS:
        measured = await bench.run_in_subprocess(_evaluate, "both", subject)
        metrics += _to_metrics(subject, measured.result)
    # Its misses are not shown: a set by whose misses features are chosen is blind no more.
    blind = await bench.run_in_subprocess(_evaluate, "both", "blind")
    return [*metrics, *_to_metrics("blind set", blind.result)]


async def _evaluate(mode: str, subject: str = "") -> Score:
    words, meaning = _MODES[mode]
    return evaluate(words=words, meaning=meaning, subject=subject)


def _to_metrics(mode: str, score: Score) -> list[Metric]:
    values = {
        "recall at 3": score.recall_at_3,
        "answered": score.answered,
        "right": score.right,
        "wrong": score.wrong,
        "declined": score.declined,
        "both facts": score.both_facts,
        "small talk": score.small_talk,
        "requests for a person": score.requests_for_person,
    }
    rows = [_metric(mode, name, "share", value) for name, value in values.items()]
    rows.append(_metric(mode, "processor time", "ms", 1000 * score.cpu_seconds))
    return [*rows, _metric(mode, "peak memory", "MB", score.peak_megabytes)]


def _metric(mode: str, name: str, unit: str, value: float) -> Metric:
    targets = (_TARGETS[name],) if mode == "both" and name in _TARGETS else ()
    return Metric(f"{mode}, {name}", unit, value, targets=targets)


BENCHMARK = Benchmark(
    "answers",
    "Answers to 142 questions in 15 languages that calibration has not seen, and to those of three more subjects.",
    "none; the targets are shares of the questions.",
    run,
)
