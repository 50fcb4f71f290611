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
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from parley_dev.servers import MongoServer, RabbitServer
from parley_dev.stack import Stack
from support.api import ApiClient
from support.brokers import SPARE_VHOSTS, broker_apart, offer
from support.tenants import TenantFixture

_LONGEST_FIRST = ("reliability", "browser", "e2e", "contract", "security", "component", "unit")
_TOGETHER = ("reliability", "browser")
"""Folders whose files share what is dear to start: all of one go to one worker."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first: begun last, it would be waited for by workers that have nothing left to do."""
    items.sort(key=lambda item: _LONGEST_FIRST.index(item.nodeid.split("/")[1]))


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist's schedulers carry no types
    """A file's tests go to one worker, in the order in which they are."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", maxsplit=1)[0]
        folder = file.split("/")[1]
        return folder if folder in _TOGETHER else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _ByFile:
    """The run's way of spreading tests over workers."""
    config.option.loadscopereorder = False
    return _ByFile(config, log)


@pytest.fixture(scope="session")
def run_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="parley-tests-") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
async def servers(run_directory: Path) -> AsyncIterator[tuple[str, str]]:
    """Addresses of MongoDB and RabbitMQ."""
    mongodb, amqp = os.environ.get("MONGODB_URI"), os.environ.get("AMQP_URL")
    mongo = None if mongodb else MongoServer(run_directory / "mongodb")
    rabbit = None if amqp else RabbitServer(run_directory / "rabbitmq", vhosts=SPARE_VHOSTS)
    await asyncio.gather(*(server.start() for server in (mongo, rabbit) if server is not None))
    if rabbit is not None:
        offer(rabbit)
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
    """A stack of its own, ready; stopped when the caller is done with it."""
    async with broker_apart(servers[1], directory) as amqp_url:
        stack = Stack(
            mongodb_uri=servers[0],
            amqp_url=amqp_url,
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
async def api(stack: Stack) -> AsyncIterator[ApiClient]:
    """A client of the shared stack's gateway."""
    async with ApiClient(stack.gateway_url) as client:
        yield client


@pytest.fixture
async def tenant(stack: Stack, api: ApiClient, servers: tuple[str, str]) -> TenantFixture:
    """A tenant of the test's own: a site, an owner and two operators."""
    return await TenantFixture.create(api, stack, servers[0])
