"""Phones that ring: when nobody saw the event, once, and not when it was read."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from parley.common.amqp import Bus
from parley.common.identity import OperatorCaller
from parley_dev.servers import RabbitServer
from support.fcm import NO_SUCH_PROJECT, UNAVAILABLE, UNREGISTERED, FcmServer, too_many
from support.notify import Crew, Replica, Scene
from support.wait import until

StartReplica = Callable[..., Awaitable[Replica]]

TOKENS = "/api/v1/operator/fcm-token"
PUSHES = "parley_notify_pushes_total"


@pytest.fixture
def enlist(scene: Scene, crew: Crew) -> Callable[..., Awaitable[tuple[OperatorCaller, str]]]:
    """Makes an operator of the scene's site with one device."""

    async def one(replica: Replica, language: str = "en", *permissions: str) -> tuple[OperatorCaller, str]:
        operator = scene.operator(language=language)
        crew.add(scene.site_id, operator.operator_id, language, *permissions)
        return operator, await device(replica, operator)

    return one


Enlist = Callable[..., Awaitable[tuple[OperatorCaller, str]]]


async def device(replica: Replica, operator: OperatorCaller, platform: str = "android") -> str:
    token = f"dev:{secrets.token_hex(16)}"
    status, _, _ = await replica.call(operator, "POST", TOKENS, {"token": token, "platform": platform})
    assert status == 200
    return token


async def counting(replica: Replica, name: str) -> Callable[[], Awaitable[float]]:
    """How many pushes came to this end from now on."""
    line = f'{PUSHES}{{outcome="{name}"}}'
    before = await replica.metric(line)

    async def since() -> float:
        return await replica.metric(line) - before

    return since


async def rung(fcm: FcmServer, token: str, times: int = 1, within: float = 10.0) -> dict[str, Any]:
    """The newest push of a device, once it got so many."""
    await until(lambda: len(fcm.to(token)) >= times, within=within, what=f"{times} pushes")
    assert len(fcm.to(token)) == times
    return fcm.to(token)[-1].message


