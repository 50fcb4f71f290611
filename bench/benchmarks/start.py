"""Benchmark `start`: seconds until ready, with all binaries and caches in place."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from bench.harness import BenchmarkContext
from bench.measurement import Benchmark, Metric, Round, Target, build_metric
from parley_dev.ports import LOOPBACK, free_port
from parley_dev.process import Process
from parley_dev.stack import SERVICES

_TIMEOUT_SECONDS = 120.0


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Measure the start of everything, and of each service alone."""
    directory = Path(tempfile.mkdtemp(dir=bench.directory))
    await _start_everything(directory)
    rounds = [Round(await _start_everything(directory)) for _ in range(bench.rounds(3))]
    metrics = [build_metric("make run, warm", "s", rounds, (), Target("value", "at most", 10))]
    for service in SERVICES:
        rounds = [Round(await _start_service(bench, service)) for _ in range(bench.rounds(3))]
        metrics.append(build_metric(f"{service} alone", "s", rounds, (), Target("value", "at most", 2)))
    return metrics


async def _start_everything(directory: Path) -> float:
    """Run what `make run` runs once its environment exists: MongoDB, RabbitMQ, the services and the demo."""
    port = free_port()
    command = [sys.executable, "-m", "parley_dev", "--directory", str(directory), "--port", str(port)]
    process = Process("parley-dev", command, log=directory / "dev.log", stop_timeout_seconds=60)
    started = time.monotonic()
    await process.start()
    try:
        await _wait_healthy(f"http://{LOOPBACK}:{port}/healthz", process)
        return time.monotonic() - started
    finally:
        await process.stop()


async def _wait_healthy(url: str, process: Process) -> None:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    async with aiohttp.ClientSession() as http:
        while time.monotonic() < deadline and process.running:
            try:
                async with http.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass  # It does not listen yet.
            await asyncio.sleep(0.02)
    raise RuntimeError(f"not ready:\n{process.tail_log()}")


async def _start_service(bench: BenchmarkContext, service: str) -> float:
    (replica,) = bench.stack.processes(service)
    await replica.process.stop()
    started = time.monotonic()
    await bench.stack.restart(service)
    return time.monotonic() - started


BENCHMARK = Benchmark("start", "seconds from the command to ready, with a warm cache.", "none.", run)
