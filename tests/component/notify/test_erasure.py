"""Erasure and export of a visitor's data: pending pushes are exported, and deleted with the visitor."""

from __future__ import annotations

from typing import Any

from pymongo import AsyncMongoClient

from parley.common.events.conversations import VisitorErased
from parley.common.messaging import BrokerConnection, RpcClient
from parley_dev.servers import RabbitServer
from support.fcm import FcmServer
from support.notify import FakeTeam, Scenario, StartReplica
from support.wait import wait_until


async def test_pending_pushes_of_a_visitor_are_exported_and_erased(
    start_replica: StartReplica,
    team: FakeTeam,
    fcm: FcmServer,
    mongodb_uri: str,
    isolated_broker: tuple[RabbitServer, BrokerConnection],
    database_prefix: str,
) -> None:
    server, broker = isolated_broker
    scenario = Scenario(broker)
    replica = await start_replica(broker=server.uri, push_delay_seconds=300, **fcm.notify_settings)
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
        data = await _export(server.uri, scenario)
        assert data is not None
        assert data["pushes"][0]["waiting"][0]["text"] == "zq-my-secret-words"
        await scenario.publish(VisitorErased(session_id=scenario.session, conversation_ids=(scenario.conversation_id,)))

        async def is_erased() -> bool:
            return await deliveries.count_documents({"conversation_id": scenario.conversation_id}) == 0

        await wait_until(is_erased)
    assert await _export(server.uri, scenario) is None


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
