"""AI replies from a provider with the real protocol: content, failures, limits, and silence after an accept."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from parley_dev.stack import Stack
from support.api import VisitorClient
from support.openai_server import FakeOpenAIServer
from support.tenants import TenantFixture
from support.wait import wait_until


@pytest.fixture
async def tenant(tenant: TenantFixture) -> TenantFixture:
    """A tenant whose site uses the installation's AI endpoint."""
    settings = {"engine": "openai", "instructions": "You sell garden gnomes.", "offline_message": ""}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", settings)).ok()
    return tenant


async def test_the_prompt_contains_instructions_knowledge_and_history_but_no_notes(
    tenant: TenantFixture, openai_server: FakeOpenAIServer
) -> None:
    entry = {"question": "How tall are the gnomes?", "answer": "Forty centimetres."}
    (await tenant.owner.post(f"/sites/{tenant.site_id}/chatbot/knowledge", entry)).ok(201)
    visitor, conversation_id = await tenant.pending_conversation("A secret between us")
    (await tenant.alex.post("/operator/note", {"conversation_id": conversation_id, "content": "a rich one"})).ok()
    (await tenant.alex.post(f"/operator/release/{conversation_id}")).ok()
    reply = await visitor.send_message("How tall are the gnomes?")
    assert reply["answer"] == "Hello from the model."
    request = openai_server.requests[-1]
    system = request["messages"][0]["content"]
    assert "You sell garden gnomes." in system
    assert "Forty centimetres." in system
    assert "a rich one" not in str(request), "notes must not be in the prompt"
    assert request["messages"][-1] == {"role": "user", "content": "How tall are the gnomes?"}
    assert {"role": "user", "content": "A secret between us"} in request["messages"]
    assert request["stream"] is True


@pytest.mark.parametrize(
    ("message", "language"),
    [
        ("I want to talk to a human", "en"),
        ("Ich möchte mit einem Menschen sprechen", "de"),
        ("Puis-je parler à un conseiller ?", "fr"),
    ],
)
async def test_a_request_for_a_person_starts_a_handoff(
    tenant: TenantFixture, openai_server: FakeOpenAIServer, message: str, language: str
) -> None:
    visitor = tenant.new_visitor()
    reply = await visitor.send_message(message, lang=language)
    assert reply["mode"] == "pending"
    assert not openai_server.requests, "the provider is not called"
    asks_for_email = {"en": "e-mail", "de": "E-Mail-Adresse", "fr": "adresse e-mail"}
    assert asks_for_email[language] in reply["answer"], (
        "nobody is online, so the reply asks for an e-mail address, in the visitor's language"
    )


async def test_a_handoff_with_an_operator_online_asks_the_visitor_to_wait(tenant: TenantFixture) -> None:
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()

    async def online() -> bool:
        operators = (await tenant.sam.get("/operator/operators", site_id=tenant.site_id)).ok()["operators"]
        return any(one["online"] for one in operators)

    await wait_until(online)
    reply = await tenant.new_visitor().send_message("operator please, I want to speak to a person")
    assert "Somebody will be with you soon" in reply["answer"]


async def test_two_unanswered_questions_start_a_handoff(tenant: TenantFixture, openai_server: FakeOpenAIServer) -> None:
    openai_server.chunks = ["[[NO", " ANSWER]]"]
    visitor = tenant.new_visitor()
    first = await visitor.send_message("What is the meaning of life?")
    assert first["mode"] == "ai"
    assert "don't know" in first["answer"]
    assert "NO ANSWER" not in first["answer"]
    second = await visitor.send_message("And of the universe?")
    assert second["mode"] == "pending"


@pytest.mark.parametrize("failure", ["status", "broken"])
async def test_a_failing_provider_starts_a_handoff_with_a_message(
    tenant: TenantFixture, openai_server: FakeOpenAIServer, failure: str
) -> None:
    openai_server.status = 500 if failure == "status" else 200
    openai_server.abort_connection = failure == "broken"
    visitor = tenant.new_visitor()
    reply = await visitor.send_message("Hello?")
    assert reply["mode"] == "pending"
    assert "can't answer right now" in reply["answer"]
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["role"] for message in history] == ["visitor", "ai"]
    assert history[1]["content"] == reply["answer"]


