"""How often the database is asked: counted by the services' own spans, and by MongoDB's own counters."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from conftest import started_stack
from parley.chat.conversations.model import RECENT_IDS
from parley_dev.stack import Stack
from support.api import Api
from support.otlp_collector import Collected, Collector, chain_of
from support.tenants import World
from support.wait import until

WRITES = ("insert", "update", "delete", "findAndModify", "bulkWrite")
MESSAGES = 400
AT_ONCE = 32


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    async with Collector() as server:
        yield server


@pytest.fixture(scope="module")
async def traced(
    servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory, collector: Collector
) -> AsyncIterator[Stack]:
    env = {"*": {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}}
    async for stack in started_stack(servers, tmp_path_factory.mktemp("round-trips"), 1, env):
        yield stack


@pytest.fixture
async def world(traced: Stack, servers: tuple[str, str]) -> AsyncIterator[World]:
    async with Api(traced.gateway_url) as api:
        yield await World.make(api, traced, servers[0])


async def test_a_message_is_answered_after_one_write_and_no_find(world: World, collector: Collector) -> None:
    _, conversation_id = await world.taken()
    await world.alex.say(conversation_id, "The first looks up what the next ones remember.")
    asked = await _asked(world, collector, conversation_id)
    assert asked == {"update": 1}, "in one write: the message, its place, the counters and the event"


async def test_in_a_long_conversation_a_message_is_not_looked_for_among_the_old_ones(
    world: World, collector: Collector
) -> None:
    _, conversation_id = await world.taken()
    for number in range(60):
        body = {"conversation_id": conversation_id, "content": f"Number {number}"}
        (await world.alex.post("/operator/message", body, Idempotency_Key=f"number-{number}")).ok()
    assert await _asked(world, collector, conversation_id) == {"update": 1}
    again = {"conversation_id": conversation_id, "content": "Number 3"}
    repeated = (await world.alex.post("/operator/message", again, Idempotency_Key="number-3")).ok()
    assert repeated["message"]["seq"] < 10, "what was said under the key the first time"


async def test_a_visitors_message_is_answered_after_one_find_and_one_write(world: World, collector: Collector) -> None:
    visitor, _ = await world.taken()
    for number in range(RECENT_IDS + 2):
        await visitor.say(f"Number {number}", message_id=f"number-{number}")
    request_id = f"round-{secrets.token_hex(8)}"
    body = {**visitor.names, "message": "Is it on its way?", "message_id": "the-last"}
    async with world.api.http.post(
        f"{world.api.base}/api/v1/chat/stream", json=body, headers={"X-Request-Id": request_id}
    ) as response:
        assert b'"done"' in await response.read()
    asked = await _commands(collector, request_id, "POST /api/v1/chat/stream")
    assert asked == {"find": 1, "update": 1}, "whether the visitor is blocked; then all of it in one write"


async def test_a_list_is_one_find(world: World, collector: Collector) -> None:
    await world.waiting()
    path = "/operator/active-chats"
    (await world.alex.get(path, site_id=world.site_id)).ok()
    request_id = f"round-{secrets.token_hex(8)}"
    headers, query = {"X-Request-Id": request_id}, {"site_id": world.site_id}
    reply = await world.api.call("GET", f"/api/v1{path}", token=world.alex.token, query=query, headers=headers)
    assert len(reply.ok()["chats"]) == 1
    assert await _commands(collector, request_id, f"GET /api/v1{path}") == {"find": 1}


async def test_messages_that_come_together_are_written_together(world: World, mongodb_uri: str) -> None:
    held = [(await world.taken())[1] for _ in range(8)]
    gate = asyncio.Semaphore(AT_ONCE)

    async def say(number: int) -> None:
        async with gate:
            await world.alex.say(held[number % len(held)], f"Number {number}")

    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        before = await _written(client)
        await asyncio.gather(*(say(number) for number in range(MESSAGES)))
        written = await _written(client) - before
    assert written <= 2 * MESSAGES, "in all: the commit, the message in its collection, the outbox's clearing"
    assert written <= MESSAGES, "and under load far fewer, for what waits is written with what waits beside it"


async def _asked(world: World, collector: Collector, conversation_id: int) -> Counter[str]:
    """What a message asks of the database before it is answered."""
    request_id = f"round-{secrets.token_hex(8)}"
    body = {"conversation_id": conversation_id, "content": "Your order is on its way."}
    key = secrets.token_hex(16)
    (await world.alex.post("/operator/message", body, X_Request_Id=request_id, Idempotency_Key=key)).ok()
    return await _commands(collector, request_id, "POST /api/v1/operator/message")


async def _commands(collector: Collector, request_id: str, route: str) -> Counter[str]:
    """The commands under chat's own span of a request; of those, the span has ended after all."""

    def found() -> Collected | None:
        spans = [span for trace in collector.traces_of("parley.request_id", request_id) for span in collector.of(trace)]
        return next((span for span in spans if span.told == ("parley-chat", route)), None)

    answered: Collected = await until(found, within=20, what=f"the span {route}")
    spans = collector.of(answered.trace_id)
    return Counter(
        str(span.attributes["db.operation.name"])
        for span in spans
        if "db.operation.name" in span.attributes and answered in chain_of(spans, span)
    )


async def _written(client: AsyncMongoClient[dict[str, Any]]) -> int:
    """Commands that write, of everybody, since the server started."""
    counted = (await client.admin.command("serverStatus"))["metrics"]["commands"]
    return sum(int(counted[name]["total"]) for name in WRITES if name in counted)
