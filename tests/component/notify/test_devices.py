"""Operators' devices: registration, change of owner, removal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from parley.common.auth.identity import OperatorCaller
from parley.common.messaging import BrokerConnection, RpcClient
from support.fcm import FcmServer
from support.notify import FakeTeam, NotifyReplica, Scenario, StartReplica, unique_id
from support.pushes import TOKEN_PATH, AddPushOperator, count_outcome, register_device, wait_for_push
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


def _other_login(operator: OperatorCaller) -> OperatorCaller:
    return replace(operator, login_session_id=f"other-{unique_id()}")


@pytest.mark.parametrize("kind", ["session", "key"])
async def test_a_login_that_ended_makes_no_phone_ring(
    kind: str, push_replica: NotifyReplica, scenario: Scenario, team: FakeTeam, fcm: FcmServer
) -> None:
    """A19: chat is asked before every push, so this holds for every way a login ends, and without an event."""
    operator = scenario.operator()
    team.add(scenario.site_id, operator.operator_id)
    login = operator.login_session_id or ""
    if kind == "key":
        login = f"{unique_id()}"
        operator = replace(operator, login_session_id=None, api_key_hash=login, expires_at=0)
    token = await register_device(push_replica, operator)
    kept = await register_device(push_replica, _other_login(operator))
    await scenario.accept(operator)
    await scenario.send_message("one")
    await wait_for_push(fcm, token)
    await wait_for_push(fcm, kept)
    team.ended_logins.add(login)
    await scenario.send_message("two")
    await wait_for_push(fcm, kept, 2)
    assert len(fcm.pushes_for(token)) == 1


async def test_without_another_device_the_push_is_dropped(
    push_replica: NotifyReplica, scenario: Scenario, team: FakeTeam, fcm: FcmServer, add_push_operator: AddPushOperator
) -> None:
    """A19: nothing waits for the next login of the same person."""
    operator, token = await add_push_operator(push_replica)
    team.ended_logins.add(operator.login_session_id or "")
    count_dropped = await count_outcome(push_replica, "no_device")
    await scenario.accept(operator)
    await scenario.send_message("one")
    await wait_until(count_dropped)
    assert not fcm.pushes_for(token)


async def test_a_token_that_another_tenant_registers_tells_the_previous_login_nothing(
    push_replica: NotifyReplica, scenario: Scenario, fcm: FcmServer, team: FakeTeam, add_push_operator: AddPushOperator
) -> None:
    """A19: who logged in before on the device can neither ring it, nor remove it, nor see that it has moved."""
    previous, token = await add_push_operator(push_replica)
    elsewhere = Scenario(scenario.broker)
    owner = elsewhere.operator()
    team.add(elsewhere.site_id, owner.operator_id)
    assert (await push_replica.request(owner, "POST", TOKEN_PATH, {"token": token}))[1] == {"success": True}
    assert (await push_replica.request(previous, "DELETE", TOKEN_PATH, {"token": token}))[1] == {"success": True}
    team.ended_logins.add(previous.login_session_id or "")
    await scenario.change_access(previous, 1, previous.login_session_id)
    await scenario.accept(previous)
    await scenario.send_message("for the previous login")
    await elsewhere.accept(owner)
    await elsewhere.send_message("for the owner")
    await wait_for_push(fcm, token)
    assert "for the previous login" not in str(fcm.pushes_for(token))


async def test_tokens_end_with_the_event_of_their_logins_end(
    start_replica: StartReplica, team: FakeTeam, fcm: FcmServer, isolated_broker: tuple[str, BrokerConnection]
) -> None:
    """A19: logout, password change, suspension; until the next push nobody counts as reachable by them either."""
    amqp_url, broker = isolated_broker
    replica = await start_replica(broker=amqp_url, **fcm.notify_settings)
    scenario = Scenario(broker)
    async with _ask_notify(amqp_url) as notify:

        async def with_devices(*logins: str | None) -> OperatorCaller:
            operator = scenario.operator()
            for login in logins:
                await register_device(replica, replace(operator, login_session_id=login))
            assert await _is_reachable(notify, operator)
            return operator

        def end(login: str) -> str:
            team.ended_logins.add(login)
            return login

        async def wait_until_unreachable(operator: OperatorCaller) -> None:
            await wait_until(partial(_is_reachable, notify, operator, expected=False))

        logged_out = await with_devices("out-1", "out-2")
        await scenario.change_access(logged_out, 1, end("out-1"))
        suspended, unknown, renamed = [await with_devices(None) for _ in range(3)]
        await scenario.change_access(suspended, 2, suspended=True)
        await wait_until_unreachable(suspended)
        assert await _is_reachable(notify, logged_out), "the other login's device stays"
        end("out-2")
        await scenario.change_access(logged_out, 2, sessions_ended=True)
        await wait_until_unreachable(logged_out)

        # The login of these is unknown: the previous version stored none, nor do external identity providers have one.
        await scenario.change_access(renamed, 2)
        await scenario.change_access(unknown, 2, sessions_ended=True)
        await wait_until_unreachable(unknown)
        assert await _is_reachable(notify, renamed)
        await scenario.change_access(renamed, 3, "another login")
        await wait_until_unreachable(renamed)


async def test_without_a_provider_nobody_is_reachable(
    start_replica: StartReplica, isolated_broker: tuple[str, BrokerConnection]
) -> None:
    amqp_url, broker = isolated_broker
    replica = await start_replica(broker=amqp_url)
    operator = Scenario(broker).operator()
    await register_device(replica, operator)
    async with _ask_notify(amqp_url) as notify:
        assert await _is_reachable(notify, operator, expected=False)


async def _is_reachable(notify: RpcClient, operator: OperatorCaller, *, expected: bool = True) -> bool:
    reply = await notify("reachable_operators", operator_ids=[operator.operator_id])
    return (reply == {"operator_ids": [operator.operator_id]}) is expected


@asynccontextmanager
async def _ask_notify(amqp_url: str) -> AsyncIterator[RpcClient]:
    broker, client = BrokerConnection(amqp_url), RpcClient("notify")
    broker.add(client)
    await broker.start()
    await wait_until(lambda: client.running, timeout=30)
    yield client
    await broker.stop()


async def test_operators_who_can_be_notified_are_those_with_a_device(
    start_replica: StartReplica, fcm: FcmServer, isolated_broker: tuple[str, BrokerConnection]
) -> None:
    amqp_url, broker = isolated_broker
    scenario = Scenario(broker)
    replica = await start_replica(broker=amqp_url, **fcm.notify_settings)
    with_device, without_device = scenario.operator(), scenario.operator()
    await register_device(replica, with_device)
    rpc = RpcClient("notify")
    client = BrokerConnection(amqp_url)
    client.add(rpc)
    await client.start()
    try:
        await wait_until(lambda: client.unready_reason() is None)
        reply = await rpc("reachable_operators", operator_ids=[with_device.operator_id, without_device.operator_id])
    finally:
        await client.stop()
    assert reply == {"operator_ids": [with_device.operator_id]}