async def test_no_chunk_is_sent_after_an_accept(tenant: TenantFixture, openai_server: FakeOpenAIServer) -> None:
    """T15: after an accept the AI sends no further chunk, and stores no reply."""
    openai_server.pause = asyncio.Event()
    visitor = tenant.new_visitor()
    received: list[str] = []
    started = asyncio.Event()

    async def read_reply() -> dict[str, object]:
        last: dict[str, object] = {}
        async for part in visitor.stream_reply("Hello?"):
            last = part
            if part["type"] == "chunk":
                received.append(part["content"])
                started.set()
        return last

    reading = asyncio.create_task(read_reply())
    await asyncio.wait_for(started.wait(), 10)
    chats = (await tenant.alex.get("/operator/all-active-chats", status="ai")).ok()["chats"]
    (await tenant.alex.post(f"/operator/accept/{chats[0]['id']}")).ok()
    before = len(received)
    openai_server.pause.set()
    last = await asyncio.wait_for(reading, 10)
    assert len(received) == before
    assert last["meta"]["mode"] == "operator"  # type: ignore[index]
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["role"] for message in history] == ["visitor"]


async def test_a_reply_is_completed_when_the_visitor_disconnects(
    tenant: TenantFixture, openai_server: FakeOpenAIServer
) -> None:
    openai_server.pause = asyncio.Event()
    visitor = tenant.new_visitor()
    async for part in visitor.stream_reply("Hello?"):
        assert part["type"] == "chunk"
        break
    openai_server.pause.set()

    async def answered() -> bool:
        history = (await visitor.get("/history")).ok()["messages"]
        return [message["content"] for message in history] == ["Hello?", "Hello from the model."]

    await wait_until(answered)


async def test_a_conversation_has_one_reply_at_a_time_with_the_previous_ones_in_its_prompt(
    tenant: TenantFixture, openai_server: FakeOpenAIServer
) -> None:
    def prompts() -> list[str]:
        return [request["messages"][-1]["content"] for request in openai_server.requests]

    openai_server.usage = 1
    first_may_end = openai_server.pause = asyncio.Event()
    visitor = tenant.new_visitor()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(visitor.send_message("one"))
        await wait_until(lambda: prompts() == ["one"])
        tasks.create_task(visitor.send_message("two"))
        await wait_until(partial(_has_messages, visitor, 2))
        rest_may_end = openai_server.pause = asyncio.Event()
        first_may_end.set()
        await wait_until(lambda: prompts() == ["one", "two"])
        tasks.create_task(visitor.send_message("three"))
        await wait_until(partial(_has_messages, visitor, 4))
        # Later messages of other visitors are answered, so the third one waits only for its own conversation.
        for later in ("elsewhere", "elsewhere again"):
            tasks.create_task(tenant.new_visitor().send_message(later))
            await wait_until(lambda later=later: later in prompts())  # type: ignore[misc]
        assert prompts() == ["one", "two", "elsewhere", "elsewhere again"]
        rest_may_end.set()
    third = next(request for request in openai_server.requests if request["messages"][-1]["content"] == "three")
    history = [message["content"] for message in third["messages"][1:]]
    assert history == ["one", "Hello from the model.", "two", "Hello from the model.", "three"]


async def _has_messages(visitor: VisitorClient, count: int) -> bool:
    return len((await visitor.get("/history")).ok()["messages"]) == count


async def test_the_builtin_engine_answers_when_the_daily_tokens_are_used_up(
    tenant: TenantFixture, stack: Stack, openai_server: FakeOpenAIServer, mongodb_uri: str
) -> None:
    path = f"/sites/{tenant.site_id}/chatbot"
    body = {"ai": {"daily_tokens": 7000, "answer_tokens": 100}, "caps": {"when_reached": "builtin"}}
    (await tenant.owner.send("PUT", path, body)).ok()
    openai_server.usage = 3000
    visitor = tenant.new_visitor()
    for number in range(2):
        await visitor.send_message(f"Question {number}")
    assert len(openai_server.requests) == 2
    reply = await visitor.send_message("Question 3")
    assert len(openai_server.requests) == 2, "a reply that may pass the limit is not asked for"
    assert reply["answer"]
    prefix = stack.environment("chat")["PARLEY_DATABASE_PREFIX"]
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        stored = await client[f"{prefix}_chat"]["conversations"].find_one({"_id": reply["conversation_id"]})
    assert stored is not None
    assert stored["tokens"] == 2 * 3000
