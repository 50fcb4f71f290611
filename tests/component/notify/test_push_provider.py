"""The push provider: what it answers, how it fails, and what then becomes of tokens and pushes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from support.fcm import NO_SUCH_PROJECT, UNAVAILABLE, UNREGISTERED, FcmServer, too_many
from support.notify import Replica, Scene
from support.pushes import TOKENS, Enlist, counting, device, rung
from support.wait import until

StartReplica = Callable[..., Awaitable[Replica]]


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
    assert (await rung(fcm, token))["notification"]["body"] == "Hello?"


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
    assert (await rung(fcm, token, within=20))["notification"]["body"] == "Hello?"


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
    assert fcm.to(token)[-1].message["notification"]["body"] == "streams go on"


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


async def test_without_credentials_the_service_runs_and_says_that_push_is_off(replica: Replica, scene: Scene) -> None:
    operator = scene.operator()
    await device(replica, operator)
    status, body, _ = await replica.call(operator, "POST", f"{TOKENS}/test")
    assert (status, body["push"], body["devices"]) == (200, "off", [])
    assert replica.output.read_text().count("push_is_off") == 1
