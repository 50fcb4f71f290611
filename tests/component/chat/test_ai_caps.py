"""Caps of a site's AI on real MongoDB: each request to a model is reserved before it is made, and nobody is ignored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from parley.chat.ai.metering import Limits
from parley.chat.messages.visitor_service import ReceivedMessage
from parley.common.events.envelope import redact_for_visitor
from support.admin_app import AdminTestApp
from support.ai_replicas import Replica, Shop, run_replicas
from support.openai_server import FakeOpenAIServer, call_delta

TOOL = {
    "name": "order_status",
    "title": "Look up an order",
    "description": "The status of an order.",
    "parameters": {"type": "object", "properties": {}},
    "url": "https://8.8.8.8/orders",
}


@pytest.fixture
async def endpoint() -> AsyncIterator[FakeOpenAIServer]:
    async with FakeOpenAIServer() as server:
        yield server


@pytest.fixture
async def replicas(app: AdminTestApp, endpoint: FakeOpenAIServer) -> AsyncIterator[tuple[Replica, Replica]]:
    async with run_replicas(app, endpoint) as both:
        yield both


async def create_shop(app: AdminTestApp, *, tokens: int | None = None, **caps: object) -> Shop:
    return await Shop.create(app, engine="openai", ai={"daily_tokens": tokens, "answer_tokens": 100}, caps=caps)


async def read_from(replica: Replica, received: ReceivedMessage, client_ip: str) -> str:
    stream = replica.replies.start_or_join(received, client_ip)
    return "".join([str(part) async for part in replica.replies.subscribe(received, stream)][:-1])


async def used_today(replica: Replica, shop: Shop) -> tuple[int, int]:
    """Tokens and replies."""
    spent = await replica.budget.read(shop.site_id, Limits())
    return spent.tokens, spent.replies


async def test_replies_of_two_replicas_that_start_together_do_not_pass_a_cap(
    app: AdminTestApp, replicas: tuple[Replica, Replica], endpoint: FakeOpenAIServer
) -> None:
    """A16: replies that start together on two replicas stay within a site's cap; the others are handed over."""
    shop = await create_shop(app, site=5)
    asked = [replicas[number % 2].ask(shop.new_visitor(), f"Question {number}") for number in range(16)]
    ended = await asyncio.gather(*asked)
    assert len(endpoint.requests) == 5
    assert all(text for text, _ in ended), "nobody is ignored"
    refused = [outcome.conversation for _, outcome in ended if outcome.conversation.mode == "pending"]
    assert len(refused) == 11
    assert {one.history[-1].reason for one in refused} == {"ai_cap_site"}
    assert await used_today(replicas[1], shop) == (5 * 42, 5)


@pytest.mark.parametrize("cap", ["address", "session", "conversation"])
async def test_each_cap_stops_whom_it_is_about_and_nobody_else(
    app: AdminTestApp, replicas: tuple[Replica, Replica], endpoint: FakeOpenAIServer, cap: str
) -> None:
    shop, replica = await create_shop(app, **{cap: 2}), replicas[0]
    visitor = shop.new_visitor()
    for number in range(3):
        writer = shop.new_visitor() if cap == "address" else visitor
        received = await replica.receive(writer, f"Question {number}")
        assert await read_from(replica, received, "192.0.2.1")
    assert len(endpoint.requests) == 2
    conversation = await replica.module.conversation_repository.find(shop.owner.tenant_id, received.conversation.id)
    assert conversation is not None
    assert (conversation.mode, conversation.history[-1].reason) == ("pending", f"ai_cap_{cap}")
    await read_from(replica, await replica.receive(shop.new_visitor(), "Hello?"), "192.0.2.2")
    assert len(endpoint.requests) == 3


async def test_where_a_site_wants_it_the_builtin_engine_replies(
    app: AdminTestApp, replicas: tuple[Replica, Replica], endpoint: FakeOpenAIServer
) -> None:
    shop = await create_shop(app, site=1, when_reached="builtin")
    _, first = await replicas[0].ask(shop.new_visitor(), "First?")
    text, outcome = await replicas[0].ask(shop.new_visitor(), "Second?")
    assert (bool(text), outcome.conversation.mode, len(endpoint.requests)) == (True, "ai", 1)
    assert first.message is not None
    assert outcome.message is not None
    assert (first.message.cap_reached, outcome.message.cap_reached) == (None, "site"), "operators see why it replied"
    event = await app.wait_for_event("message.created", id=outcome.message.id)
    assert event.data["cap_reached"] == "site"
    assert "cap_reached" not in redact_for_visitor(event.type, event.data)
    stored = await replicas[1].module.message_repository.find_ai_reply(outcome.conversation, 1)
    assert stored == outcome.message


async def test_a_reply_that_failed_is_given_back(
    app: AdminTestApp, replicas: tuple[Replica, Replica], endpoint: FakeOpenAIServer
) -> None:
    shop, replica = await create_shop(app, site=1), replicas[0]
    endpoint.status = 401
    _, outcome = await replica.ask(shop.new_visitor(), "Hello?")
    assert outcome.conversation.history[-1].reason == "ai_failed"
    assert await used_today(replica, shop) == (0, 0)
    endpoint.reset()
    text, _ = await replica.ask(shop.new_visitor(), "Hello?")
    assert text == "Hello from the model."


