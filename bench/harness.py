"""What every part is given: a warm private stack, processes to drive it from, and how long to measure."""

from __future__ import annotations

import asyncio
import multiprocessing
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
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
}
"""Everything comes from one address here, as from no client."""

_DRIVERS = 4


@dataclass(frozen=True, slots=True)
class SubprocessResult(Generic[ResultT]):
    """What a driver's process answered, and what it used for that."""

    result: ResultT
    seconds: float
    cpu_seconds: float

    @property
    def cpu(self) -> float:
        """Share of one core."""
        return self.cpu_seconds / self.seconds


@dataclass(frozen=True, slots=True)
class ResourceUsage:
    """What a service's processes have used so far, and hold now."""

    cpu_seconds: float
    resident_bytes: int


@dataclass(slots=True)
class BenchmarkContext:
    """A private stack, ready and warm, with real servers; and how much a part may take."""

    quick: bool
    output: Output
    directory: Path
    mongo: MongoServer
    rabbit: RabbitServer
    stack: Stack
    scenario: Scenario
    drivers: ProcessPoolExecutor = field(repr=False)

    def rounds(self, full: int = 5) -> int:
        """How many turns: two in quick mode."""
        return 2 if self.quick else full

    def seconds(self, full: float = 4.0) -> float:
        """How long a turn lasts: half a second in quick mode."""
        return 0.5 if self.quick else full

    def size(self, full: int, quick: int) -> int:
        """How many of something."""
        return quick if self.quick else full

    async def run_in_subprocess(
        self, work: Callable[P, Awaitable[ResultT]], *args: P.args, **kwargs: P.kwargs
    ) -> SubprocessResult[ResultT]:
        """Run a module's coroutine function in a process of its own, on uvloop. Arguments and answer are pickled."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.drivers, _run, work, args, kwargs)

    def usage(self, service: str) -> ResourceUsage:
        """What the replicas of a service have used."""
        return resource_usage(*(replica.process.pid for replica in self.stack.processes(service)))

    def database(self, service: str) -> str:
        """The name of a service's database."""
        return f"{self.stack.environment(service)['PARLEY_DATABASE_PREFIX']}_{service}"

    @asynccontextmanager
    async def extra_stack(self, env: Mapping[str, Mapping[str, str]] | None = None) -> AsyncIterator[Stack]:
        """Another stack with settings of its own, over the same MongoDB and a broker of its own; ready."""
        directory = Path(tempfile.mkdtemp(dir=self.directory))
        rabbit = RabbitServer(directory / "rabbitmq")
        await rabbit.start()
        try:
            async with running_stack(self.mongo, rabbit, directory, env) as stack:
                yield stack
        finally:
            await rabbit.stop()


def resource_usage(*pids: int) -> ResourceUsage:
    """What processes have used."""
    cpu, resident = 0.0, 0
    for pid in pids:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            cpu += times.user + times.system
            resident += process.memory_info().rss
    return ResourceUsage(cpu, resident)


@asynccontextmanager
async def running_stack(
    mongo: MongoServer, rabbit: RabbitServer, directory: Path, env: Mapping[str, Mapping[str, str]] | None = None
) -> AsyncIterator[Stack]:
    """All services over these servers, ready."""
    given = env or {}
    stack = Stack(
        mongodb_uri=mongo.uri,
        amqp_url=rabbit.uri,
        directory=directory / "stack",
        database_prefix=f"bench_{secrets.token_hex(4)}",
        env={**given, "gateway": {**UNLIMITED, **given.get("gateway", {})}},
    )
    try:
        await stack.start()
        await stack.wait_ready()
        yield stack
    finally:
        await stack.stop()


@asynccontextmanager
async def open_context(directory: Path, say: Output, *, quick: bool) -> AsyncIterator[BenchmarkContext]:
    """Start everything, warm it up, and stop it afterwards."""
    mongo, rabbit = MongoServer(directory / "mongodb"), RabbitServer(directory / "rabbitmq")
    context = multiprocessing.get_context("spawn")
    drivers = ProcessPoolExecutor(_DRIVERS, mp_context=context)
    try:
        say("Starting MongoDB, RabbitMQ and the services…")
        await asyncio.gather(mongo.start(), rabbit.start())
        async with running_stack(mongo, rabbit, directory) as stack:
            scene = await Scenario.create(stack, mongo.uri, conversations=8 if quick else 64)
            yield BenchmarkContext(quick, say, directory, mongo, rabbit, stack, scene, drivers)
    finally:
        drivers.shutdown(cancel_futures=True)
        await asyncio.gather(mongo.stop(), rabbit.stop())


def _run(
    work: Callable[..., Awaitable[ResultT]], args: tuple[object, ...], kwargs: dict[str, object]
) -> SubprocessResult[ResultT]:
    async def whole() -> ResultT:
        return await work(*args, **kwargs)

    began, used = time.monotonic(), time.process_time()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(whole())
    return SubprocessResult(result, time.monotonic() - began, time.process_time() - used)
