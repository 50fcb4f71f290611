"""Presence as real processes on a real MongoDB, and on a RabbitMQ that the tests of other services do not use."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from parley.common.auth.identity import OperatorCaller, Permission, VisitorCaller
from support.infrastructure import Infrastructure
from support.presence import (
    EVERYTHING,
    BrokerPeer,
    Deployment,
    MakeOperator,
    MakeProxy,
    MakeVisitor,
    Replica,
    fresh_id,
)
from support.tcp_proxy import TcpProxy


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(limit=200)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield session


@pytest.fixture(scope="session")
async def amqp_url(infrastructure: Infrastructure, run_directory: Path) -> AsyncIterator[str]:
    """A broker of its own: queue names are fixed per service, so presence processes of other tests would share them."""
    async with infrastructure.broker(run_directory / "presence") as amqp_url:
        yield amqp_url


@pytest.fixture
async def deployment(
    infrastructure: Infrastructure, mongodb_uri: str, amqp_url: str, http: aiohttp.ClientSession
) -> AsyncIterator[Deployment]:
    """A database for the replicas of one test. They share the broker's queues with all other replicas."""
    deployment = Deployment(infrastructure.start_service, mongodb_uri, amqp_url, http)
    yield deployment
    await deployment.close()


@pytest.fixture(scope="package")
async def shared_deployment(
    infrastructure: Infrastructure, mongodb_uri: str, amqp_url: str, http: aiohttp.ClientSession
) -> AsyncIterator[Deployment]:
    """Four replicas: two with the default time to live of a heartbeat, two with 2 seconds."""
    deployment = Deployment(infrastructure.start_service, mongodb_uri, amqp_url, http)
    await asyncio.gather(*(deployment.start(PARLEY_ONLINE_SECONDS=seconds) for seconds in ("75", "75", "2", "2")))
    yield deployment
    await deployment.close()


@pytest.fixture
def replica_a(shared_deployment: Deployment) -> Replica:
    return shared_deployment.replicas[0]


@pytest.fixture
def replica_b(shared_deployment: Deployment) -> Replica:
    return shared_deployment.replicas[1]


@pytest.fixture
def short_ttl_replicas(shared_deployment: Deployment) -> list[Replica]:
    """The two replicas whose heartbeats expire after 2 seconds."""
    return shared_deployment.replicas[2:]


@pytest.fixture
async def broker(amqp_url: str) -> AsyncIterator[BrokerPeer]:
    broker = BrokerPeer(amqp_url)
    await broker.serve_chat_rpc()
    yield broker
    await broker.close()


@pytest.fixture
def make_operator() -> MakeOperator:
    """Creates an operator with sites: `make_operator(1, 2, tenant=3)`."""

    def make(
        *site_ids: int, tenant: int | None = None, granted: frozenset[Permission] = EVERYTHING, version: int = 1
    ) -> OperatorCaller:
        sites = dict.fromkeys(site_ids, granted)
        return OperatorCaller(fresh_id(), tenant or fresh_id(), "Alex", sites, access_version=version)

    return make


@pytest.fixture
def make_visitor() -> MakeVisitor:
    """Creates a visitor of a site."""

    def make(site_id: int, tenant: int = 1) -> VisitorCaller:
        return VisitorCaller(tenant, site_id, f"sess_{secrets.token_hex(16)}")

    return make


@pytest.fixture
async def make_proxy() -> AsyncIterator[MakeProxy]:
    """Creates a TCP proxy to a server, which the test can disconnect."""
    proxies: list[TcpProxy] = []

    async def make(host: str, port: int) -> TcpProxy:
        proxy = TcpProxy(host, port)
        await proxy.start()
        proxies.append(proxy)
        return proxy

    yield make
    for proxy in proxies:
        await proxy.stop()
