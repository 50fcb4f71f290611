"""The benchmarks run and report metrics. No metric is compared with its target here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import report
from bench.__main__ import run_benchmarks
from bench.harness import BenchmarkContext, driver_processes
from bench.scenario import Scenario
from parley_dev.console import discard
from parley_dev.stack import Stack

NAMES = ("send", "delivery", "presence")


@pytest.mark.timeout(240)
async def test_a_quick_run_reports_metrics_as_a_table_and_as_json(
    stack: Stack, mongodb_uri: str, tmp_path: Path
) -> None:
    scenario = await Scenario.create(stack, mongodb_uri, conversations=8)
    amqp_url = stack.environment("chat")["AMQP_URL"]
    with driver_processes(1) as drivers:
        bench = BenchmarkContext(True, discard, tmp_path, mongodb_uri, amqp_url, stack, scenario, drivers)
        kept: list[set[str]] = []
        results = await run_benchmarks(bench, NAMES, lambda so_far: kept.append(set(so_far)))
    assert kept == [{"send"}, {"send", "delivery"}, set(NAMES)], "what has ended is kept"
    table = report.table(results)
    document = json.loads(json.dumps(report.to_document(results, report.machine_info(), quick=True)))
    assert document["quick"] is True
    assert document["machine"]["cores"]
    metrics = document["metrics"]
    assert {metric["benchmark"] for metric in metrics} == set(NAMES)
    assert all(metric["value"] > 0 for metric in metrics)
    compared = {metric["benchmark"] for metric in metrics if metric["baseline"] is not None and metric["baseline"] > 0}
    assert compared == set(NAMES), "every benchmark has a baseline, measured in the same run"
    for metric in metrics:
        assert metric["name"] in table
