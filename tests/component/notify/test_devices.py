"""Operators' devices: registration, change of owner, removal."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo import AsyncMongoClient

from parley.common.messaging import BrokerConnection, RpcClient
from parley_dev.servers import RabbitServer
from support.fcm import FcmServer
from support.notify import NotifyReplica, Scenario, StartReplica
from support.pushes import TOKEN_PATH, AddPushOperator, register_device, wait_for_push
from support.wait import wait_until


async def test_a_token_belongs_to_the_operator_who_registered_it_last(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    previous_owner, token = await add_push_operator(push_replica)
    new_owner, _ = await add_push_operator(push_replica)
    status, _, _ = await push_replica.request(new_owner, "POST", TOKEN_PATH, {"token": token})
    assert status == 200
    await push_replica.request(previous_owner, "DELETE", TOKEN_PATH, {"token": token})
    await scenario.accept(new_owner)
    await scenario.send_message("one")
    await wait_for_push(fcm, token)
    other = scenario.other_conversation()
    await other.accept(previous_owner)
    await other.send_message("for the previous owner")
    await scenario.send_message("two")
    await wait_for_push(fcm, token, 2)
    assert "for the previous owner" not in str(fcm.pushes_for(token))


async def test_one_token_or_all_are_removed_by_body_or_query(
    push_replica: NotifyReplica, scenario: Scenario, add_push_operator: AddPushOperator
) -> None:
    operator, first = await add_push_operator(push_replica)
    second = await register_device(push_replica, operator)
    await register_device(push_replica, operator)

    async def count_devices() -> int:
        _, body, _ = await push_replica.request(operator, "POST", f"{TOKEN_PATH}/test")
        return len(body.get("devices", []))

    assert await count_devices() == 3
    await push_replica.request(operator, "DELETE", TOKEN_PATH, {"token": first})
    assert await count_devices() == 2
    await push_replica.request(operator, "DELETE", f"{TOKEN_PATH}?token={second}")
    assert await count_devices() == 1
    await push_replica.request(operator, "DELETE", TOKEN_PATH)
    status, body, _ = await push_replica.request(operator, "POST", f"{TOKEN_PATH}/test")
    assert (status, body["code"]) == (409, "no_push_token")


async def test_an_operator_keeps_at_most_the_twenty_newest_tokens(
    push_replica: NotifyReplica, fcm: FcmServer, add_push_operator: AddPushOperator
) -> None:
    operator, oldest = await add_push_operator(push_replica)
    for _ in range(20):
        await register_device(push_replica, operator)
    _, body, _ = await push_replica.request(operator, "POST", f"{TOKEN_PATH}/test")
    assert len(body["devices"]) == 20
    assert not fcm.pushes_for(oldest)


@pytest.mark.parametrize("token", [{"$ne": 1}, "", "short", "a" * 4097, "with space here", 5, None])
async def test_an_invalid_token_is_422(replica: NotifyReplica, scenario: Scenario, token: object) -> None:
    status, body, _ = await replica.request(scenario.operator(), "POST", TOKEN_PATH, {"token": token})
    assert (status, body["code"]) == (422, "invalid")


async def test_a_token_is_stored_under_its_digest(
    replica: NotifyReplica,
    scenario: Scenario,
    add_push_operator: AddPushOperator,
    mongodb_uri: str,
    notify_prefix: str,
) -> None:
    operator, token = await add_push_operator(replica)
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb_uri)
    row = await client[f"{notify_prefix}_notify"]["push_tokens"].find_one({"operator_id": operator.operator_id})
    await client.close()
    assert row is not None
    assert row["token"] == token
    assert token not in row["_id"]


async def test_operators_who_can_be_notified_are_those_with_a_device(
    start_replica: StartReplica, fcm: FcmServer, isolated_broker: tuple[RabbitServer, BrokerConnection]
) -> None:
    server, broker = isolated_broker
    scenario = Scenario(broker)
    replica = await start_replica(broker=server.uri, **fcm.notify_settings)
    with_device, without_device = scenario.operator(), scenario.operator()
    await register_device(replica, with_device)
    rpc = RpcClient("notify")
    client = BrokerConnection(server.uri)
    client.add(rpc)
    await client.start()
    try:
        await wait_until(lambda: client.unready_reason() is None)
        reply = await rpc("reachable_operators", operator_ids=[with_device.operator_id, without_device.operator_id])
    finally:
        await client.stop()
    assert reply == {"operator_ids": [with_device.operator_id]}
