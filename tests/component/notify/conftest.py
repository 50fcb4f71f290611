"""Replicas of notify against the real MongoDB and RabbitMQ. One database for the run: they share their pushes."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
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


@pytest.fixture
async def start_replica(
    mongodb_uri: str, amqp_url: str, notify_prefix: str, tmp_path: Path
) -> AsyncIterator[StartReplica]:
    """Starts replicas, with settings of the test's own; stops what is left of them."""
    replicas: list[Replica] = []

    async def start(*, ready: bool = True, broker: str = amqp_url, **settings: object) -> Replica:
        env = {
            "MONGODB_URI": mongodb_uri,
            "AMQP_URL": broker,
            "PARLEY_ENV": "development",
            "PARLEY_IDENTITY_SECRET": SECRET,
            "PARLEY_DATABASE_PREFIX": notify_prefix,
            "PARLEY_STOP_SECONDS": "5",
            **{f"PARLEY_{name.upper()}": str(value) for name, value in settings.items()},
        }
        replica = Replica(env, tmp_path)
        replicas.append(replica)
        await replica.start(ready=ready)
        return replica

    yield start
    for replica in replicas:
        await replica.stop()


@pytest.fixture
async def replica(start_replica: StartReplica) -> Replica:
    return await start_replica()


@pytest.fixture
async def scene(bus: Bus) -> Scene:
    return Scene(bus)
