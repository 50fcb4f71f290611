"""Presence as real processes on the real MongoDB and a RabbitMQ that no other service's tests are on."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from parley.common.auth.identity import OperatorCaller, Permission, VisitorCaller
from support.brokers import broker_apart
from support.presence import EVERYTHING, Broker, Cable, Installation, Replica, fresh_id


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(limit=200)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield session


@pytest.fixture(scope="session")
async def amqp_url(servers: tuple[str, str], run_directory: Path) -> AsyncIterator[str]:
    """Queues are named after the service: presence of another test's would take from them what is meant for ours."""
    async with broker_apart(servers[1], run_directory / "presence") as amqp_url:
        yield amqp_url


@pytest.fixture
async def installation(mongodb_uri: str, amqp_url: str, http: aiohttp.ClientSession) -> AsyncIterator[Installation]:
    """A database of a test's own, for replicas of its own. They share the broker's queues with the others."""
    installation = Installation(mongodb_uri, amqp_url, http)
    yield installation
    await installation.close()


@pytest.fixture(scope="module")
async def shared(mongodb_uri: str, amqp_url: str, http: aiohttp.ClientSession) -> AsyncIterator[Installation]:
    """Four replicas: two with the time to live of production, two that keep nobody online for longer than 2 s."""
    installation = Installation(mongodb_uri, amqp_url, http)
    await asyncio.gather(*(installation.start(PARLEY_ONLINE_SECONDS=seconds) for seconds in ("75", "75", "2", "2")))
    yield installation
    await installation.close()


@pytest.fixture
def one(shared: Installation) -> Replica:
    return shared.replicas[0]


@pytest.fixture
def other(shared: Installation) -> Replica:
    return shared.replicas[1]


@pytest.fixture
def quick(shared: Installation) -> list[Replica]:
    """The two that forget after two seconds."""
    return shared.replicas[2:]


@pytest.fixture
async def broker(amqp_url: str) -> AsyncIterator[Broker]:
    broker = Broker(amqp_url)
    await broker.answer_as_chat()
    yield broker
    await broker.close()


@pytest.fixture
def operator() -> Callable[..., OperatorCaller]:
    """Makes an operator of a tenant with sites: `operator(1, 2, tenant=3)`."""

    def make(
        *site_ids: int, tenant: int | None = None, granted: frozenset[Permission] = EVERYTHING, version: int = 1
    ) -> OperatorCaller:
        sites = dict.fromkeys(site_ids, granted)
        return OperatorCaller(fresh_id(), tenant or fresh_id(), "Alex", sites, access_version=version)

    return make


@pytest.fixture
def visitor() -> Callable[..., VisitorCaller]:
    """Makes a visitor of a site."""

    def make(site_id: int, tenant: int = 1) -> VisitorCaller:
        return VisitorCaller(tenant, site_id, f"sess_{secrets.token_hex(16)}")

    return make


@pytest.fixture
async def cable() -> AsyncIterator[Callable[[str, int], Awaitable[Cable]]]:
    """Makes a cable to a server."""
    cables: list[Cable] = []

    async def make(host: str, port: int) -> Cable:
        cables.append(await Cable(host, port).plug())
        return cables[-1]

    yield make
    for one in cables:
        await one.pull()
