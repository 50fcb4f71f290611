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
from support.api import Api, Visitor
from support.openai_server import Completions
from support.tenants import World
from support.wait import until


@pytest.fixture(scope="module")
async def completions() -> AsyncIterator[Completions]:
    server = Completions()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="module")
async def ai_stack(servers: tuple[str, str], run_directory: Path, completions: Completions) -> AsyncIterator[Stack]:
    env = {
        "PARLEY_OPENAI_URL": completions.url,
        "PARLEY_OPENAI_API_KEY": "sk-test",
        "PARLEY_OPENAI_SECONDS": "5",
        "PARLEY_AI_DAILY_TOKENS": "100",
    }
    async for started in started_stack(servers, run_directory / "ai", 1, {"chat": env}):
        yield started


@pytest.fixture
async def ai_world(ai_stack: Stack, servers: tuple[str, str], completions: Completions) -> AsyncIterator[World]:
    """A tenant whose site is answered by the provider."""
    fresh = Completions()
    completions.pieces, completions.status, completions.pause = fresh.pieces, 200, None
    completions.break_off, completions.usage = False, fresh.usage
    completions.asked.clear()
    async with Api(ai_stack.gateway_url) as api:
        world = await World.make(api, ai_stack, servers[0])
        settings = {"engine": "openai", "instructions": "You sell garden gnomes.", "offline_message": ""}
        (await world.owner.send("PUT", f"/sites/{world.site_id}/chatbot", settings)).ok()
        yield world


async def mode_of(world: World, conversation_id: int) -> str:
    shown = (await world.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    return str(shown["mode"])


async def test_the_provider_answers_from_the_sites_instructions_and_knowledge(
    ai_world: World, completions: Completions
) -> None:
    entry = {"question": "How tall are the gnomes?", "answer": "Forty centimetres."}
    (await ai_world.owner.post(f"/sites/{ai_world.site_id}/chatbot/knowledge", entry)).ok(201)
    visitor, conversation_id = await ai_world.waiting("A secret between us")
    (await ai_world.alex.post("/operator/note", {"conversation_id": conversation_id, "content": "a rich one"})).ok()
    (await ai_world.alex.post(f"/operator/release/{conversation_id}")).ok()
    said = await visitor.say("How tall are the gnomes?")
    assert said["answer"] == "Hello from the model."
    asked = completions.asked[-1]
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
    ai_world: World, completions: Completions, words: str, language: str
) -> None:
    visitor = ai_world.visitor()
    said = await visitor.say(words, lang=language)
    assert said["mode"] == "pending"
    assert not completions.asked, "it costs no token"
    nobody = {"en": "e-mail", "de": "E-Mail-Adresse", "fr": "adresse e-mail"}
    assert nobody[language] in said["answer"], "nobody is online: an address is asked for, in their language"


async def test_with_somebody_online_the_visitor_is_told_to_wait(ai_world: World) -> None:
    (await ai_world.alex.post("/operator/heartbeat", {"site_ids": [ai_world.site_id]})).ok()

    async def online() -> bool:
        found = (await ai_world.sam.get("/operator/operators", site_id=ai_world.site_id)).ok()["operators"]
        return any(one["online"] for one in found)

    await until(online)
    said = await ai_world.visitor().say("operator please, I want to speak to a person")
    assert "Somebody will be with you soon" in said["answer"]


async def test_not_knowing_twice_hands_over(ai_world: World, completions: Completions) -> None:
    completions.pieces = ["[[NO", " ANSWER]]"]
    visitor = ai_world.visitor()
    first = await visitor.say("What is the meaning of life?")
    assert first["mode"] == "ai"
    assert "don't know" in first["answer"]
    assert "NO ANSWER" not in first["answer"]
    second = await visitor.say("And of the universe?")
    assert second["mode"] == "pending"


@pytest.mark.parametrize("failure", ["status", "broken"])
async def test_a_failing_provider_costs_a_sentence_not_the_conversation(
    ai_world: World, completions: Completions, failure: str
) -> None:
    completions.status = 500 if failure == "status" else 200
    completions.break_off = failure == "broken"
    visitor = ai_world.visitor()
    said = await visitor.say("Hello?")
    assert said["mode"] == "pending"
    assert "can't answer right now" in said["answer"]
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["role"] for message in history] == ["visitor", "ai"]
    assert history[1]["content"] == said["answer"]


