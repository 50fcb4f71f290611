"""Replicas of notify with a real MongoDB and RabbitMQ, a fake push provider, and fake RPC answers of chat."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from parley.common.auth.identity import OperatorCaller
from parley.common.messaging import BrokerConnection
from support.fcm import FcmServer
from support.infrastructure import Infrastructure
from support.notify import SECRET, FakeTeam, NotifyReplica, Scenario, StartReplica, connect_as_chat
from support.pushes import AddPushOperator, SendFirstPush, register_device, wait_for_push
from support.wait import wait_until
from support.web_push import WebPushServer


@pytest.fixture(scope="session")
def notify_prefix() -> str:
    return f"t{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
async def amqp_url(infrastructure: Infrastructure, run_directory: Path) -> AsyncIterator[str]:
    """A broker for this folder alone: the tests answer chat's RPC methods, as a running chat would."""
    async with infrastructure.broker(run_directory / "notify") as amqp_url:
        yield amqp_url


@pytest.fixture(scope="session")
def team() -> FakeTeam:
    return FakeTeam()


@pytest.fixture(scope="session")
async def broker(amqp_url: str, team: FakeTeam) -> AsyncIterator[BrokerConnection]:
    """A connection that publishes and answers as chat does."""
    async with connect_as_chat(amqp_url, team) as broker:
        yield broker


@pytest.fixture(scope="session")
async def fcm() -> AsyncIterator[FcmServer]:
    async with FcmServer() as server:
        yield server


@pytest.fixture(scope="session")
async def web_push() -> AsyncIterator[WebPushServer]:
    async with WebPushServer() as server:
        yield server


@asynccontextmanager
async def _replica_starter(
    infrastructure: Infrastructure, mongodb_uri: str, amqp_url: str, prefix: str, directory: Path
) -> AsyncIterator[StartReplica]:
    replicas: list[NotifyReplica] = []

    async def start(*, wait_ready: bool = True, broker: str = amqp_url, **settings: object) -> NotifyReplica:
        env = {
            "MONGODB_URI": mongodb_uri,
            "AMQP_URL": broker,
            "PARLEY_ENV": "development",
            "PARLEY_IDENTITY_SECRET": SECRET,
            "PARLEY_DATABASE_PREFIX": prefix,
            "PARLEY_STOP_SECONDS": "5",
            **{f"PARLEY_{name.upper()}": str(value) for name, value in settings.items()},
        }
        replica = NotifyReplica(infrastructure.start_service, env, directory)
        replicas.append(replica)
        await replica.start(wait_ready=wait_ready)
        return replica

    try:
        yield start
    finally:
        for replica in replicas:
            await replica.stop()


@pytest.fixture
async def start_replica(
    infrastructure: Infrastructure, mongodb_uri: str, amqp_url: str, database_prefix: str, tmp_path: Path
) -> AsyncIterator[StartReplica]:
    """Starts replicas over the test's own database, with its settings, and stops them after the test."""
    async with _replica_starter(infrastructure, mongodb_uri, amqp_url, database_prefix, tmp_path) as start:
        yield start


@pytest.fixture(scope="session")
async def replica(
    infrastructure: Infrastructure,
    mongodb_uri: str,
    amqp_url: str,
    notify_prefix: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[NotifyReplica]:
    """One replica with default settings, shared by tests that use their own tenants."""
    async with _replica_starter(
        infrastructure, mongodb_uri, amqp_url, notify_prefix, tmp_path_factory.mktemp("notify")
    ) as start:
        yield await start()


@pytest.fixture(scope="session")
async def push_replica(
    infrastructure: Infrastructure,
    mongodb_uri: str,
    amqp_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    fcm: FcmServer,
    web_push: WebPushServer,
) -> AsyncIterator[NotifyReplica]:
    """One replica with push, due after half a second, shared by tests that use their own tenants."""
    prefix = f"t{secrets.token_hex(4)}"
    async with _replica_starter(
        infrastructure, mongodb_uri, amqp_url, prefix, tmp_path_factory.mktemp("notify-push")
    ) as start:
        yield await start(push_delay_seconds=0.5, **fcm.notify_settings, **web_push.notify_settings)


@pytest.fixture
async def isolated_broker(
    infrastructure: Infrastructure, tmp_path: Path, team: FakeTeam
) -> AsyncIterator[tuple[str, BrokerConnection]]:
    """A broker for the test alone, where its replica shares no queue: its URL, and a connection that acts as chat."""
    async with infrastructure.broker(tmp_path) as amqp_url, connect_as_chat(amqp_url, team) as broker:
        yield amqp_url, broker


@pytest.fixture
async def scenario(broker: BrokerConnection) -> Scenario:
    return Scenario(broker)


@pytest.fixture
def add_push_operator(scenario: Scenario, team: FakeTeam) -> AddPushOperator:
    """Adds an operator with one device to the scenario's site."""

    async def add(replica: NotifyReplica, language: str = "en", *permissions: str) -> tuple[OperatorCaller, str]:
        operator = scenario.operator(language=language)
        team.add(scenario.site_id, operator.operator_id, language, *permissions)
        return operator, await register_device(replica, operator)

    return add


@pytest.fixture
def send_first_push(
    mongodb_uri: str,
    database_prefix: str,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> SendFirstPush:
    """Sends a push to the operator of the scenario's conversation, and returns the token of their device."""

    async def send(replica: NotifyReplica) -> str:
        operator, token = await add_push_operator(replica)
        await scenario.accept(operator)
        await scenario.send_message("one")
        await wait_for_push(fcm, token)
        async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
            deliveries = client[f"{database_prefix}_notify"]["deliveries"]

            async def has_no_claim() -> bool:
                return await deliveries.count_documents({"claim": {"$exists": True}}) == 0

            # A replica that is killed earlier keeps its claim for a minute, which delays the next push.
            await wait_until(has_no_claim, description="the push to be recorded")
        return token

    return send
