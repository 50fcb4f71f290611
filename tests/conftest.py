"""What every test may ask for: a real MongoDB, a real RabbitMQ, and the whole stack on top of them.

Servers named in MONGODB_URI and AMQP_URL are used as they are; else private ones are started once for the run, on
free ports, and stopped after it.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from parley_dev.servers import MongoServer, RabbitServer
from parley_dev.stack import Stack
from support.api import Api
from support.tenants import World


@pytest.fixture(scope="session")
def run_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="parley-tests-") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
async def servers(run_directory: Path) -> AsyncIterator[tuple[str, str]]:
    """Addresses of MongoDB and RabbitMQ."""
    mongodb, amqp = os.environ.get("MONGODB_URI"), os.environ.get("AMQP_URL")
    mongo = None if mongodb else MongoServer(run_directory / "mongodb")
    rabbit = None if amqp else RabbitServer(run_directory / "rabbitmq")
    await asyncio.gather(*(server.start() for server in (mongo, rabbit) if server is not None))
    try:
        yield mongodb or (mongo.uri if mongo else ""), amqp or (rabbit.uri if rabbit else "")
    finally:
        await asyncio.gather(*(server.stop() for server in (mongo, rabbit) if server is not None))


@pytest.fixture(scope="session")
async def mongodb_uri(servers: tuple[str, str]) -> str:
    return servers[0]


@pytest.fixture(scope="session")
async def amqp_url(servers: tuple[str, str]) -> str:
    return servers[1]


@pytest.fixture
def database_prefix() -> str:
    """Databases of a test's own."""
    return f"t{secrets.token_hex(4)}"


async def started_stack(
    servers: tuple[str, str], directory: Path, replicas: int, env: Mapping[str, Mapping[str, str]] | None = None
) -> AsyncIterator[Stack]:
    """A stack of its own, ready; stopped when the caller is done with it.

    On a broker of its own too: queues are named by service, and another stack's chat would take this one's events.
    """
    named = os.environ.get("AMQP_URL")
    broker = None if named else RabbitServer(directory / "rabbitmq")
    if broker is not None:
        await broker.start()
    stack = Stack(
        mongodb_uri=servers[0],
        amqp_url=broker.uri if broker is not None else named or "",
        directory=directory,
        replicas=replicas,
        database_prefix=f"t{secrets.token_hex(4)}",
        env={"gateway": RELAXED, **(env or {})},
    )
    try:
        await stack.start()
        await stack.wait_ready()
        yield stack
    finally:
        await stack.stop()
        if broker is not None:
            await broker.stop()


RELAXED = {
    "PARLEY_LIMITS_ADDRESS": "off",
    "PARLEY_LIMITS_SESSION": "off",
    "PARLEY_LIMITS_OPERATOR": "off",
    "PARLEY_LIMITS_SITE": "off",
    "PARLEY_STREAMS_PER_ADDRESS": "100000",
}
"""All tests come from one address: the limits have tests of their own, with a gateway of their own."""


@pytest.fixture(scope="session")
async def stack(servers: tuple[str, str], run_directory: Path) -> AsyncIterator[Stack]:
    """All five services as real processes, shared by the run: tests keep to tenants of their own."""
    async for started in started_stack(servers, run_directory / "stack", 1):
        yield started


@pytest.fixture(scope="session")
async def api(stack: Stack) -> AsyncIterator[Api]:
    """A client of the shared stack's gateway."""
    async with Api(stack.gateway_url) as client:
        yield client


@pytest.fixture
async def world(stack: Stack, api: Api, servers: tuple[str, str]) -> World:
    """A tenant of the test's own: a site, an owner and two operators."""
    return await World.make(api, stack, servers[0])