async def test_an_operator_who_is_away_is_rung_for_a_message(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    operator, token = await enlist(ringing)
    await scene.accept(operator)
    await scene.say("Hello?")
    message = await rung(fcm, token)
    assert message["notification"] == {"title": "Jane", "body": "Hello?"}
    tag = f"conversation-{scene.conversation_id}"
    assert message["android"]["collapse_key"] == tag
    assert message["apns"]["headers"]["apns-collapse-id"] == tag
    assert message["webpush"]["notification"]["tag"] == tag
    assert message["data"]["conversation_id"] == str(scene.conversation_id)
    assert token not in ringing.output.read_text()
    assert "Hello?" not in ringing.output.read_text()


async def test_an_operator_whose_stream_showed_the_message_is_not_rung(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    operator, token = await enlist(ringing)
    seen = await counting(ringing, "seen")
    await scene.accept(operator)
    async with ringing.stream(operator) as events:
        await scene.say("Hello?")
        await events.wait("message.created")
        await until(seen)
    assert not fcm.to(token)
    await scene.say("Still there?")
    assert (await rung(fcm, token))["notification"]["body"] == "Still there?"


async def test_a_stream_on_another_replica_counts_as_well(
    start_replica: StartReplica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    first, second = [await start_replica(push_delay_seconds=1, **fcm.settings) for _ in range(2)]
    operator, token = await enlist(first)
    await scene.accept(operator)

    counts = [await counting(replica, "seen") for replica in (first, second)]

    async def seen() -> float:
        return sum([await count() for count in counts])

    for number, replica in enumerate((first, second), 1):
        async with replica.stream(operator) as events:
            await scene.say("Hello?")
            await events.wait("message.created")
            await until(partial(_equals, seen, number))
    assert not fcm.to(token)


async def _equals(probe: Callable[[], Awaitable[float]], wanted: float) -> bool:
    return await probe() == wanted


async def test_a_stream_that_catches_up_in_time_counts_as_well(
    start_replica: StartReplica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    replica = await start_replica(push_delay_seconds=2, **fcm.settings)
    operator, token = await enlist(replica)
    seen = await counting(replica, "seen")
    await scene.accept(operator)
    async with replica.stream(operator) as events:
        last = events.last_id
    await scene.say("Hello?")
    async with replica.stream(operator, last) as events:
        await events.wait("message.created")
        await until(seen)
    assert not fcm.to(token)


async def test_a_message_read_meanwhile_rings_nobody(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    operator, token = await enlist(ringing)
    await scene.accept(operator)
    told = await scene.say("Hello?")
    await scene.read(operator, told.data["seq"])
    await scene.say("And now?")
    message = await rung(fcm, token)
    assert message["notification"]["body"] == "And now?"
    assert message["data"]["seq"] == "2"
    read = await scene.say("Read before it was due")
    await scene.read(operator, read.data["seq"])
    other = Scene(scene.bus, tenant_id=scene.tenant_id, site_id=scene.site_id)
    await other.accept(operator)
    await other.say("The last one")
    assert (await rung(fcm, token, 2))["notification"]["body"] == "The last one"


async def test_messages_of_one_conversation_are_one_push(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    operator, token = await enlist(ringing)
    await scene.accept(operator)
    for number in range(5):
        await scene.say(f"line {number}")
    assert (await rung(fcm, token))["notification"]["body"] == "line 4"


async def test_all_devices_ring_once_each_however_often_events_are_told_and_however_many_replicas_there_are(
    start_replica: StartReplica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    replicas = [await start_replica(push_delay_seconds=0.3, **fcm.settings) for _ in range(3)]
    operator, first = await enlist(replicas[0])
    second = await device(replicas[1], operator, "ios")
    await scene.accept(operator)
    for number in range(1, 9):
        told = await scene.say(f"Hello {number}")
        await scene.again(told)
        await rung(fcm, first, number)
        await rung(fcm, second, number)
        await scene.again(told)
    # One more, by a replica that begins anew and reads all of it again.
    for replica in replicas:
        await replica.stop()
    fresh = await start_replica(push_delay_seconds=0.3, **fcm.settings)
    await scene.say("The last one")
    assert (await rung(fcm, first, 9, within=20))["notification"]["body"] == "The last one"
    assert (await rung(fcm, second, 9))["notification"]["body"] == "The last one"
    await fresh.stop()


async def test_an_event_told_again_after_the_window_forgot_it_rings_nobody(
    start_replica: StartReplica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    replica = await start_replica(push_delay_seconds=0.3, window_bytes=65_536, **fcm.settings)
    operator, token = await enlist(replica)
    await scene.accept(operator)
    told = await scene.say("Hello?")
    await rung(fcm, token)
    async with replica.stream(scene.operator()) as events:
        for _ in range(60):
            await scene.note("x" * 1500)
        await scene.again(told)
        await events.wait("message.created", lambda event: event.data["id"] == told.id)
    other = Scene(scene.bus, tenant_id=scene.tenant_id, site_id=scene.site_id)
    await other.accept(operator)
    await other.say("Once more")
    assert (await rung(fcm, token, 2))["notification"]["body"] == "Once more"


async def test_the_intake_goes_on_when_its_replica_is_killed(
    start_replica: StartReplica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    first = await start_replica(push_delay_seconds=0.3, **fcm.settings)
    operator, token = await enlist(first)
    await scene.accept(operator)
    await scene.say("one")
    await rung(fcm, token)
    second = await start_replica(push_delay_seconds=0.3, **fcm.settings)
    await first.stop(signal.SIGKILL)
    await scene.say("two")
    assert (await rung(fcm, token, 2, within=20))["notification"]["body"] == "two"
    assert "push_cursor_taken" in second.output.read_text()


async def test_a_waiting_conversation_rings_everybody_who_may_chat_in_their_language(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    _, english = await enlist(ringing)
    _, brazilian = await enlist(ringing, "pt-BR")
    _, spectator = await enlist(ringing, "en", "can_view_conversations")
    await scene.pend()
    assert (await rung(fcm, english))["notification"] == {
        "title": "Jane is waiting for somebody",
        "body": "Is anybody there?",
    }
    assert (await rung(fcm, brazilian))["notification"]["title"] == "Jane está aguardando atendimento"
    await scene.say("Please")
    await rung(fcm, english, 2)
    assert not fcm.to(spectator)


async def test_a_waiting_conversation_that_was_taken_rings_nobody(
    start_replica: StartReplica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    replica = await start_replica(push_delay_seconds=1.5, **fcm.settings)
    operator, own = await enlist(replica)
    colleague, other = await enlist(replica)
    await scene.pend()
    await scene.accept(operator)
    await scene.transfer(colleague)
    message = await rung(fcm, other)
    assert message["notification"]["title"] == "Jane: transferred to you"
    assert not fcm.to(own)


async def test_who_lost_the_site_before_the_push_was_due_is_not_rung(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist, crew: Crew
) -> None:
    operator, token = await enlist(ringing)
    no_access = await counting(ringing, "no_access")
    await scene.accept(operator)
    await scene.say("one")
    await rung(fcm, token)
    del crew.sites[scene.site_id][operator.operator_id]
    await scene.access_changed(operator, 2)
    await scene.say("two")
    await until(no_access)
    assert len(fcm.to(token)) == 1


async def test_a_dead_token_is_removed_at_once_and_the_others_ring(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    operator, dead = await enlist(ringing)
    alive = await device(ringing, operator)
    fcm.script[dead].append(UNREGISTERED)
    await scene.accept(operator)
    await scene.say("one")
    await rung(fcm, alive)
    await scene.say("two")
    await rung(fcm, alive, 2)
    assert fcm.refused.count(dead) == 1, "it was tried once"
    assert not fcm.to(dead)


async def test_an_answer_that_names_no_token_removes_none(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    operator, token = await enlist(ringing)
    fcm.script[token].append(NO_SUCH_PROJECT)
    await scene.accept(operator)
    await scene.say("Hello?")
    await rung(fcm, token)


@pytest.mark.parametrize("kind", ["seconds", "date"])
async def test_the_providers_retry_after_is_kept(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist, kind: str
) -> None:
    operator, token = await enlist(ringing)
    other = await device(ringing, operator)
    wait = 4
    header = (
        str(wait)
        if kind == "seconds"
        else format_datetime(datetime.now(UTC) + timedelta(seconds=wait + 2), usegmt=True)
    )
    fcm.script[token].append(too_many(header))
    await scene.accept(operator)
    await scene.say("Hello?")
    await rung(fcm, other)
    started = asyncio.get_running_loop().time()
    await scene.say("A new message does not come before the provider wants to be asked")
    message = await rung(fcm, token, within=15)
    assert asyncio.get_running_loop().time() - started > wait - 1
    assert message["notification"]["body"].startswith("A new message")
    await rung(fcm, other, 2)


async def test_an_outage_parks_pushes_and_blocks_no_others(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    operator, token = await enlist(ringing)
    later = await counting(ringing, "later")
    fcm.down = UNAVAILABLE
    await scene.accept(operator)
    await scene.say("Hello?")
    await until(lambda: token in fcm.refused)
    await until(later)
    fcm.down = None
    await rung(fcm, token, within=20)


async def test_a_provider_that_hangs_blocks_neither_streams_nor_the_queue(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    operator, token = await enlist(ringing)
    later = await counting(ringing, "later")
    fcm.hanging = True
    await scene.accept(operator)
    await scene.say("Hello?")
    async with ringing.stream(scene.operator()) as events:
        await scene.say("streams go on")
        await events.wait("message.created", within=2)
    await until(later, within=20)
    fcm.hanging = False
    await until(lambda: fcm.to(token), within=20)


async def test_a_push_that_cannot_be_sent_is_let_go_after_a_while(
    start_replica: StartReplica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    replica = await start_replica(push_delay_seconds=0.2, push_give_up_seconds=3, **fcm.settings)
    operator, token = await enlist(replica)
    gave_up = await counting(replica, "gave_up")
    fcm.down = UNAVAILABLE
    await scene.accept(operator)
    await scene.say("Hello?")
    await until(gave_up, within=20)
    fcm.down = None
    await scene.say("Later")
    assert (await rung(fcm, token))["notification"]["body"] == "Later"


async def test_pushes_wait_for_chat_when_it_does_not_answer(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist, crew: Crew
) -> None:
    operator, token = await enlist(ringing)
    crew.away = True
    try:
        await scene.pend()
        other = Scene(scene.bus, tenant_id=scene.tenant_id, site_id=scene.site_id)
        await other.accept(operator)
        await other.say("Hello?")
        assert not fcm.to(token)
    finally:
        crew.away = False
    await rung(fcm, token, 2, within=20)


async def test_an_expired_access_token_is_renewed_once_for_all(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    operator, token = await enlist(ringing)
    await scene.accept(operator)
    await scene.say("one")
    await rung(fcm, token)
    issued = fcm.tokens_issued
    await scene.say("two")
    await rung(fcm, token, 2)
    assert fcm.tokens_issued == issued
    fcm.expire_access_tokens()
    await scene.say("three")
    await rung(fcm, token, 3)
    assert fcm.tokens_issued == issued + 1


async def test_a_private_deployment_shows_nothing_on_the_lock_screen(
    start_replica: StartReplica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    replica = await start_replica(push_delay_seconds=0.2, push_preview="false", **fcm.settings)
    operator, token = await enlist(replica, "de")
    await scene.accept(operator)
    await scene.say("My secret")
    message = await rung(fcm, token)
    assert message["notification"] == {"title": "Live-Chat", "body": "Neues in einem Gespräch"}
    assert "secret" not in str(message)
    assert "Jane" not in str(message)


async def test_a_private_site_shows_nothing_on_the_lock_screen_as_soon_as_it_says_so(
    ringing: Replica, scene: Scene, crew: Crew, fcm: FcmServer, enlist: Enlist
) -> None:
    operator, token = await enlist(ringing)
    await scene.accept(operator)
    await scene.say("Quite open")
    assert (await rung(fcm, token))["notification"] == {"title": "Jane", "body": "Quite open"}
    crew.choices[scene.site_id] = {"private_push": True}
    await scene.site_changed()
    await scene.say("My secret")
    message = await rung(fcm, token, 2)
    assert message["notification"] == {"title": "Live chat", "body": "Something new in a conversation"}
    assert "secret" not in str(message)
    assert "Jane" not in str(message)


async def test_where_nobody_is_to_be_called_a_waiting_visitor_rings_no_phone(
    ringing: Replica, scene: Scene, crew: Crew, fcm: FcmServer, enlist: Enlist
) -> None:
    crew.choices[scene.site_id] = {"routing": "manual"}
    operator, token = await enlist(ringing)
    await scene.pend()
    await scene.say("Is anybody there?")
    await scene.accept(operator)
    await scene.say("For whoever holds it")
    assert (await rung(fcm, token))["notification"]["body"] == "For whoever holds it"
    crew.choices[scene.site_id] = {}
    await scene.site_changed()
    await scene.pend()
    await rung(fcm, token, 2)


# Tokens.


async def test_a_token_has_one_owner_the_last_who_registered_it(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    before, token = await enlist(ringing)
    after, _ = await enlist(ringing)
    status, _, _ = await ringing.call(after, "POST", TOKENS, {"token": token})
    assert status == 200
    await ringing.call(before, "DELETE", TOKENS, {"token": token})
    await scene.accept(after)
    await scene.say("one")
    await rung(fcm, token)
    other = Scene(scene.bus, tenant_id=scene.tenant_id, site_id=scene.site_id)
    await other.accept(before)
    await other.say("not for this phone any more")
    await scene.say("two")
    await rung(fcm, token, 2)
    assert "not for this phone" not in str(fcm.to(token))


async def test_tokens_are_removed_one_or_all_in_body_or_query(ringing: Replica, scene: Scene, enlist: Enlist) -> None:
    operator, first = await enlist(ringing)
    second, third = await device(ringing, operator), await device(ringing, operator)

    async def count() -> int:
        _, body, _ = await ringing.call(operator, "POST", f"{TOKENS}/test")
        return len(body.get("devices", []))

    assert await count() == 3
    await ringing.call(operator, "DELETE", TOKENS, {"token": first})
    assert await count() == 2
    await ringing.call(operator, "DELETE", f"{TOKENS}?token={second}")
    assert await count() == 1
    await ringing.call(operator, "DELETE", TOKENS)
    status, body, _ = await ringing.call(operator, "POST", f"{TOKENS}/test")
    assert (status, body["code"]) == (409, "no_push_token")
    assert third


async def test_an_operator_keeps_at_most_twenty_tokens_the_newest(
    ringing: Replica, fcm: FcmServer, enlist: Enlist
) -> None:
    operator, oldest = await enlist(ringing)
    for _ in range(20):
        await device(ringing, operator)
    _, body, _ = await ringing.call(operator, "POST", f"{TOKENS}/test")
    assert len(body["devices"]) == 20
    assert not fcm.to(oldest)


async def test_a_test_push_tells_what_the_provider_said(ringing: Replica, fcm: FcmServer, enlist: Enlist) -> None:
    operator, good = await enlist(ringing)
    dead = await device(ringing, operator, "web")
    fcm.script[dead].append(UNREGISTERED)
    status, body, _ = await ringing.call(operator, "POST", f"{TOKENS}/test")
    assert status == 200
    assert body["push"] == "sent"
    said = {found["platform"]: found for found in body["devices"]}
    assert said["android"]["outcome"] == "sent"
    assert said["web"] == {
        "platform": "web",
        "outcome": "unregistered",
        "status": 404,
        "code": "UNREGISTERED",
        "message": "The provider says UNREGISTERED.",
    }
    assert good not in str(body)
    _, body, _ = await ringing.call(operator, "POST", f"{TOKENS}/test")
    assert [found["platform"] for found in body["devices"]] == ["android"]


@pytest.mark.parametrize("token", [{"$ne": 1}, "", "short", "a" * 4097, "with space here", 5, None])
async def test_what_is_no_token_is_422(replica: Replica, scene: Scene, token: object) -> None:
    status, body, _ = await replica.call(scene.operator(), "POST", TOKENS, {"token": token})
    assert (status, body["code"]) == (422, "invalid")


async def test_without_credentials_the_service_runs_and_says_that_push_is_off(replica: Replica, scene: Scene) -> None:
    operator = scene.operator()
    await device(replica, operator)
    status, body, _ = await replica.call(operator, "POST", f"{TOKENS}/test")
    assert (status, body["push"], body["devices"]) == (200, "off", [])
    assert replica.output.read_text().count("push_is_off") == 1


async def test_tokens_stay_where_they_are_when_their_operator_logs_in_elsewhere(
    replica: Replica, scene: Scene, enlist: Enlist, mongodb_uri: str, notify_prefix: str
) -> None:
    operator, token = await enlist(replica)
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb_uri)
    found = await client[f"{notify_prefix}_notify"]["push_tokens"].find_one({"operator_id": operator.operator_id})
    await client.close()
    assert found is not None
    assert found["token"] == token
    assert token not in found["_id"]


async def test_phones_ring_on_after_the_broker_has_lost_its_disk(
    start_replica: StartReplica, crew: Crew, fcm: FcmServer, lone_broker: tuple[RabbitServer, Bus]
) -> None:
    """The log begins anew: its positions are lower than the cursor was."""
    broker, bus = lone_broker
    replica = await start_replica(broker=broker.uri, push_delay_seconds=0.2, **fcm.settings)
    scene = Scene(bus)
    operator = scene.operator()
    crew.add(scene.site_id, operator.operator_id, "en")
    token = await device(replica, operator)
    await scene.accept(operator)
    for number in range(10):
        await scene.say(f"before {number}")
    await until(lambda: _last_words(fcm, token) == "before 9", within=15)

    await broker.kill()
    shutil.rmtree(broker.directory / "mnesia")
    await broker.start()
    await until(lambda: bus.fault() is None, within=30)
    await scene.say("after")
    await until(lambda: _last_words(fcm, token) == "after", within=30)


def _last_words(fcm: FcmServer, token: str) -> str | None:
    pushes = fcm.to(token)
    return pushes[-1].message["notification"]["body"] if pushes else None
