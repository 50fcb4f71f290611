"""`python -m bench [BENCHMARK ...]`: run benchmarks and print one table. `make bench` calls it."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import report
from bench.harness import BenchmarkContext, open_context
from bench.measurement import Metric
from bench.registry import BENCHMARK_NAMES, get_benchmark
from parley_dev.console import print_line
from parley_dev.errors import DevError

_OUTPUT_DIRECTORY = Path(".dev/bench")


OnResults = Callable[[dict[str, Sequence[Metric]]], None]
"""Called with all results so far whenever a benchmark has ended: a run that is stopped keeps them."""


async def run_benchmarks(
    bench: BenchmarkContext, names: Sequence[str], on_results: OnResults = lambda _: None
) -> dict[str, Sequence[Metric]]:
    """Run these benchmarks one after the other. One that fails is reported and left out of the result."""
    results: dict[str, Sequence[Metric]] = {}
    for name in names:
        benchmark = get_benchmark(name)
        bench.output(f"{name}: {benchmark.description} Baseline: {benchmark.baseline}")
        started = time.monotonic()
        try:
            results[name] = await benchmark.run(bench)
        except Exception:
            # Keep what the other benchmarks have measured: a full run takes half an hour.
            traceback.print_exc()
            bench.output(f"{name}: failed after {time.monotonic() - started:.0f} s")
            continue
        bench.output(f"{report.table({name: results[name]})}\n{name}: done in {time.monotonic() - started:.0f} s")
        on_results(results)
    return results


async def _run_on_own_stack(
    names: Sequence[str], directory: Path, on_results: OnResults, *, quick: bool
) -> dict[str, Sequence[Metric]]:
    async with open_context(directory, print_line, quick=quick) as bench:
        return await run_benchmarks(bench, names, on_results)


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns 1 when a benchmark failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "benchmarks", nargs="*", metavar="BENCHMARK", help=f"which to run: {', '.join(BENCHMARK_NAMES)} (all)"
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that the benchmarks run, no more")
    parser.add_argument("--json", type=Path, metavar="PATH", help="result file (.dev/bench/<time>.json)")
    args = parser.parse_args(arguments)
    names: Sequence[str] = args.benchmarks or BENCHMARK_NAMES
    unknown = set(names) - set(BENCHMARK_NAMES)
    if unknown:
        parser.error(f"unknown benchmark: {', '.join(sorted(unknown))}; choose from {', '.join(BENCHMARK_NAMES)}")
    machine = report.machine_info()
    print_line(report.machine_line(machine))
    path: Path = args.json or _OUTPUT_DIRECTORY / f"{time.strftime('%Y%m%d-%H%M%S')}.json"

    def write(results: dict[str, Sequence[Metric]]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        document = report.to_document(results, machine, quick=args.quick)
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

    try:
        with tempfile.TemporaryDirectory(prefix="parley-bench-") as directory:
            results = asyncio.run(_run_on_own_stack(names, Path(directory), write, quick=args.quick))
    except DevError as exc:
        print(exc, file=sys.stderr)
        return 1
    if len(results) > 1:
        print(report.table(results))
    write(results)
    print(f"\nWritten to {path}.")
    return 0 if len(results) == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())
