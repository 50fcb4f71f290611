"""`make bench` runs and says what it saw: no figure is held to anything here."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from bench.registry import BENCHMARK_NAMES, get_benchmark

ROOT = Path(__file__).parents[3]
PARTS = ("send", "delivery", "presence")


def test_every_part_says_what_it_measures_and_beside_what() -> None:
    for name in BENCHMARK_NAMES:
        found = get_benchmark(name)
        assert found.name == name
        assert found.description
        assert found.baseline


@pytest.mark.timeout(240)
async def test_a_quick_run_gives_figures_as_a_table_and_as_a_file(tmp_path: Path) -> None:
    kept = tmp_path / "figures.json"
    asked = (sys.executable, "-m", "bench", *PARTS, "--quick", "--json", str(kept))
    run = await asyncio.create_subprocess_exec(
        *asked, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await run.communicate()
    assert run.returncode == 0, said.decode()
    document = json.loads(kept.read_text())
    assert document["quick"] is True
    assert document["machine"]["cores"]
    figures = document["figures"]
    assert {figure["part"] for figure in figures} == set(PARTS)
    assert all(figure["value"] > 0 for figure in figures)
    beside = {figure["part"] for figure in figures if figure["floor"] is not None and figure["floor"] > 0}
    assert beside == set(PARTS), "each beside its own floor, in the same run"
    for figure in figures:
        assert figure["name"] in said.decode()


async def test_a_part_that_is_not_there_is_refused() -> None:
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench", "nonsense", cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await run.communicate()
    assert run.returncode == 2
    assert "there is no part nonsense" in said.decode()
