"""A visitor who is to be forgotten: pushes about them that wait are dropped, and kept nowhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pymongo import AsyncMongoClient

from parley.common.events.conversations import VisitorErased
from parley.common.messaging import Ask, Bus
from parley_dev.servers import RabbitServer
from support.fcm import FcmServer
from support.notify import Crew, Replica, Scene
from support.wait import until

StartReplica = Callable[..., Awaitable[Replica]]


async def test_what_waits_to_be_pushed_of_a_visitor_is_shown_and_then_erased(
    start_replica: StartReplica,
    crew: Crew,
    fcm: FcmServer,
    mongodb_uri: str,
    lone_broker: tuple[RabbitServer, Bus],
    database_prefix: str,
) -> None:
    broker, bus = lone_broker
    scene = Scene(bus)
    replica = await start_replica(broker=broker.uri, push_delay_seconds=300, **fcm.settings)
    operator = scene.operator()
    crew.add(scene.site_id, operator.operator_id)
    token = "dev:" + "a" * 32
    await replica.call(operator, "POST", "/api/v1/operator/fcm-token", {"token": token, "platform": "android"})
    await scene.accept(operator)
    await scene.say("zq-my-secret-words")
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        deliveries = client[f"{database_prefix}_notify"]["deliveries"]

        async def waits() -> bool:
            return await deliveries.count_documents({"calls.text": "zq-my-secret-words"}) == 1

        await until(waits)
        kept = await _asked(broker.uri, scene)
        assert kept is not None
        assert kept["pushes"][0]["waiting"][0]["text"] == "zq-my-secret-words"
        await scene.tell(VisitorErased(session_id=scene.session, conversation_ids=(scene.conversation_id,)))

        async def gone() -> bool:
            return await deliveries.count_documents({"conversation_id": scene.conversation_id}) == 0

        await until(gone)
    assert await _asked(broker.uri, scene) is None


async def _asked(amqp_url: str, scene: Scene) -> dict[str, Any] | None:
    bus, ask = Bus(amqp_url), Ask("notify")
    bus.add(ask)
    await bus.start()
    try:
        await until(lambda: bus.fault() is None)
        return await ask(
            "visitor_data", site_id=scene.site_id, session=scene.session, conversation_ids=[scene.conversation_id]
        )
    finally:
        await bus.stop()
