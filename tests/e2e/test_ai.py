"""The AI, by a provider that speaks the real protocol: it answers, gives up in time, never talks over a person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from conftest import started_stack
from parley_dev.stack import Stack
from support.api import ApiClient, VisitorClient
from support.openai_server import FakeOpenAIServer
from support.tenants import TenantFixture
from support.wait import wait_until


@pytest.fixture(scope="module")
async def completions() -> AsyncIterator[FakeOpenAIServer]:
    server = FakeOpenAIServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="module")
async def ai_stack(
    servers: tuple[str, str], run_directory: Path, completions: FakeOpenAIServer
) -> AsyncIterator[Stack]:
    env = {
        "PARLEY_OPENAI_URL": completions.url,
        "PARLEY_OPENAI_API_KEY": "sk-test",
        "PARLEY_OPENAI_SECONDS": "5",
        "PARLEY_AI_DAILY_TOKENS": "100",
    }
    async for started in started_stack(servers, run_directory / "ai", 1, {"chat": env}):
        yield started


@pytest.fixture
async def tenant(
    ai_stack: Stack, servers: tuple[str, str], completions: FakeOpenAIServer
) -> AsyncIterator[TenantFixture]:
    """A tenant whose site is answered by the provider."""
    fresh = FakeOpenAIServer()
    completions.chunks, completions.status, completions.pause = fresh.chunks, 200, None
    completions.abort_connection, completions.usage = False, fresh.usage
    completions.requests.clear()
    async with ApiClient(ai_stack.gateway_url) as api:
        tenant = await TenantFixture.create(api, ai_stack, servers[0])
        settings = {"engine": "openai", "instructions": "You sell garden gnomes.", "offline_message": ""}
        (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", settings)).ok()
        yield tenant


async def mode_of(tenant: TenantFixture, conversation_id: int) -> str:
    shown = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    return str(shown["mode"])


async def test_the_provider_answers_from_the_sites_instructions_and_knowledge(
    tenant: TenantFixture, completions: FakeOpenAIServer
) -> None:
    entry = {"question": "How tall are the gnomes?", "answer": "Forty centimetres."}
    (await tenant.owner.post(f"/sites/{tenant.site_id}/chatbot/knowledge", entry)).ok(201)
    visitor, conversation_id = await tenant.pending_conversation("A secret between us")
    (await tenant.alex.post("/operator/note", {"conversation_id": conversation_id, "content": "a rich one"})).ok()
    (await tenant.alex.post(f"/operator/release/{conversation_id}")).ok()
    said = await visitor.send_message("How tall are the gnomes?")
    assert said["answer"] == "Hello from the model."
    asked = completions.requests[-1]
    system = asked["messages"][0]["content"]
    assert "You sell garden gnomes." in system
    assert "Forty centimetres." in system
    assert "a rich one" not in str(asked), "notes are not in the prompt"
    assert asked["messages"][-1] == {"role": "user", "content": "How tall are the gnomes?"}
    assert {"role": "user", "content": "A secret between us"} in asked["messages"]
    assert asked["stream"] is True


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("I want to talk to a human", "en"),
        ("Ich möchte mit einem Menschen sprechen", "de"),
        ("Puis-je parler à un conseiller ?", "fr"),
    ],
)
async def test_who_asks_for_a_person_is_put_into_the_queue(
    tenant: TenantFixture, completions: FakeOpenAIServer, words: str, language: str
) -> None:
    visitor = tenant.new_visitor()
    said = await visitor.send_message(words, lang=language)
    assert said["mode"] == "pending"
    assert not completions.requests, "it costs no token"
    nobody = {"en": "e-mail", "de": "E-Mail-Adresse", "fr": "adresse e-mail"}
    assert nobody[language] in said["answer"], "nobody is online: an address is asked for, in their language"


async def test_with_somebody_online_the_visitor_is_told_to_wait(tenant: TenantFixture) -> None:
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()

    async def online() -> bool:
        found = (await tenant.sam.get("/operator/operators", site_id=tenant.site_id)).ok()["operators"]
        return any(one["online"] for one in found)

    await wait_until(online)
    said = await tenant.new_visitor().send_message("operator please, I want to speak to a person")
    assert "Somebody will be with you soon" in said["answer"]


async def test_not_knowing_twice_hands_over(tenant: TenantFixture, completions: FakeOpenAIServer) -> None:
    completions.chunks = ["[[NO", " ANSWER]]"]
    visitor = tenant.new_visitor()
    first = await visitor.send_message("What is the meaning of life?")
    assert first["mode"] == "ai"
    assert "don't know" in first["answer"]
    assert "NO ANSWER" not in first["answer"]
    second = await visitor.send_message("And of the universe?")
    assert second["mode"] == "pending"


@pytest.mark.parametrize("failure", ["status", "broken"])
async def test_a_failing_provider_costs_a_sentence_not_the_conversation(
    tenant: TenantFixture, completions: FakeOpenAIServer, failure: str
) -> None:
    completions.status = 500 if failure == "status" else 200
    completions.abort_connection = failure == "broken"
    visitor = tenant.new_visitor()
    said = await visitor.send_message("Hello?")
    assert said["mode"] == "pending"
    assert "can't answer right now" in said["answer"]
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["role"] for message in history] == ["visitor", "ai"]
    assert history[1]["content"] == said["answer"]


async def test_after_an_accept_not_one_chunk_more_is_heard(
    tenant: TenantFixture, completions: FakeOpenAIServer
) -> None:
    completions.pause = asyncio.Event()
    visitor = tenant.new_visitor()
    heard: list[str] = []
    begun = asyncio.Event()

    async def listen() -> dict[str, object]:
        last: dict[str, object] = {}
        async for part in visitor.stream_reply("Hello?"):
            last = part
            if part["type"] == "chunk":
                heard.append(part["content"])
                begun.set()
        return last

    listening = asyncio.create_task(listen())
    await asyncio.wait_for(begun.wait(), 10)
    chats = (await tenant.alex.get("/operator/all-active-chats", status="ai")).ok()["chats"]
    (await tenant.alex.post(f"/operator/accept/{chats[0]['id']}")).ok()
    before = len(heard)
    completions.pause.set()
    last = await asyncio.wait_for(listening, 10)
    assert len(heard) == before
    assert last["meta"]["mode"] == "operator"  # type: ignore[index]
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["role"] for message in history] == ["visitor"]


async def test_who_leaves_amid_an_answer_finds_it_whole_in_the_history(
    tenant: TenantFixture, completions: FakeOpenAIServer
) -> None:
    completions.pause = asyncio.Event()
    visitor = tenant.new_visitor()
    async for part in visitor.stream_reply("Hello?"):
        assert part["type"] == "chunk"
        break
    completions.pause.set()

    async def answered() -> bool:
        history = (await visitor.get("/history")).ok()["messages"]
        return [message["content"] for message in history] == ["Hello?", "Hello from the model."]

    await wait_until(answered)


async def test_one_answer_at_a_time_and_each_is_told_what_the_last_one_said(
    tenant: TenantFixture, completions: FakeOpenAIServer
) -> None:
    def put_to_it() -> list[str]:
        return [asked["messages"][-1]["content"] for asked in completions.requests]

    completions.usage = 1
    first_may_end = completions.pause = asyncio.Event()
    visitor = tenant.new_visitor()
    async with asyncio.TaskGroup() as saying:
        saying.create_task(visitor.send_message("one"))
        await wait_until(lambda: put_to_it() == ["one"])
        saying.create_task(visitor.send_message("two"))
        await wait_until(partial(_said, visitor, 2))
        rest_may_end = completions.pause = asyncio.Event()
        first_may_end.set()
        await wait_until(lambda: put_to_it() == ["one", "two"])
        saying.create_task(visitor.send_message("three"))
        await wait_until(partial(_said, visitor, 4))
        # Whoever asks later elsewhere is being answered: so would the third, if it did not wait for its turn.
        for later in ("elsewhere", "elsewhere again"):
            saying.create_task(tenant.new_visitor().send_message(later))
            await wait_until(lambda later=later: later in put_to_it())  # type: ignore[misc]
        assert put_to_it() == ["one", "two", "elsewhere", "elsewhere again"]
        rest_may_end.set()
    third = next(asked for asked in completions.requests if asked["messages"][-1]["content"] == "three")
    said = [message["content"] for message in third["messages"][1:]]
    assert said == ["one", "Hello from the model.", "two", "Hello from the model.", "three"]


async def _said(visitor: VisitorClient, count: int) -> bool:
    return len((await visitor.get("/history")).ok()["messages"]) == count


async def test_over_the_days_tokens_the_built_in_engine_answers(
    tenant: TenantFixture, ai_stack: Stack, completions: FakeOpenAIServer, servers: tuple[str, str]
) -> None:
    visitor = tenant.new_visitor()
    for number in range(3):
        await visitor.send_message(f"Question {number}")
    assert len(completions.requests) == 3, "42 tokens each, of 100 a day: the third passes the cap"
    said = await visitor.send_message("Question 4")
    assert len(completions.requests) == 3
    assert said["answer"]
    prefix = ai_stack.environment("chat")["PARLEY_DATABASE_PREFIX"]
    async with AsyncMongoClient[dict[str, Any]](servers[0]) as client:
        kept = await client[f"{prefix}_chat"]["conversations"].find_one({"_id": said["conversation_id"]})
    assert kept is not None
    assert kept["tokens"] == 3 * 42
