"""Erasure and export of a visitor's data: pending pushes are exported, and deleted with the visitor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from parley.common.events.conversations import VisitorErased
from parley.common.messaging import BrokerConnection, RpcClient
from support.fcm import FcmServer
from support.infrastructure import Infrastructure
from support.notify import FakeTeam, Scenario, StartReplica, connect_as_chat
from support.wait import wait_until


@pytest.fixture(scope="module")
async def amqp_url(infrastructure: Infrastructure, run_directory: Path) -> AsyncIterator[str]:
    """A broker of its own: a replica of another test, with another database, would answer the RPC requests too."""
    async with infrastructure.broker(run_directory / "notify-erasure") as amqp_url:
        yield amqp_url


@pytest.fixture(scope="module")
async def broker(amqp_url: str, team: FakeTeam) -> AsyncIterator[BrokerConnection]:
    async with connect_as_chat(amqp_url, team) as broker:
        yield broker


async def test_pending_pushes_of_a_visitor_are_exported_and_erased(
    start_replica: StartReplica,
    scenario: Scenario,
    team: FakeTeam,
    fcm: FcmServer,
    mongodb_uri: str,
    amqp_url: str,
    database_prefix: str,
) -> None:
    replica = await start_replica(push_delay_seconds=300, **fcm.notify_settings)
    operator = scenario.operator()
    team.add(scenario.site_id, operator.operator_id)
    token = "dev:" + "a" * 32
    await replica.request(operator, "POST", "/api/v1/operator/fcm-token", {"token": token, "platform": "android"})
    await scenario.accept(operator)
    await scenario.send_message("zq-my-secret-words")
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        deliveries = client[f"{database_prefix}_notify"]["deliveries"]

        async def is_pending() -> bool:
            return await deliveries.count_documents({"calls.text": "zq-my-secret-words"}) == 1

        await wait_until(is_pending)
        data = await _export(amqp_url, scenario)
        assert data is not None
        assert data["pushes"][0]["waiting"][0]["text"] == "zq-my-secret-words"
        await scenario.publish(VisitorErased(session_id=scenario.session, conversation_ids=(scenario.conversation_id,)))

        async def is_erased() -> bool:
            return await deliveries.count_documents({"conversation_id": scenario.conversation_id}) == 0

        await wait_until(is_erased)
    assert await _export(amqp_url, scenario) is None


async def _export(amqp_url: str, scenario: Scenario) -> dict[str, Any] | None:
    broker, rpc = BrokerConnection(amqp_url), RpcClient("notify")
    broker.add(rpc)
    await broker.start()
    try:
        await wait_until(lambda: broker.unready_reason() is None)
        return await rpc(
            "visitor_data",
            site_id=scenario.site_id,
            session=scenario.session,
            conversation_ids=[scenario.conversation_id],
        )
    finally:
        await broker.stop()
