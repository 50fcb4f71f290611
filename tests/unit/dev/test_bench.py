"""The benchmarks describe themselves, and the command knows them. tests/e2e runs some."""

from __future__ import annotations

import pytest

from bench.__main__ import main
from bench.registry import BENCHMARK_NAMES, get_benchmark


def test_every_benchmark_describes_itself_and_its_baseline() -> None:
    for name in BENCHMARK_NAMES:
        benchmark = get_benchmark(name)
        assert benchmark.name == name
        assert benchmark.description
        assert benchmark.baseline


def test_an_unknown_benchmark_is_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["nonsense"])
    assert stopped.value.code == 2
    assert "unknown benchmark: nonsense" in capsys.readouterr().err
