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
from support.api import ApiClient
from support.otlp_collector import CollectedSpan, OtlpCollector, ancestors_of
from support.tenants import TenantFixture
from support.wait import wait_until

WRITES = ("insert", "update", "delete", "findAndModify", "bulkWrite")
MESSAGES = 400
AT_ONCE = 32


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[OtlpCollector]:
    async with OtlpCollector() as server:
        yield server


@pytest.fixture(scope="module")
async def traced(
    servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory, collector: OtlpCollector
) -> AsyncIterator[Stack]:
    env = {"*": {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}}
    async for stack in started_stack(servers, tmp_path_factory.mktemp("round-trips"), 1, env):
        yield stack


@pytest.fixture
async def tenant(traced: Stack, servers: tuple[str, str]) -> AsyncIterator[TenantFixture]:
    async with ApiClient(traced.gateway_url) as api:
        yield await TenantFixture.create(api, traced, servers[0])


async def test_a_message_is_answered_after_one_write_and_no_find(
    tenant: TenantFixture, collector: OtlpCollector
) -> None:
    _, conversation_id = await tenant.assigned_conversation()
    await tenant.alex.send_message(conversation_id, "The first looks up what the next ones remember.")
    asked = await _asked(tenant, collector, conversation_id)
    assert asked == {"update": 1}, "in one write: the message, its place, the counters and the event"


async def test_in_a_long_conversation_a_message_is_not_looked_for_among_the_old_ones(
    tenant: TenantFixture, collector: OtlpCollector
) -> None:
    _, conversation_id = await tenant.assigned_conversation()
    for number in range(60):
        body = {"conversation_id": conversation_id, "content": f"Number {number}"}
        (await tenant.alex.post("/operator/message", body, Idempotency_Key=f"number-{number}")).ok()
    assert await _asked(tenant, collector, conversation_id) == {"update": 1}
    again = {"conversation_id": conversation_id, "content": "Number 3"}
    repeated = (await tenant.alex.post("/operator/message", again, Idempotency_Key="number-3")).ok()
    assert repeated["message"]["seq"] < 10, "what was said under the key the first time"


async def test_a_visitors_message_is_answered_after_one_find_and_one_write(
    tenant: TenantFixture, collector: OtlpCollector
) -> None:
    visitor, _ = await tenant.assigned_conversation()
    for number in range(RECENT_IDS + 2):
        await visitor.send_message(f"Number {number}", message_id=f"number-{number}")
    request_id = f"round-{secrets.token_hex(8)}"
    body = {**visitor.credentials, "message": "Is it on its way?", "message_id": "the-last"}
    async with tenant.api.http.post(
        f"{tenant.api.base_url}/api/v1/chat/stream", json=body, headers={"X-Request-Id": request_id}
    ) as response:
        assert b'"done"' in await response.read()
    asked = await _commands(collector, request_id, "POST /api/v1/chat/stream")
    assert asked == {"find": 1, "update": 1}, "whether the visitor is blocked; then all of it in one write"


async def test_a_list_is_one_find(tenant: TenantFixture, collector: OtlpCollector) -> None:
    await tenant.pending_conversation()
    path = "/operator/active-chats"
    (await tenant.alex.get(path, site_id=tenant.site_id)).ok()
    request_id = f"round-{secrets.token_hex(8)}"
    headers, query = {"X-Request-Id": request_id}, {"site_id": tenant.site_id}
    reply = await tenant.api.request("GET", f"/api/v1{path}", token=tenant.alex.token, query=query, headers=headers)
    assert len(reply.ok()["chats"]) == 1
    assert await _commands(collector, request_id, f"GET /api/v1{path}") == {"find": 1}


async def test_messages_that_come_together_are_written_together(tenant: TenantFixture, mongodb_uri: str) -> None:
    held = [(await tenant.assigned_conversation())[1] for _ in range(8)]
    gate = asyncio.Semaphore(AT_ONCE)

    async def say(number: int) -> None:
        async with gate:
            await tenant.alex.send_message(held[number % len(held)], f"Number {number}")

    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        before = await _written(client)
        await asyncio.gather(*(say(number) for number in range(MESSAGES)))
        written = await _written(client) - before
    assert written <= 2 * MESSAGES, "in all: the commit, the message in its collection, the outbox's clearing"
    assert written <= MESSAGES, "and under load far fewer, for what waits is written with what waits beside it"


async def _asked(tenant: TenantFixture, collector: OtlpCollector, conversation_id: int) -> Counter[str]:
    """What a message asks of the database before it is answered."""
    request_id = f"round-{secrets.token_hex(8)}"
    body = {"conversation_id": conversation_id, "content": "Your order is on its way."}
    key = secrets.token_hex(16)
    (await tenant.alex.post("/operator/message", body, X_Request_Id=request_id, Idempotency_Key=key)).ok()
    return await _commands(collector, request_id, "POST /api/v1/operator/message")


async def _commands(collector: OtlpCollector, request_id: str, route: str) -> Counter[str]:
    """The commands under chat's own span of a request; of those, the span has ended after all."""

    def found() -> CollectedSpan | None:
        spans = [
            span
            for trace in collector.trace_ids_with_attribute("parley.request_id", request_id)
            for span in collector.spans_of_trace(trace)
        ]
        return next((span for span in spans if span.service_and_name == ("parley-chat", route)), None)

    answered: CollectedSpan = await wait_until(found, timeout=20, description=f"the span {route}")
    spans = collector.spans_of_trace(answered.trace_id)
    return Counter(
        str(span.attributes["db.operation.name"])
        for span in spans
        if "db.operation.name" in span.attributes and answered in ancestors_of(spans, span)
    )


async def _written(client: AsyncMongoClient[dict[str, Any]]) -> int:
    """Commands that write, of everybody, since the server started."""
    counted = (await client.admin.command("serverStatus"))["metrics"]["commands"]
    return sum(int(counted[name]["total"]) for name in WRITES if name in counted)