async def test_each_round_with_tools_is_reserved_before_it(
    app: AdminTestApp, replicas: tuple[Replica, Replica], endpoint: FakeOpenAIServer
) -> None:
    shop, replica = await create_shop(app, tokens=3000), replicas[0]
    (await app.call("POST", f"/api/v1/sites/{shop.site_id}/chatbot/tools", shop.owner, TOOL)).ok(201)
    endpoint.usage = 2900
    endpoint.script = [[{"content": "One moment."}, call_delta("no_such_tool", "{}")], [{"content": "Done."}]]
    text, outcome = await replica.ask(shop.new_visitor(), "Where is it?")
    assert len(endpoint.requests) == 1, "the second round could exceed the tokens"
    assert text.startswith("One moment. ")
    assert outcome.conversation.history[-1].reason == "ai_cap_session_tokens", "which may use all of the site's"
    assert await used_today(replica, shop) == (2900, 1)


async def test_an_endpoint_that_reports_more_tokens_than_were_reserved_exceeds_the_days_limit_only_once(
    app: AdminTestApp, replicas: tuple[Replica, Replica], endpoint: FakeOpenAIServer
) -> None:
    """A16: the excess counts on all replicas; on later days, replies that start together stay within the limit."""
    shop = await create_shop(app, tokens=12_000)
    endpoint.usage = 3_300

    async def ask_together() -> int:
        endpoint.requests.clear()
        asked = [replicas[number % 2].ask(shop.new_visitor(), f"Question {number}") for number in range(10)]
        await asyncio.gather(*asked)
        return len(endpoint.requests)

    first_day = await ask_together()
    assert await used_today(replicas[1], shop) == (first_day * 3_300, first_day)
    assert all(request["max_tokens"] == 100 for request in endpoint.requests)
    assert await ask_together() == 0
    for replica in replicas:
        replica.clock.advance(days=1)
    assert 1 <= await ask_together() <= 3
    assert (await used_today(replicas[1], shop))[0] <= 12_000


async def test_embeddings_are_reserved_and_charged(
    app: AdminTestApp, replicas: tuple[Replica, Replica], endpoint: FakeOpenAIServer
) -> None:
    shop, replica = await create_shop(app), replicas[0]
    entry = {"question": "When are you open?", "answer": "From nine to six."}
    (await app.call("POST", f"/api/v1/sites/{shop.site_id}/chatbot/knowledge", shop.owner, entry)).ok(201)
    await shop.configure(ai={"embeddings": "endpoint", "embedding_model": "embed-1"})
    endpoint.embedding_tokens = 100
    site = await app.admin.site_directory.get(shop.owner.tenant_id, shop.site_id)
    await replica.retrieval.prepare(site)
    await replica.retrieval.search(site, "Which hours?", 4)
    requests = endpoint.embedding_requests
    assert requests >= 3, "passages, unrelated questions, and the question"
    assert await used_today(replica, shop) == (100 * requests, 0)
    await replica.ask(shop.new_visitor(), "When are you open?")
    assert await used_today(replica, shop) == (100 * endpoint.embedding_requests + 42, 1)
    assert endpoint.embedding_requests == requests + 1

    await shop.configure(ai={"daily_tokens": 1})
    site = await app.admin.site_directory.get(shop.owner.tenant_id, shop.site_id)
    found = await replica.retrieval.search(site, "When are you open?", 4)
    assert found.passages, "words are compared"
    assert endpoint.embedding_requests == requests + 1


async def test_a_request_for_a_person_that_the_search_recognizes_costs_its_embedding_alone(
    app: AdminTestApp, replicas: tuple[Replica, Replica], endpoint: FakeOpenAIServer
) -> None:
    shop, replica = await create_shop(app), replicas[0]
    entry = {"question": "When are you open?", "answer": "From nine to six."}
    (await app.call("POST", f"/api/v1/sites/{shop.site_id}/chatbot/knowledge", shop.owner, entry)).ok(201)
    await shop.configure(ai={"embeddings": "endpoint", "embedding_model": "embed-1"})
    endpoint.embedding_tokens = 1
    site = await app.admin.site_directory.get(shop.owner.tenant_id, shop.site_id)
    await replica.retrieval.prepare(site)
    _, outcome = await replica.ask(shop.new_visitor(), "speek to an agent")
    assert outcome.conversation.history[-1].reason == "asked"
    assert await used_today(replica, shop) == (endpoint.embedding_requests, 0)


async def test_an_attempt_of_the_next_engine_is_reserved_as_well(
    app: AdminTestApp, replicas: tuple[Replica, Replica], endpoint: FakeOpenAIServer
) -> None:
    shop = await create_shop(app, tokens=600)
    await shop.configure(fallbacks=[{"engine": "openai", "model": "spare-1"}])
    endpoint.status = 500
    replica = replicas[0]
    _, outcome = await replica.ask(shop.new_visitor(), "Hello?")
    models: list[Any] = [request["model"] for request in endpoint.requests]
    assert "spare-1" not in models, "with what the first may have cost, it could exceed the tokens"
    assert outcome.conversation.history[-1].reason == "ai_cap_session_tokens", "which may use all of the site's"
