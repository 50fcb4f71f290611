"""Replicas of notify against the real MongoDB and RabbitMQ, and what they meet: chat, a push provider."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from parley.common.auth.identity import OperatorCaller
from parley.common.messaging import AnswerQuestions, Bus
from parley_dev.servers import RabbitServer
from support.brokers import broker_apart
from support.fcm import FcmServer
from support.notify import SECRET, Crew, Replica, Scene
from support.pushes import device
from support.wait import until

StartReplica = Callable[..., Awaitable[Replica]]


@pytest.fixture(scope="session")
def notify_prefix() -> str:
    return f"t{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
async def amqp_url(servers: tuple[str, str], run_directory: Path) -> AsyncIterator[str]:
    """A broker of this folder's own: here the tests answer chat's questions, which a running chat would do too."""
    async with broker_apart(servers[1], run_directory / "notify") as amqp_url:
        yield amqp_url


@pytest.fixture(scope="session")
def crew() -> Crew:
    return Crew()


@pytest.fixture(scope="session")
async def bus(amqp_url: str, crew: Crew) -> AsyncIterator[Bus]:
    """What publishes as chat would, and answers as chat would."""
    bus = Bus(amqp_url)
    bus.add(AnswerQuestions("chat", crew.questions()))
    await bus.start()
    await until(lambda: bus.fault() is None, within=30)
    yield bus
    await bus.stop()


@pytest.fixture(scope="session")
async def fcm() -> AsyncIterator[FcmServer]:
    """The push provider."""
    async with FcmServer() as server:
        yield server


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
    mongodb_uri: str, amqp_url: str, database_prefix: str, tmp_path: Path
) -> AsyncIterator[StartReplica]:
    """Starts replicas over a database of the test's own, with its settings; stops what is left of them."""
    async with _starting(mongodb_uri, amqp_url, database_prefix, tmp_path) as start:
        yield start


@pytest.fixture(scope="session")
async def replica(
    mongodb_uri: str, amqp_url: str, notify_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Replica]:
    """One replica with the usual settings, for tests that need no other: they keep to tenants of their own."""
    async with _starting(mongodb_uri, amqp_url, notify_prefix, tmp_path_factory.mktemp("notify")) as start:
        yield await start()


@pytest.fixture(scope="session")
async def ringing(
    mongodb_uri: str, amqp_url: str, tmp_path_factory: pytest.TempPathFactory, fcm: FcmServer
) -> AsyncIterator[Replica]:
    """One replica whose pushes are due after half a second."""
    prefix = f"t{secrets.token_hex(4)}"
    async with _starting(mongodb_uri, amqp_url, prefix, tmp_path_factory.mktemp("ringing")) as start:
        yield await start(push_delay_seconds=0.5, **fcm.settings)


@pytest.fixture
async def lone_broker(tmp_path: Path, crew: Crew) -> AsyncIterator[tuple[RabbitServer, Bus]]:
    """A broker of the test's own, where its replica shares no queue with another; chat answers there too."""
    server = RabbitServer(tmp_path / "rabbitmq")
    await server.start()
    bus = Bus(server.uri)
    bus.add(AnswerQuestions("chat", crew.questions()))
    await bus.start()
    await until(lambda: bus.fault() is None, within=30)
    yield server, bus
    await bus.stop()
    await server.stop()


@pytest.fixture
async def scene(bus: Bus) -> Scene:
    return Scene(bus)


@pytest.fixture
def enlist(scene: Scene, crew: Crew) -> Callable[..., Awaitable[tuple[OperatorCaller, str]]]:
    """Makes an operator of the scene's site with one device."""

    async def one(replica: Replica, language: str = "en", *permissions: str) -> tuple[OperatorCaller, str]:
        operator = scene.operator(language=language)
        crew.add(scene.site_id, operator.operator_id, language, *permissions)
        return operator, await device(replica, operator)

    return one
