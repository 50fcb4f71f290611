"""Guarantees under faults, each with its figure: `make prove` runs the long form, the test suite a smoke form.

The servers here are this folder's own, since they are killed.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import RELAXED
from parley_dev.servers import MongoServer, RabbitServer
from parley_dev.stack import Stack
from support.api import ApiClient
from support.tenants import TenantFixture

LONG = os.environ.get("PARLEY_PROVE") == "long"

_figures: list[str] = []


@dataclass(slots=True)
class Proof:
    """A private stack with two replicas of each service, over servers that may be killed."""

    mongo: MongoServer
    rabbit: RabbitServer
    stack: Stack
    long: bool
    figures: list[str] = field(default_factory=list)

    def seconds(self, smoke: float, long: float) -> float:
        """How long a load lasts."""
        return long if self.long else smoke

    def times(self, smoke: int, long: int) -> int:
        """How often something is done."""
        return long if self.long else smoke

    def say(self, guarantee: str, figure: str) -> None:
        """The line that `make prove` prints."""
        _figures.append(f"{guarantee:<4} {figure}")


ENVIRONMENT = {
    # An operator here does not log in again, as a panel would: `make soak` lasts as long as a token usually does.
    "gateway": {**RELAXED, "PARLEY_TOKEN_SECONDS": "86400"},
    "presence": {"PARLEY_ONLINE_SECONDS": "3"},
    "notify": {"PARLEY_STREAM_BUFFER_BYTES": "65536"},
}
"""Shorter times, so that what takes 75 seconds in production takes three here."""


@pytest.fixture(scope="package")
async def proof(run_directory: Path) -> AsyncIterator[Proof]:
    directory = run_directory / "prove"
    mongo, rabbit = MongoServer(directory / "mongodb"), RabbitServer(directory / "rabbitmq")
    await asyncio.gather(mongo.start(), rabbit.start())
    stack = Stack(
        mongodb_uri=mongo.uri,
        amqp_url=rabbit.uri,
        directory=directory / "stack",
        replicas=2,
        database_prefix=f"t{secrets.token_hex(4)}",
        env=ENVIRONMENT,
    )
    try:
        await stack.start()
        await stack.wait_ready()
        yield Proof(mongo, rabbit, stack, LONG)
    finally:
        await stack.stop()
        await asyncio.gather(mongo.stop(), rabbit.stop())


@pytest.fixture
async def tenant(proof: Proof) -> AsyncIterator[TenantFixture]:
    """A tenant on the private stack."""
    async with ApiClient(proof.stack.gateway_url) as api:
        yield await TenantFixture.create(api, proof.stack, proof.mongo.uri)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _figures:
        terminalreporter.section("what was proved")
        for line in _figures:
            terminalreporter.write_line(line)
