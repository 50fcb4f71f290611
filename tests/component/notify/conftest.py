"""Replicas of notify against the real MongoDB and RabbitMQ. One database for the run: they share their pushes."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from parley.common.amqp import Bus
from support.notify import SECRET, Replica, Scene
from support.wait import until

StartReplica = Callable[..., Awaitable[Replica]]


@pytest.fixture(scope="session")
def notify_prefix() -> str:
    return f"t{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
async def bus(amqp_url: str) -> AsyncIterator[Bus]:
    """What publishes as chat would."""
    bus = Bus(amqp_url)
    await bus.start()
    await until(lambda: bus.fault() is None)
    yield bus
    await bus.stop()


@asynccontextmanager
async def _starting(mongodb_uri: str, amqp_url: str, prefix: str, directory: Path) -> AsyncIterator[StartReplica]:
    replicas: list[Replica] = []

    async def start(*, ready: bool = True, broker: str = amqp_url, **settings: object) -> Replica:
        env = {
            "MONGODB_URI": mongodb_uri,
            "AMQP_URL": broker,
            "PARLEY_ENV": "development",
            "PARLEY_IDENTITY_SECRET": SECRET,
            "PARLEY_DATABASE_PREFIX": prefix,
            "PARLEY_STOP_SECONDS": "5",
            **{f"PARLEY_{name.upper()}": str(value) for name, value in settings.items()},
        }
        replica = Replica(env, directory)
        replicas.append(replica)
        await replica.start(ready=ready)
        return replica

    try:
        yield start
    finally:
        for replica in replicas:
            await replica.stop()


@pytest.fixture
async def start_replica(
    mongodb_uri: str, amqp_url: str, notify_prefix: str, tmp_path: Path
) -> AsyncIterator[StartReplica]:
    """Starts replicas with settings of the test's own; stops what is left of them."""
    async with _starting(mongodb_uri, amqp_url, notify_prefix, tmp_path) as start:
        yield start


@pytest.fixture(scope="session")
async def replica(
    mongodb_uri: str, amqp_url: str, notify_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Replica]:
    """One replica with the usual settings, for tests that need no other: they keep to tenants of their own."""
    async with _starting(mongodb_uri, amqp_url, notify_prefix, tmp_path_factory.mktemp("notify")) as start:
        yield await start()


@pytest.fixture
async def scene(bus: Bus) -> Scene:
    return Scene(bus)
