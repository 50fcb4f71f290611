"""`python -m bench [PART ...]`: measures Parley beside its floors and prints one table; `make bench` calls it."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from bench import report
from bench.harness import open_context
from bench.measurement import Metric
from bench.registry import BENCHMARK_NAMES, get_benchmark
from parley_dev.console import print_line
from parley_dev.errors import DevError

_KEPT = Path(".dev/bench")


async def measure(names: Sequence[str], directory: Path, *, quick: bool) -> dict[str, Sequence[Metric]]:
    """The figures of these parts, in one run on one stack; one that fails is told and left out."""
    found: dict[str, Sequence[Metric]] = {}
    async with open_context(directory, print_line, quick=quick) as bench:
        for name in names:
            chosen = get_benchmark(name)
            print_line(f"{name}: {chosen.description} Floor: {chosen.baseline}")
            began = time.monotonic()
            try:
                found[name] = await chosen.run(bench)
            except Exception:
                # What the others have measured in half an hour is worth keeping.
                traceback.print_exc()
                print_line(f"{name}: failed after {time.monotonic() - began:.0f} s")
                continue
            print_line(f"{name}: done in {time.monotonic() - began:.0f} s")
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"which: {', '.join(BENCHMARK_NAMES)} (all)")
    parser.add_argument("--quick", action="store_true", help="a minute for everything: shows that it runs, no more")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the figures are kept (.dev/bench/<time>.json)")
    asked = parser.parse_args(arguments)
    unknown = set(asked.parts) - set(BENCHMARK_NAMES)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARK_NAMES)}")
    facts = report.machine_info()
    print_line(report.machine_line(facts))
    try:
        with tempfile.TemporaryDirectory(prefix="parley-bench-") as directory:
            found = asyncio.run(measure(asked.parts or BENCHMARK_NAMES, Path(directory), quick=asked.quick))
    except DevError as exc:
        print(exc, file=sys.stderr)
        return 1
    print(report.table(found))
    path: Path = asked.json or _KEPT / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report.to_document(found, facts, quick=asked.quick), indent=1) + "\n", encoding="utf-8")
    print(f"\nKept in {path}.")
    return 0 if len(found) == len(asked.parts or BENCHMARK_NAMES) else 1


if __name__ == "__main__":
    sys.exit(main())
