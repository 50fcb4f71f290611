"""Phones that ring: when nobody saw the event, once, and not when it was read."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from parley.common.messaging import Bus
from parley_dev.servers import RabbitServer
from support.fcm import FcmServer
from support.notify import Crew, Replica, Scene
from support.pushes import Enlist, counting, device, rung
from support.wait import until

StartReplica = Callable[..., Awaitable[Replica]]


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


RungOnce = Callable[[Replica], Awaitable[str]]


@pytest.fixture
def rung_once(mongodb_uri: str, database_prefix: str, scene: Scene, fcm: FcmServer, enlist: Enlist) -> RungOnce:
    """An operator who holds the scene's conversation is rung for «one»; gives their device's token."""

    async def one(replica: Replica) -> str:
        operator, token = await enlist(replica)
        await scene.accept(operator)
        await scene.say("one")
        await rung(fcm, token)
        async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
            deliveries = client[f"{database_prefix}_notify"]["deliveries"]

            async def recorded() -> bool:
                return await deliveries.count_documents({"claim": {"$exists": True}}) == 0

            # Killed before that, a replica keeps its claim for a minute, and the next push goes along then.
            await until(recorded, what="the push to be recorded")
        return token

    return one


async def test_the_intake_goes_on_when_its_replica_is_killed(
    start_replica: StartReplica, scene: Scene, fcm: FcmServer, rung_once: RungOnce
) -> None:
    first = await start_replica(push_delay_seconds=0.3, **fcm.settings)
    token = await rung_once(first)
    second = await start_replica(push_delay_seconds=0.3, **fcm.settings)
    await first.stop(signal.SIGKILL)
    await scene.say("two")
    assert (await rung(fcm, token, 2, within=20))["notification"]["body"] == "two"
    assert "push_cursor_taken" in second.output.read_text()


async def test_what_nobody_has_taken_in_yet_rings_however_much_has_happened_since(
    start_replica: StartReplica, scene: Scene, fcm: FcmServer, rung_once: RungOnce
) -> None:
    first = await start_replica(push_delay_seconds=0.3, **fcm.settings)
    token = await rung_once(first)
    await first.stop(signal.SIGKILL)
    await scene.say("two")
    await scene.flood(10_500)
    await start_replica(push_delay_seconds=0.3, **fcm.settings)
    assert (await rung(fcm, token, 2, within=30))["notification"]["body"] == "two"


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
