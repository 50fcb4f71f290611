"""The push provider: its responses and failures, and their effect on tokens and pushes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from support.fcm import NO_SUCH_PROJECT, UNAVAILABLE, UNREGISTERED, FcmServer, too_many_requests
from support.notify import NotifyReplica, Scenario, StartReplica
from support.pushes import TOKEN_PATH, AddPushOperator, count_outcome, register_device, wait_for_push
from support.wait import wait_until


async def test_an_unregistered_token_is_removed_at_once_and_other_devices_get_the_push(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    operator, unregistered = await add_push_operator(push_replica)
    registered = await register_device(push_replica, operator)
    fcm.failures_by_token[unregistered].append(UNREGISTERED)
    await scenario.accept(operator)
    await scenario.send_message("one")
    await wait_for_push(fcm, registered)
    await scenario.send_message("two")
    await wait_for_push(fcm, registered, 2)
    assert fcm.refused_tokens.count(unregistered) == 1, "sent once"
    assert not fcm.pushes_for(unregistered)


async def test_a_404_without_an_error_code_removes_no_token(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    operator, token = await add_push_operator(push_replica)
    fcm.failures_by_token[token].append(NO_SUCH_PROJECT)
    await scenario.accept(operator)
    await scenario.send_message("Hello?")
    assert (await wait_for_push(fcm, token))["notification"]["body"] == "Hello?"


@pytest.mark.parametrize("header_format", ["seconds", "date"])
async def test_retry_after_is_respected(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
    header_format: str,
) -> None:
    operator, token = await add_push_operator(push_replica)
    other = await register_device(push_replica, operator)
    retry_after = 4
    header = (
        str(retry_after)
        if header_format == "seconds"
        else format_datetime(datetime.now(UTC) + timedelta(seconds=retry_after + 2), usegmt=True)
    )
    fcm.failures_by_token[token].append(too_many_requests(header))
    await scenario.accept(operator)
    await scenario.send_message("Hello?")
    await wait_for_push(fcm, other)
    started = asyncio.get_running_loop().time()
    await scenario.send_message("A new message is not sent before Retry-After")
    message = await wait_for_push(fcm, token, timeout=15)
    assert asyncio.get_running_loop().time() - started > retry_after - 1
    assert message["notification"]["body"].startswith("A new message")
    await wait_for_push(fcm, other, 2)


async def test_pushes_are_sent_after_an_outage_of_the_provider(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    operator, token = await add_push_operator(push_replica)
    later = await count_outcome(push_replica, "later")
    fcm.failure = UNAVAILABLE
    await scenario.accept(operator)
    await scenario.send_message("Hello?")
    await wait_until(lambda: token in fcm.refused_tokens)
    await wait_until(later)
    fcm.failure = None
    assert (await wait_for_push(fcm, token, timeout=20))["notification"]["body"] == "Hello?"


async def test_a_hanging_provider_blocks_neither_streams_nor_later_pushes(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    operator, token = await add_push_operator(push_replica)
    later = await count_outcome(push_replica, "later")
    fcm.is_hanging = True
    await scenario.accept(operator)
    await scenario.send_message("Hello?")
    async with push_replica.stream(scenario.operator()) as stream:
        await scenario.send_message("streams go on")
        await stream.wait_for("message.created", timeout=5)
    await wait_until(later, timeout=20)
    fcm.is_hanging = False
    await wait_until(lambda: fcm.pushes_for(token), timeout=20)
    assert fcm.pushes_for(token)[-1].message["notification"]["body"] == "streams go on"


async def test_a_push_that_cannot_be_sent_is_dropped_at_its_maximum_age(
    start_replica: StartReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    replica = await start_replica(push_delay_seconds=0.2, push_give_up_seconds=3, **fcm.notify_settings)
    operator, token = await add_push_operator(replica)
    gave_up = await count_outcome(replica, "gave_up")
    fcm.failure = UNAVAILABLE
    await scenario.accept(operator)
    await scenario.send_message("Hello?")
    await wait_until(gave_up, timeout=20)
    fcm.failure = None
    await scenario.send_message("Later")
    assert (await wait_for_push(fcm, token))["notification"]["body"] == "Later"


async def test_an_expired_access_token_is_renewed_once(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    operator, token = await add_push_operator(push_replica)
    await scenario.accept(operator)
    await scenario.send_message("one")
    await wait_for_push(fcm, token)
    issued = fcm.tokens_issued
    await scenario.send_message("two")
    await wait_for_push(fcm, token, 2)
    assert fcm.tokens_issued == issued
    fcm.expire_access_tokens()
    await scenario.send_message("three")
    await wait_for_push(fcm, token, 3)
    assert fcm.tokens_issued == issued + 1


async def test_a_test_push_returns_the_providers_answers(
    push_replica: NotifyReplica, fcm: FcmServer, add_push_operator: AddPushOperator
) -> None:
    operator, registered = await add_push_operator(push_replica)
    unregistered = await register_device(push_replica, operator, "web")
    fcm.failures_by_token[unregistered].append(UNREGISTERED)
    status, body, _ = await push_replica.request(operator, "POST", f"{TOKEN_PATH}/test")
    assert status == 200
    assert body["push"] == "sent"
    devices = {device["platform"]: device for device in body["devices"]}
    assert devices["android"]["outcome"] == "sent"
    assert devices["web"] == {
        "platform": "web",
        "outcome": "unregistered",
        "status": 404,
        "code": "UNREGISTERED",
        "message": "The provider says UNREGISTERED.",
    }
    assert registered not in str(body)
    _, body, _ = await push_replica.request(operator, "POST", f"{TOKEN_PATH}/test")
    assert [device["platform"] for device in body["devices"]] == ["android"]


async def test_without_credentials_the_service_runs_and_reports_that_push_is_off(
    replica: NotifyReplica, scenario: Scenario
) -> None:
    operator = scenario.operator()
    await register_device(replica, operator)
    status, body, _ = await replica.request(operator, "POST", f"{TOKEN_PATH}/test")
    assert (status, body["push"], body["devices"]) == (200, "off", [])
    assert replica.log_file.read_text().count("push_is_off") == 1
