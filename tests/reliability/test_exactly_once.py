"""T7, T8, T12, T13, T14, T15: races, retries, poison messages, duplicates and timeouts have exactly one effect."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from typing import Any

import aio_pika
import orjson
import pytest
from pymongo import AsyncMongoClient

from parley.common.events import new_event
from parley.common.events.messages import MessageTranslated
from parley.common.events.schemas import MessageTranslation
from parley.common.messaging.dead_letters import replay
from reliability.conftest import ReliabilityCluster, repetitions, report
from support.api import OperatorClient
from support.tenants import TenantFixture
from support.wait import wait_until

pytestmark = pytest.mark.timeout(300)


async def test_t7_only_one_of_concurrent_accepts_succeeds(cluster: ReliabilityCluster, tenant: TenantFixture) -> None:
    """T7: of many operators who accept a conversation concurrently, one gets 200, the others 409 that names them."""
    operators = [tenant.alex, tenant.sam, tenant.owner]
    rounds = repetitions(5, 40)
    for _ in range(rounds):
        _, conversation_id = await tenant.pending_conversation()
        replies = await asyncio.gather(
            *(operator.post(f"/operator/accept/{conversation_id}") for operator in operators)
        )
        assert Counter(reply.status for reply in replies) == {200: 1, 409: 2}
        winner = next(one for one, reply in zip(operators, replies, strict=True) if reply.status == 200)
        for reply in replies:
            if reply.status == 409:
                assert reply.body["operator"]["id"] == winner.id
    report("T7", f"{rounds} races of {len(operators)}: one 200 each, the others 409")


async def test_t8_three_concurrent_requests_with_one_key_have_one_effect(
    cluster: ReliabilityCluster, tenant: TenantFixture
) -> None:
    """T8: a POST sent three times concurrently with one idempotency key has one effect and one response."""
    _, conversation_id = await tenant.assigned_conversation()
    alex, owner = tenant.alex, tenant.owner
    calls: list[tuple[OperatorClient, str, dict[str, Any]]] = [
        (alex, "/operator/note", {"conversation_id": conversation_id, "content": "once"}),
        (alex, "/operator/message", {"conversation_id": conversation_id, "content": "once"}),
        (owner, "/sites", {"name": "Once", "domains": []}),
        (owner, "/api-keys", {"name": "once"}),
        (owner, f"/sites/{tenant.site_id}/chatbot/knowledge", {"question": "once?", "answer": "once"}),
        (alex, f"/operator/transfer/{conversation_id}", {"operator_id": tenant.sam.id}),
    ]
    for operator, path, body in calls:
        key = secrets.token_hex(8)
        replies = await asyncio.gather(*(operator.post(path, body, Idempotency_Key=key) for _ in range(3)))
        done = [reply for reply in replies if reply.status in (200, 201)]
        assert done, [reply.raw for reply in replies]
        assert {reply.status for reply in replies} <= {200, 201, 409}
        assert len({reply.raw for reply in done}) == 1, "one response"
        later = await operator.post(path, body, Idempotency_Key=key)
        assert later.raw == done[0].raw
        other = {**body, next(iter(body)): "x" if isinstance(body[next(iter(body))], str) else 10**9}
        assert (await operator.post(path, other, Idempotency_Key=key)).status in (404, 422)
    shown = (await tenant.sam.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    assert [note["content"] for note in shown["notes"]] == ["once"]
    assert [message["content"] for message in shown["messages"]].count("once") == 1
    assert len([site for site in (await owner.get("/sites")).ok()["sites"] if site["name"] == "Once"]) == 1
    report("T8", f"{len(calls)} kinds of POST, three times concurrently: one effect, one response each")


async def test_t12_poison_messages_are_dead_lettered_and_can_be_replayed(
    cluster: ReliabilityCluster, tenant: TenantFixture
) -> None:
    """T12: poison messages are dead-lettered, other events pass, and one command replays the dead letters."""
    _, conversation_id = await tenant.assigned_conversation()
    event = new_event(
        MessageTranslated(id=1, seq=999, role="visitor", translation=MessageTranslation(lang="en", content="x")),
        tenant_id=1,
        site_id=tenant.site_id,
        conversation_id=conversation_id,
    )
    connection = await aio_pika.connect(cluster.rabbit.uri)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange("parley.events")
        key = f"site.{tenant.site_id}.message.translated"
        await exchange.publish(aio_pika.Message(orjson.dumps(event.to_document())), key)
        await exchange.publish(aio_pika.Message(b"not json at all"), key)

        async def dead() -> bool:
            queue = await channel.declare_queue("parley.chat.facts.dead", passive=True)
            return (queue.declaration_result.message_count or 0) >= 2

        started = time.monotonic()
        await wait_until(dead, timeout=60, description="dead letters")
        took = time.monotonic() - started
        # Valid events are still processed.
        body = {"site_ids": [tenant.site_id]}
        (await tenant.alex.post("/operator/heartbeat", body)).ok()

        async def online() -> bool:
            query = {"site_id": tenant.site_id}
            operators = (await tenant.sam.get("/operator/operators", **query)).ok()["operators"]
            return any(one["online"] for one in operators)

        await wait_until(online, timeout=15)
        assert await replay(cluster.rabbit.uri, "parley.chat.facts") == 2
        await wait_until(dead, timeout=60, description="dead-lettered again")
    report("T12", f"poison messages dead-lettered after {took:.1f} s, valid events processed, 2 replayed")


async def test_t13_duplicate_deliveries_are_shown_once(cluster: ReliabilityCluster, tenant: TenantFixture) -> None:
    """T13: when every event is delivered twice, streams show each of them once."""
    connection = await aio_pika.connect(cluster.rabbit.uri)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange("parley.events")
        doubled = await channel.declare_queue(exclusive=True)
        await doubled.bind(exchange, "#")

        async def republish(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            async with message.process():
                if "again" not in message.headers:
                    copy = aio_pika.Message(message.body, headers={"again": True})
                    await exchange.publish(copy, message.routing_key or "")

        await doubled.consume(republish)
        async with tenant.alex.stream() as panel:
            await panel.wait_for("ready")
            visitor, conversation_id = await tenant.assigned_conversation()
            for number in range(10):
                await visitor.send_message(f"message {number}")
                await tenant.alex.send_message(conversation_id, f"answer {number}")
            await panel.wait_for("message.created", lambda e: e.data["data"]["content"] == "answer 9")
            (await tenant.alex.post(f"/operator/close/{conversation_id}")).ok()
            await panel.wait_for("conversation.closed")
            ids = [event.data["id"] for event in panel.events if event.type != "ready"]
            assert len(ids) == len(set(ids))
            contents = Counter(event.data["data"]["content"] for event in panel.of_type("message.created"))
            assert set(contents.values()) == {1}
    report("T13", f"every event delivered twice: {len(ids)} received, none twice")


async def test_t14_without_heartbeats_presence_goes_offline_in_time(
    cluster: ReliabilityCluster, tenant: TenantFixture
) -> None:
    """T14: without heartbeats an operator and a visitor go offline once and in time, never while a device sends one."""
    visitor = tenant.new_visitor()
    async with tenant.alex.stream() as panel:
        await panel.wait_for("ready")
        (await tenant.sam.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()
        (await visitor.post("/heartbeat", page="https://shop.test/", title="Shop")).ok()
        await panel.wait_for("operator.online")
        await panel.wait_for("visitor.online")
        began = time.monotonic()
        # Another device of the same operator keeps sending heartbeats: the operator stays online.
        while time.monotonic() - began < 4:
            (await tenant.sam.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()
            assert not panel.of_type("operator.offline")
            await panel.wait_for_activity_within(0.5)
        last = time.monotonic()
        await panel.wait_for("visitor.offline")
        await panel.wait_for("operator.offline", timeout=10)
        took = time.monotonic() - last
        assert took < 3 + 1.5
        assert len(panel.of_type("operator.offline")) == len(panel.of_type("visitor.offline")) == 1
    report("T14", f"offline {took:.1f} s after the last heartbeat (timeout 3 s), once, by one of two replicas")


async def test_t15_operator_timeout_fires_once(cluster: ReliabilityCluster, tenant: TenantFixture) -> None:
    """T15: a conversation whose operator does not answer is released once, and the AI answers the visitor."""
    prefix = cluster.stack.environment("chat")["PARLEY_DATABASE_PREFIX"]
    async with AsyncMongoClient[dict[str, Any]](cluster.mongo.uri) as client:
        # Shorter than the API allows, to keep the test short.
        await client[f"{prefix}_chat"]["sites"].update_one(
            {"_id": tenant.site_id}, {"$set": {"chatbot.operator_timeout": 2, "chatbot.on_timeout": "ai"}}
        )
    async with tenant.sam.stream() as panel:
        await panel.wait_for("ready")
        visitor, conversation_id = await tenant.assigned_conversation()
        async with visitor.events() as widget:
            await visitor.send_message("Are you still there?")
            began = time.monotonic()
            released = await panel.wait_for("conversation.released", timeout=15)
            took = time.monotonic() - began
            assert released.data["data"]["reason"] == "operator_timeout"
            await widget.wait_for("conversation.released")
            # The AI answers the waiting visitor once.
            await widget.wait_for("message.created", lambda e: e.data["data"]["role"] == "ai", timeout=15)
            (await tenant.alex.post(f"/operator/accept/{conversation_id}")).ok()
            assert len(panel.of_type("conversation.released")) == 1
    report("T15", f"operator_timeout of 2 s fired once, {took:.1f} s after the unanswered message")
