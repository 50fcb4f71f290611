"""Web Push: subscriptions of browsers get the same pushes as apps, encrypted, from a push service that checks them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from parley.common.auth.identity import OperatorCaller
from support.fcm import FcmServer
from support.notify import FakeTeam, NotifyReplica, Scenario, StartReplica
from support.pushes import TOKEN_PATH, count_outcome, register_device, wait_for_push
from support.wait import wait_until
from support.web_push import (
    DEVICE_PATH,
    SUBSCRIPTION_PATH,
    Browser,
    WebPushError,
    WebPushServer,
    subscribe,
    wait_for_web_push,
)


@pytest.fixture
def operator(scenario: Scenario, team: FakeTeam) -> OperatorCaller:
    operator = scenario.operator()
    team.add(scenario.site_id, operator.operator_id)
    return operator


@pytest.fixture
async def browser(push_replica: NotifyReplica, operator: OperatorCaller, web_push: WebPushServer) -> Browser:
    return await subscribe(push_replica, operator, web_push)


async def _devices(replica: NotifyReplica, operator: OperatorCaller) -> list[dict[str, Any]]:
    status, body, _ = await replica.request(operator, "GET", DEVICE_PATH)
    assert status == 200
    devices: list[dict[str, Any]] = body["devices"]
    return devices


async def test_a_browser_gets_an_encrypted_push_that_replaces_the_one_before(
    push_replica: NotifyReplica,
    scenario: Scenario,
    operator: OperatorCaller,
    browser: Browser,
    web_push: WebPushServer,
    fcm: FcmServer,
) -> None:
    phone = await register_device(push_replica, operator)
    await scenario.accept(operator)
    await scenario.send_message("Hello?")
    push = await wait_for_web_push(web_push, browser)
    tag = f"conversation-{scenario.conversation_id}"
    assert (push.content["title"], push.content["body"], push.content["tag"]) == ("Jane", "Hello?", tag)
    assert push.content["data"]["conversation_id"] == str(scenario.conversation_id)
    assert (push.headers["Topic"], push.headers["Urgency"], push.headers["TTL"]) == (tag, "high", "3600")
    await wait_for_push(fcm, phone)
    log = push_replica.log_file.read_text()
    assert "Hello?" not in log
    assert browser.endpoint not in log


async def test_a_private_site_shows_neither_name_nor_text(
    push_replica: NotifyReplica,
    scenario: Scenario,
    operator: OperatorCaller,
    browser: Browser,
    web_push: WebPushServer,
    team: FakeTeam,
) -> None:
    team.site_settings[scenario.site_id] = {"private_push": True}
    await scenario.accept(operator)
    await scenario.send_message("My card number is secret")
    push = await wait_for_web_push(web_push, browser)
    assert (push.content["title"], push.content["body"]) == ("Live chat", "New activity in a conversation")
    assert "Jane" not in str(push.content)


async def test_a_shown_notification_is_closed_when_the_operator_reads_the_chat(
    push_replica: NotifyReplica,
    scenario: Scenario,
    operator: OperatorCaller,
    browser: Browser,
    web_push: WebPushServer,
) -> None:
    await scenario.accept(operator)
    event = await scenario.send_message("Hello?")
    await wait_for_web_push(web_push, browser)
    await scenario.mark_read(operator, event.data["seq"])
    push = await wait_for_web_push(web_push, browser, 2)
    tag = f"conversation-{scenario.conversation_id}"
    assert push.content == {"tag": tag, "data": {"type": "close"}}
    assert push.headers["Topic"] == tag, "it replaces a push that the device did not get yet"
    # What is closed is not closed again.
    await scenario.mark_read(operator, event.data["seq"])
    await scenario.send_message("Still there?")
    assert (await wait_for_web_push(web_push, browser, 3)).content["body"] == "Still there?"


async def test_an_accepted_chat_closes_the_notifications_of_the_others(
    push_replica: NotifyReplica,
    scenario: Scenario,
    operator: OperatorCaller,
    browser: Browser,
    web_push: WebPushServer,
) -> None:
    await scenario.request_operator()
    assert "waiting" in (await wait_for_web_push(web_push, browser)).content["title"]
    await scenario.accept(scenario.operator())
    assert (await wait_for_web_push(web_push, browser, 2)).content["data"] == {"type": "close"}


@pytest.mark.parametrize("status", [404, 410])
async def test_an_expired_subscription_is_removed(
    status: int,
    push_replica: NotifyReplica,
    scenario: Scenario,
    operator: OperatorCaller,
    browser: Browser,
    web_push: WebPushServer,
) -> None:
    other = await subscribe(push_replica, operator, web_push)
    web_push.failures[browser.id].append(WebPushError(status))
    await scenario.accept(operator)
    await scenario.send_message("one")
    await wait_for_web_push(web_push, other)
    await scenario.send_message("two")
    await wait_for_web_push(web_push, other, 2)
    assert not web_push.pushes_for(browser)
    assert web_push.refused.count(browser.id) == 1
    assert len(await _devices(push_replica, operator)) == 1


async def test_a_busy_push_service_is_asked_again_after_its_time(
    push_replica: NotifyReplica,
    scenario: Scenario,
    operator: OperatorCaller,
    browser: Browser,
    web_push: WebPushServer,
) -> None:
    retry_after = 3
    web_push.failures[browser.id].append(WebPushError(429, headers={"Retry-After": str(retry_after)}))
    await scenario.accept(operator)
    await scenario.send_message("Hello?")
    await wait_until(lambda: browser.id in web_push.refused)
    started = asyncio.get_running_loop().time()
    assert (await wait_for_web_push(web_push, browser, timeout=15)).content["body"] == "Hello?"
    assert asyncio.get_running_loop().time() - started > retry_after - 1
    [device] = await _devices(push_replica, operator)
    await wait_until(lambda: device["last_result"] is not None)


async def test_a_refused_push_is_not_repeated_and_the_reason_is_kept(
    push_replica: NotifyReplica,
    scenario: Scenario,
    operator: OperatorCaller,
    browser: Browser,
    web_push: WebPushServer,
) -> None:
    refused = await count_outcome(push_replica, "refused")
    reason = f"The key does not belong to {browser.id}."
    web_push.failures[browser.id].append(WebPushError(403, reason))
    await scenario.accept(operator)
    await scenario.send_message("one")
    await wait_until(refused)

    async def last_result() -> dict[str, Any] | None:
        [device] = await _devices(push_replica, operator)
        result: dict[str, Any] | None = device["last_result"]
        return result

    await wait_until(last_result)
    result = await last_result()
    assert result is not None
    assert (result["outcome"], result["status"], result["code"]) == ("refused", 403, "vapid_refused")
    assert result["message"] == "The key does not belong to …."
    await scenario.send_message("two")
    assert (await wait_for_web_push(web_push, browser)).content["body"] == "two"


async def test_devices_are_listed_tested_and_removed_by_their_owner_only(
    push_replica: NotifyReplica,
    scenario: Scenario,
    operator: OperatorCaller,
    browser: Browser,
    web_push: WebPushServer,
) -> None:
    other = scenario.operator()
    [device] = await _devices(push_replica, operator)
    assert (device["kind"], device["platform"], device["name"]) == ("web_push", "web", "Chrome, Android")
    assert device["last_result"] is None
    body = {"device_id": device["id"]}
    assert (await push_replica.request(other, "POST", f"{DEVICE_PATH}/test", body))[0] == 404
    assert (await push_replica.request(other, "DELETE", f"{DEVICE_PATH}?device_id={device['id']}"))[0] == 200
    status, reply, _ = await push_replica.request(operator, "POST", f"{DEVICE_PATH}/test", body)
    assert (status, reply["result"]["outcome"], reply["result"]["status"]) == (200, "sent", 201)
    assert (await wait_for_web_push(web_push, browser)).content["data"] == {"type": "test"}
    web_push.failures[browser.id].append(WebPushError(410))
    _, reply, _ = await push_replica.request(operator, "POST", f"{DEVICE_PATH}/test", body)
    assert (reply["result"]["outcome"], reply["result"]["code"]) == ("unregistered", "subscription_expired")
    assert await _devices(push_replica, operator) == []
    again = await subscribe(push_replica, operator, web_push)
    [device] = await _devices(push_replica, operator)
    await push_replica.request(operator, "DELETE", f"{DEVICE_PATH}?device_id={device['id']}")
    assert await _devices(push_replica, operator) == []
    await push_replica.request(operator, "POST", SUBSCRIPTION_PATH, again.subscription)
    await push_replica.request(other, "DELETE", SUBSCRIPTION_PATH, {"endpoint": again.endpoint})
    assert len(await _devices(push_replica, operator)) == 1
    await push_replica.request(operator, "DELETE", SUBSCRIPTION_PATH, {"endpoint": again.endpoint})
    assert await _devices(push_replica, operator) == []


async def test_a_subscription_ends_with_its_login(
    push_replica: NotifyReplica,
    scenario: Scenario,
    operator: OperatorCaller,
    browser: Browser,
    web_push: WebPushServer,
    team: FakeTeam,
) -> None:
    """A19: as a push token does."""
    count_dropped = await count_outcome(push_replica, "no_device")
    team.ended_logins.add(operator.login_session_id or "")
    await scenario.accept(operator)
    await scenario.send_message("one")
    await wait_until(count_dropped)
    assert not web_push.pushes_for(browser)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"endpoint": "http://push.example.net/x"}, "endpoint"),
        ({"endpoint": "https://127.0.0.1/x"}, "endpoint"),
        ({"endpoint": "https://[::1]/x"}, "endpoint"),
        ({"endpoint": "https://169.254.169.254/latest"}, "endpoint"),
        ({"endpoint": "https://localhost/x"}, "endpoint"),
        ({"endpoint": "https://user@push.example.net/x"}, "endpoint"),
        ({"endpoint": "ftp://push.example.net/x"}, "endpoint"),
        ({"endpoint": f"https://push.example.net/{'x' * 2048}"}, "endpoint"),
        ({"endpoint": None}, "endpoint"),
        ({"keys": {"p256dh": "BAAA", "auth": "BTBZMqHH6r4Tts7J_aSIgg"}}, "keys.p256dh"),
        ({"keys": {"p256dh": "ü", "auth": "BTBZMqHH6r4Tts7J_aSIgg"}}, "keys.p256dh"),
        ({"keys": None}, "keys"),
        ({"name": "x" * 101}, "name"),
    ],
)
async def test_an_invalid_subscription_is_422(
    push_replica: NotifyReplica, scenario: Scenario, web_push: WebPushServer, change: dict[str, Any], field: str
) -> None:
    body = {**web_push.open_browser().subscription, **change}
    status, reply, _ = await push_replica.request(scenario.operator(), "POST", SUBSCRIPTION_PATH, body)
    assert (status, reply["code"], list(reply["errors"])) == (422, "invalid", [field])


@pytest.mark.parametrize("auth", ["", "AAAA", "not base64 at all!", "A" * 30])
async def test_an_invalid_authentication_secret_is_422(
    push_replica: NotifyReplica, scenario: Scenario, web_push: WebPushServer, auth: str
) -> None:
    subscription = web_push.open_browser().subscription
    body = {**subscription, "keys": {**subscription["keys"], "auth": auth}}
    status, reply, _ = await push_replica.request(scenario.operator(), "POST", SUBSCRIPTION_PATH, body)
    assert (status, list(reply["errors"])) == (422, ["keys.auth"])


async def test_without_a_key_web_push_is_off(
    replica: NotifyReplica, scenario: Scenario, web_push: WebPushServer
) -> None:
    operator = scenario.operator()
    status, body, _ = await replica.request(operator, "GET", f"{SUBSCRIPTION_PATH}/key")
    assert (status, body["public_key"]) == (200, None)
    status, body, _ = await replica.request(operator, "POST", SUBSCRIPTION_PATH, web_push.open_browser().subscription)
    assert (status, body["code"]) == (409, "web_push_off")


async def test_web_push_alone_needs_no_firebase(
    start_replica: StartReplica, scenario: Scenario, operator: OperatorCaller, web_push: WebPushServer
) -> None:
    replica = await start_replica(push_delay_seconds=0.3, **web_push.notify_settings)
    _, body, _ = await replica.request(operator, "GET", f"{SUBSCRIPTION_PATH}/key")
    assert body["public_key"] == web_push.public_key
    browser = await subscribe(replica, operator, web_push)
    await register_device(replica, operator)
    await scenario.accept(operator)
    await scenario.send_message("Hello?")
    assert (await wait_for_web_push(web_push, browser)).content["body"] == "Hello?"
    _, body, _ = await replica.request(operator, "POST", f"{TOKEN_PATH}/test")
    assert {device["platform"]: device["outcome"] for device in body["devices"]} == {
        "web": "sent",
        "android": "refused",
    }
