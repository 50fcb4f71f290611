"""Database round trips per request, counted by the services' spans and by MongoDB's profiler."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter

from parley.chat.conversations.model import MAX_RECENT_IDS
from parley_dev.stack import Stack
from support.otlp_collector import CollectedSpan, OtlpCollector, list_ancestors, span_count
from support.tenants import TenantFixture
from support.wait import wait_until

WRITES = ("insert", "update", "delete", "findAndModify", "bulkWrite")
MESSAGES = 400
CONCURRENCY = 32
QUIET_SECONDS = 1.0
"""Longer than the interval at which services export spans."""


async def test_an_operators_message_takes_one_write_and_no_find(
    tenant: TenantFixture, collector: OtlpCollector
) -> None:
    _, conversation_id = await tenant.assigned_conversation()
    await tenant.alex.send_message(conversation_id, "The first one fills the caches.")
    commands = await _commands_of_message(tenant, collector, conversation_id)
    assert commands == {"update": 1}, "one write: the message, its position, the counters and the event"


async def test_a_message_in_a_long_conversation_takes_one_write(
    tenant: TenantFixture, collector: OtlpCollector
) -> None:
    _, conversation_id = await tenant.assigned_conversation()
    for number in range(60):
        body = {"conversation_id": conversation_id, "content": f"Number {number}"}
        (await tenant.alex.post("/operator/message", body, Idempotency_Key=f"number-{number}")).ok()
    assert await _commands_of_message(tenant, collector, conversation_id) == {"update": 1}
    again = {"conversation_id": conversation_id, "content": "Number 3"}
    repeated = (await tenant.alex.post("/operator/message", again, Idempotency_Key="number-3")).ok()
    assert repeated["message"]["seq"] < 10, "the message sent first with this key"


async def test_a_visitors_message_takes_one_find_and_one_write(tenant: TenantFixture, collector: OtlpCollector) -> None:
    visitor, _ = await tenant.assigned_conversation()
    for number in range(MAX_RECENT_IDS + 2):
        await visitor.send_message(f"Number {number}", message_id=f"number-{number}")
    request_id = f"round-{secrets.token_hex(8)}"
    body = {**visitor.credentials, "message": "Is it on its way?", "message_id": "the-last"}
    async with tenant.api.http.post(
        f"{tenant.api.base_url}/api/v1/chat/stream", json=body, headers={"X-Request-Id": request_id}
    ) as response:
        assert b'"done"' in await response.read()
    commands = await _commands(collector, request_id, "POST /api/v1/chat/stream")
    assert commands == {"find": 1, "update": 1}, "one find for the block, one write for the rest"


async def test_a_list_takes_one_find(tenant: TenantFixture, collector: OtlpCollector) -> None:
    await tenant.pending_conversation()
    path = "/operator/active-chats"
    (await tenant.alex.get(path, site_id=tenant.site_id)).ok()
    request_id = f"round-{secrets.token_hex(8)}"
    headers, query = {"X-Request-Id": request_id}, {"site_id": tenant.site_id}
    reply = await tenant.api.request("GET", f"/api/v1{path}", token=tenant.alex.token, query=query, headers=headers)
    assert len(reply.ok()["chats"]) == 1
    assert await _commands(collector, request_id, f"GET /api/v1{path}") == {"find": 1}


async def test_concurrent_messages_are_written_in_batches(
    tenant: TenantFixture, stack: Stack, collector: OtlpCollector
) -> None:
    conversation_ids = [(await tenant.assigned_conversation())[1] for _ in range(8)]
    semaphore = asyncio.Semaphore(CONCURRENCY)
    chat = stack.processes("chat")[0].internal_url

    async def send(number: int) -> None:
        async with semaphore:
            await tenant.alex.send_message(conversation_ids[number % len(conversation_ids)], f"Number {number}")

    await _wait_exported(collector)
    dropped = await span_count(tenant.api, chat, "dropped")
    first = len(collector.spans)
    await asyncio.gather(*(send(number) for number in range(MESSAGES)))
    await _wait_exported(collector)
    assert await span_count(tenant.api, chat, "dropped") == dropped, "every command is counted"
    commands = Counter(
        span.attributes.get("db.operation.name") for span in collector.spans[first:] if span.service == "parley-chat"
    )
    written = sum(commands[name] for name in WRITES)
    assert 0 < written <= MESSAGES, "concurrent messages share writes: alone, each needs three"


async def _wait_exported(collector: OtlpCollector) -> None:
    """Wait until no service exports spans any more."""
    quiet_since, count = time.monotonic(), -1
    while time.monotonic() - quiet_since < QUIET_SECONDS:
        if len(collector.spans) != count:
            quiet_since, count = time.monotonic(), len(collector.spans)
        await asyncio.sleep(0.05)


async def _commands_of_message(tenant: TenantFixture, collector: OtlpCollector, conversation_id: int) -> Counter[str]:
    """Send a message, and count the commands that chat executes before the response."""
    request_id = f"round-{secrets.token_hex(8)}"
    body = {"conversation_id": conversation_id, "content": "Your order is on its way."}
    key = secrets.token_hex(16)
    (await tenant.alex.post("/operator/message", body, X_Request_Id=request_id, Idempotency_Key=key)).ok()
    return await _commands(collector, request_id, "POST /api/v1/operator/message")


async def _commands(collector: OtlpCollector, request_id: str, route: str) -> Counter[str]:
    """Count the database commands below chat's span of a request. They end, and are exported, before that span."""

    def chat_span() -> CollectedSpan | None:
        spans = [
            span
            for trace in collector.trace_ids_with_attribute("parley.request_id", request_id)
            for span in collector.spans_of_trace(trace)
        ]
        return next((span for span in spans if span.service_and_name == ("parley-chat", route)), None)

    request_span: CollectedSpan = await wait_until(chat_span, timeout=20, description=f"the span {route}")
    spans = collector.spans_of_trace(request_span.trace_id)
    return Counter(
        str(span.attributes["db.operation.name"])
        for span in spans
        if "db.operation.name" in span.attributes and request_span in list_ancestors(spans, span)
    )
