"""Two of each service, one killed in the middle: time is lost, nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conftest import started_stack
from parley_dev.stack import Stack
from support.api import Api
from support.load import Load
from support.tenants import World


@pytest.fixture(scope="module")
async def pair(servers: tuple[str, str], run_directory: Path) -> AsyncIterator[Stack]:
    """Two replicas of each service."""
    async for started in started_stack(servers, run_directory / "pair", 2):
        yield started


@pytest.fixture
async def pair_world(pair: Stack, servers: tuple[str, str]) -> AsyncIterator[World]:
    async with Api(pair.gateway_url) as api:
        yield await World.make(api, pair, servers[0])


@pytest.mark.parametrize("service", ["chat", "notify", "gateway", "presence", "translate"])
async def test_killing_a_replica_loses_and_doubles_nothing(pair: Stack, pair_world: World, service: str) -> None:
    load = Load(pair_world)
    try:
        await load.start(conversations=3)
        await load.progress(20)
        await pair.kill(service, 0)
        await load.progress(20)
        await pair.restart(service, 0)
        await load.progress(20)
        await load.stop()
        figures = await load.check()
        seen = await load.check_streams()
        assert figures["acknowledged"] > 60
        assert seen["seen"] >= figures["acknowledged"]
    finally:
        await load.close()


async def test_two_operators_on_two_replicas_cannot_both_accept(pair_world: World) -> None:
    _, conversation_id = await pair_world.waiting()
    replies = await asyncio.gather(
        *(
            operator.post(f"/operator/accept/{conversation_id}")
            for operator in (pair_world.alex, pair_world.sam, pair_world.owner)
            for _ in range(4)
        )
    )
    winners = {reply.body["conversation"]["operator"]["id"] for reply in replies if reply.status == 200}
    assert len(winners) == 1
    holders = {reply.body["operator"]["id"] for reply in replies if reply.status == 409}
    assert holders == winners


async def test_a_message_sent_again_to_another_replica_gets_the_same_answer(pair_world: World) -> None:
    visitor = pair_world.visitor()
    words = " ".join(f"word{number}" for number in range(400))
    entry = {"question": "Tell me a long story please", "answer": words}
    (await pair_world.owner.post(f"/sites/{pair_world.site_id}/chatbot/knowledge", entry)).ok(201)
    told = await visitor.say("Tell me a long story please", message_id="story-1")
    again = await visitor.say("Tell me a long story please", message_id="story-1")
    assert again["answer"] == told["answer"] == words
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["role"] for message in history] == ["visitor", "ai"]
