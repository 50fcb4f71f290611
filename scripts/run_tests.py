"""Runs pytest; repeats failed tests once, alone, and reports those that then pass as flaky.

`python scripts/run_tests.py PYTEST_ARGUMENTS...`. The output keeps the failures of the first run. The exit code is 0
when every test passed in one of the two runs; flaky tests are listed at the end in any case.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

_LAST_FAILED = Path(".pytest_cache/v/cache/lastfailed")
_TESTS_FAILED = 1
"""pytest's exit code when tests failed; others mean that it could not run them."""


def main(arguments: list[str]) -> int:
    """Run the tests. Returns pytest's exit code."""
    started = time.monotonic()
    _LAST_FAILED.unlink(missing_ok=True)
    code = _pytest(*arguments)
    flaky: list[str] = []
    if code == _TESTS_FAILED:
        failed = _last_failed()
        print(f"\n{len(failed)} failed; repeating each of them alone.\n", flush=True)
        code = _pytest("--last-failed", "--last-failed-no-failures=none", *_paths(arguments))
        flaky = sorted(failed - _last_failed())
    _print_summary(time.monotonic() - started, flaky, code)
    return code


def _pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


def _paths(arguments: list[str]) -> list[str]:
    return [argument for argument in arguments if Path(argument.partition("::")[0]).exists()]


def _last_failed() -> set[str]:
    try:
        return set(json.loads(_LAST_FAILED.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return set()


def _print_summary(seconds: float, flaky: list[str], code: int) -> None:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_minutes = (usage.ru_utime + usage.ru_stime) / 60
    print()
    if flaky:
        print(f"FLAKY: {len(flaky)} test(s) failed, and passed only when repeated:")
        for test in flaky:
            print(f"  {test}")
    result = "passed" if code == 0 else "FAILED"
    print(
        f"Tests {result}{f', {len(flaky)} flaky' if flaky else ''}: "
        f"{seconds / 60:.1f} min, {cpu_minutes:.1f} min of processor time"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
