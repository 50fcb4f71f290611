"""What every benchmark runs in: a warm private stack, driver processes, and sizes for a full or a quick run."""

from __future__ import annotations

import asyncio
import multiprocessing
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, ParamSpec, TypeVar

import psutil
import uvloop

from bench.scenario import Scenario
from parley_dev.console import Output
from parley_dev.servers import MongoServer, RabbitServer
from parley_dev.stack import Stack

P = ParamSpec("P")
ResultT = TypeVar("ResultT")

UNLIMITED = {
    "PARLEY_LIMITS_ADDRESS": "off",
    "PARLEY_LIMITS_SESSION": "off",
    "PARLEY_LIMITS_OPERATOR": "off",
    "PARLEY_LIMITS_SITE": "off",
    "PARLEY_STREAMS_PER_ADDRESS": "1000000",
    "PARLEY_CONNECTIONS_PER_ADDRESS": "1000000",
}
"""The gateway's settings without limits: all load comes from one address."""

_DRIVER_PROCESSES = 4


@dataclass(frozen=True, slots=True)
class SubprocessResult(Generic[ResultT]):
    """The result of a call in a driver process, and the time it took there."""

    result: ResultT
    seconds: float
    cpu_seconds: float

    @property
    def cpu(self) -> float:
        """Share of one core."""
        return self.cpu_seconds / self.seconds


@dataclass(frozen=True, slots=True)
class ResourceUsage:
    """Processor time used so far, and resident memory now."""

    cpu_seconds: float
    resident_bytes: int


@dataclass(frozen=True, slots=True)
class BenchmarkContext:
    """A stack that is ready and warm, with its servers, and the sizes for this run."""

    quick: bool
    output: Output
    directory: Path
    mongodb_uri: str
    amqp_url: str
    stack: Stack
    scenario: Scenario
    drivers: ProcessPoolExecutor = field(repr=False)

    def rounds(self, full: int = 5) -> int:
        """Return the number of rounds: two in quick mode."""
        return 2 if self.quick else full

    def seconds(self, full: float = 4.0) -> float:
        """Return the length of a round in seconds: a tenth in quick mode."""
        return 0.1 if self.quick else full

    def size(self, full: int, quick: int) -> int:
        """Return the size of a full or a quick run."""
        return quick if self.quick else full

    async def run_in_subprocess(
        self, function: Callable[P, Awaitable[ResultT]], *args: P.args, **kwargs: P.kwargs
    ) -> SubprocessResult[ResultT]:
        """Run a module-level coroutine function in a driver process, on uvloop. Arguments and result are pickled."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.drivers, _run, function, args, kwargs)

    def usage(self, service: str) -> ResourceUsage:
        """Sum the usage of a service's replicas."""
        return resource_usage(*(replica.process.pid for replica in self.stack.processes(service)))

    def database(self, service: str) -> str:
        """Return the name of a service's database."""
        return f"{self.stack.environment(service)['PARLEY_DATABASE_PREFIX']}_{service}"


def resource_usage(*pids: int) -> ResourceUsage:
    """Sum the usage of processes."""
    cpu, resident = 0.0, 0
    for pid in pids:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            cpu += times.user + times.system
            resident += process.memory_info().rss
    return ResourceUsage(cpu, resident)


@contextmanager
def driver_processes(count: int = _DRIVER_PROCESSES) -> Iterator[ProcessPoolExecutor]:
    """Provide driver processes, and end them with the context."""
    drivers = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield drivers
    finally:
        drivers.shutdown(cancel_futures=True)


@asynccontextmanager
async def open_context(directory: Path, output: Output, *, quick: bool) -> AsyncIterator[BenchmarkContext]:
    """Start servers, services and driver processes, create the scenario, and stop everything afterwards."""
    mongo, rabbit = MongoServer(directory / "mongodb"), RabbitServer(directory / "rabbitmq")
    with driver_processes() as drivers:
        try:
            output("Starting MongoDB, RabbitMQ and the services…")
            await asyncio.gather(mongo.start(), rabbit.start())
            async with running_stack(mongo.uri, rabbit.uri, directory / "stack") as stack:
                scenario = await Scenario.create(stack, mongo.uri, conversations=8 if quick else 64)
                yield BenchmarkContext(quick, output, directory, mongo.uri, rabbit.uri, stack, scenario, drivers)
        finally:
            await asyncio.gather(mongo.stop(), rabbit.stop())


@asynccontextmanager
async def running_stack(
    mongodb_uri: str,
    amqp_url: str,
    directory: Path,
    replicas: int | Mapping[str, int] = 1,
    *,
    web: Path | None = None,
) -> AsyncIterator[Stack]:
    """Run the services on a database of their own, without rate limits. `web` are built pages to serve."""
    pages = {} if web is None else {"PARLEY_WEB_DIR": str(web)}
    stack = Stack(
        mongodb_uri=mongodb_uri,
        amqp_url=amqp_url,
        directory=directory,
        replicas=replicas,
        database_prefix=f"bench_{secrets.token_hex(4)}",
        env={"gateway": {**UNLIMITED, **pages}},
    )
    try:
        await stack.start()
        await stack.wait_ready()
        yield stack
    finally:
        await stack.stop()


def _run(
    function: Callable[..., Awaitable[ResultT]], args: tuple[object, ...], kwargs: dict[str, object]
) -> SubprocessResult[ResultT]:
    async def call() -> ResultT:
        return await function(*args, **kwargs)

    started, cpu_before = time.monotonic(), time.process_time()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(call())
    return SubprocessResult(result, time.monotonic() - started, time.process_time() - cpu_before)
