"""Benchmark `start`: from nothing to ready, with everything brought and made before."""

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

_PATIENCE_SECONDS = 120.0


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Seconds to ready: everything, and each service by itself."""
    directory = Path(tempfile.mkdtemp(dir=bench.directory))
    await _everything(directory)
    whole = [Round(await _everything(directory)) for _ in range(bench.rounds(3))]
    figures = [build_metric("make run, warm", "s", whole, (), Target("value", "at most", 10))]
    for service in SERVICES:
        alone = [Round(await _alone(bench, service)) for _ in range(bench.rounds(3))]
        figures.append(build_metric(f"{service} alone", "s", alone, (), Target("value", "at most", 2)))
    return figures


async def _everything(directory: Path) -> float:
    """What `make run` does once its environment stands: MongoDB, RabbitMQ, the services and the demo."""
    port = free_port()
    command = [sys.executable, "-m", "parley_dev", "--directory", str(directory), "--port", str(port)]
    process = Process("parley-dev", command, log=directory / "dev.log", stop_timeout_seconds=60)
    began = time.monotonic()
    await process.start()
    try:
        await _healthy(f"http://{LOOPBACK}:{port}/healthz", process)
        return time.monotonic() - began
    finally:
        await process.stop()


async def _healthy(url: str, process: Process) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
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


async def _alone(bench: BenchmarkContext, service: str) -> float:
    (replica,) = bench.stack.processes(service)
    await replica.process.stop()
    began = time.monotonic()
    await bench.stack.restart(service)
    return time.monotonic() - began


BENCHMARK = Benchmark("start", "seconds from the command to ready, everything being there already.", "none.", run)