async def test_after_an_accept_not_one_chunk_more_is_heard(ai_world: World, completions: Completions) -> None:
    completions.pause = asyncio.Event()
    visitor = ai_world.visitor()
    heard: list[str] = []
    begun = asyncio.Event()

    async def listen() -> dict[str, object]:
        last: dict[str, object] = {}
        async for part in visitor.parts("Hello?"):
            last = part
            if part["type"] == "chunk":
                heard.append(part["content"])
                begun.set()
        return last

    listening = asyncio.create_task(listen())
    await asyncio.wait_for(begun.wait(), 10)
    chats = (await ai_world.alex.get("/operator/all-active-chats", status="ai")).ok()["chats"]
    (await ai_world.alex.post(f"/operator/accept/{chats[0]['id']}")).ok()
    before = len(heard)
    completions.pause.set()
    last = await asyncio.wait_for(listening, 10)
    assert len(heard) == before
    assert last["meta"]["mode"] == "operator"  # type: ignore[index]
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["role"] for message in history] == ["visitor"]


async def test_who_leaves_amid_an_answer_finds_it_whole_in_the_history(
    ai_world: World, completions: Completions
) -> None:
    completions.pause = asyncio.Event()
    visitor = ai_world.visitor()
    async for part in visitor.parts("Hello?"):
        assert part["type"] == "chunk"
        break
    completions.pause.set()

    async def answered() -> bool:
        history = (await visitor.get("/history")).ok()["messages"]
        return [message["content"] for message in history] == ["Hello?", "Hello from the model."]

    await until(answered)


async def test_one_answer_at_a_time_and_each_is_told_what_the_last_one_said(
    ai_world: World, completions: Completions
) -> None:
    def put_to_it() -> list[str]:
        return [asked["messages"][-1]["content"] for asked in completions.asked]

    completions.usage = 1
    first_may_end = completions.pause = asyncio.Event()
    visitor = ai_world.visitor()
    async with asyncio.TaskGroup() as saying:
        saying.create_task(visitor.say("one"))
        await until(lambda: put_to_it() == ["one"])
        saying.create_task(visitor.say("two"))
        await until(partial(_said, visitor, 2))
        rest_may_end = completions.pause = asyncio.Event()
        first_may_end.set()
        await until(lambda: put_to_it() == ["one", "two"])
        saying.create_task(visitor.say("three"))
        await until(partial(_said, visitor, 4))
        # Whoever asks later elsewhere is being answered: so would the third, if it did not wait for its turn.
        for later in ("elsewhere", "elsewhere again"):
            saying.create_task(ai_world.visitor().say(later))
            await until(lambda later=later: later in put_to_it())  # type: ignore[misc]
        assert put_to_it() == ["one", "two", "elsewhere", "elsewhere again"]
        rest_may_end.set()
    third = next(asked for asked in completions.asked if asked["messages"][-1]["content"] == "three")
    said = [message["content"] for message in third["messages"][1:]]
    assert said == ["one", "Hello from the model.", "two", "Hello from the model.", "three"]


async def _said(visitor: Visitor, count: int) -> bool:
    return len((await visitor.get("/history")).ok()["messages"]) == count


async def test_over_the_days_tokens_the_built_in_engine_answers(
    ai_world: World, ai_stack: Stack, completions: Completions, servers: tuple[str, str]
) -> None:
    visitor = ai_world.visitor()
    for number in range(3):
        await visitor.say(f"Question {number}")
    assert len(completions.asked) == 3, "42 tokens each, of 100 a day: the third passes the cap"
    said = await visitor.say("Question 4")
    assert len(completions.asked) == 3
    assert said["answer"]
    prefix = ai_stack.environment("chat")["PARLEY_DATABASE_PREFIX"]
    async with AsyncMongoClient[dict[str, Any]](servers[0]) as client:
        kept = await client[f"{prefix}_chat"]["conversations"].find_one({"_id": said["conversation_id"]})
    assert kept is not None
    assert kept["tokens"] == 3 * 42
