"""Reliability tests run guarantees under faults and report a figure for each.

`make test-reliability` runs the full form, the test suite a short form. The servers are this directory's own, because
the tests kill them.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from parley_dev.servers import MongoServer, RabbitServer
from parley_dev.stack import Stack
from support.api import ApiClient
from support.infrastructure import NO_RATE_LIMITS, Infrastructure
from support.tenants import TenantFixture

FULL = os.environ.get("PARLEY_RELIABILITY") == "full"

_figures: list[str] = []


@dataclass(frozen=True, slots=True)
class ReliabilityCluster:
    """A private stack with two replicas of each service, over servers that may be killed."""

    mongo: MongoServer
    rabbit: RabbitServer
    stack: Stack


def duration(short: float, full: float) -> float:
    """Return how long a load lasts, in seconds."""
    return full if FULL else short


def repetitions(short: int, full: int) -> int:
    """Return how often something is repeated."""
    return full if FULL else short


def report(guarantee: str, figure: str) -> None:
    """Add a line to the summary at the end of the run."""
    _figures.append(f"{guarantee:<4} {figure}")


ENVIRONMENT = {
    # The operators here do not log in again, as a panel would: `make soak` lasts as long as a token's usual lifetime.
    "gateway": {**NO_RATE_LIMITS, "PARLEY_TOKEN_SECONDS": "86400"},
    "presence": {"PARLEY_ONLINE_SECONDS": "3"},
    "notify": {"PARLEY_STREAM_BUFFER_BYTES": "65536"},
}
"""Shorter times: what takes 75 seconds in production takes three here."""


@pytest.fixture(scope="package")
async def cluster(infrastructure: Infrastructure, run_directory: Path) -> AsyncIterator[ReliabilityCluster]:
    directory = run_directory / "reliability"
    mongo, rabbit = MongoServer(directory / "mongodb"), RabbitServer(directory / "rabbitmq")
    await asyncio.gather(mongo.start(), rabbit.start())
    stack = Stack(
        mongodb_uri=mongo.uri,
        amqp_url=rabbit.uri,
        directory=directory / "stack",
        replicas=2,
        database_prefix=f"t{secrets.token_hex(4)}",
        env=ENVIRONMENT,
        spawn=infrastructure.spawn,
    )
    try:
        await stack.start()
        await stack.wait_ready()
        yield ReliabilityCluster(mongo, rabbit, stack)
    finally:
        await stack.stop()
        await asyncio.gather(mongo.stop(), rabbit.stop())


@pytest.fixture
async def tenant(cluster: ReliabilityCluster) -> AsyncIterator[TenantFixture]:
    """A tenant on the private stack."""
    async with ApiClient(cluster.stack.gateway_url) as api:
        yield await TenantFixture.create(api, cluster.stack, cluster.mongo.uri)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _figures:
        terminalreporter.section("reliability figures")
        for line in _figures:
            terminalreporter.write_line(line)
