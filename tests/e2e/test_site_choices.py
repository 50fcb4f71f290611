"""What a site chooses for itself, through the gateway: an AI of its own, and how its conversations are translated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conftest import started_stack
from parley_dev.stack import Stack
from support.api import ApiClient, VisitorClient
from support.libretranslate import FakeLibreTranslate
from support.openai_server import FakeOpenAIServer
from support.tenants import TenantFixture
from support.wait import wait_until

KEY = "sk-the-sites-own-5fa2c0de"


@pytest.fixture(scope="module")
async def ais() -> AsyncIterator[tuple[FakeOpenAIServer, FakeOpenAIServer]]:
    """Two endpoints that sites may name."""
    servers = FakeOpenAIServer(), FakeOpenAIServer(chunks=["Another", " model."])
    for server in servers:
        await server.start()
    yield servers
    for server in servers:
        await server.stop()


@pytest.fixture(scope="module")
async def libre() -> AsyncIterator[FakeLibreTranslate]:
    server = await FakeLibreTranslate().start()
    yield server
    await server.stop()


@pytest.fixture(scope="module")
async def choosy_stack(
    servers: tuple[str, str],
    run_directory: Path,
    ais: tuple[FakeOpenAIServer, FakeOpenAIServer],
    libre: FakeLibreTranslate,
) -> AsyncIterator[Stack]:
    """An installation without an AI of its own, whose sites may name two endpoints on this machine, and no others."""
    hosts = ",".join(ai.url.removeprefix("http://").removesuffix("/v1") for ai in ais)
    env = {
        "chat": {"PARLEY_AI_PRIVATE_HOSTS": hosts},
        "translate": {"PARLEY_LIBRETRANSLATE_URL": libre.url, "PARLEY_TRANSLATE_ENGINES": "libretranslate"},
    }
    async for started in started_stack(servers, run_directory / "choices", 1, env):
        yield started


@pytest.fixture
async def chooser(choosy_stack: Stack, servers: tuple[str, str], ais: tuple[FakeOpenAIServer, FakeOpenAIServer]) -> Any:
    for ai in ais:
        ai.requests.clear()
        ai.authorization_headers.clear()
        ai.status, ai.pause = 200, None
    async with ApiClient(choosy_stack.gateway_url) as api:
        yield await TenantFixture.create(api, choosy_stack, servers[0])


async def choose(tenant: TenantFixture, **fields: Any) -> dict[str, Any]:
    """Set some of the site's settings."""
    changed = await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", fields)
    found: dict[str, Any] = changed.ok()["chatbot"]
    return found


# An AI of its own.


async def test_a_site_is_answered_by_its_own_endpoint_with_its_own_key_and_settings(
    chooser: TenantFixture, ais: tuple[FakeOpenAIServer, FakeOpenAIServer]
) -> None:
    ai = {"base_url": ais[0].url, "api_key": KEY, "temperature": 1.5, "answer_tokens": 33}
    shown = await choose(chooser, engine="openai", model="gnome-7b", ai=ai)
    assert shown["ai"]["api_key_set"] is True
    said = await chooser.new_visitor().send_message("Hello?")
    assert said["answer"] == "Hello from the model."
    (asked,) = ais[0].requests
    assert (asked["model"], asked["temperature"], asked["max_tokens"]) == ("gnome-7b", 1.5, 33)
    assert ais[0].authorization_headers == [f"Bearer {KEY}"]


async def test_another_site_of_the_same_tenant_has_nothing_of_it(
    chooser: TenantFixture, ais: tuple[FakeOpenAIServer, FakeOpenAIServer]
) -> None:
    await choose(chooser, engine="openai", ai={"base_url": ais[0].url, "api_key": KEY})
    other = await chooser.add_site()
    (await chooser.owner.send("PUT", f"/sites/{other['id']}/chatbot", {"engine": "openai"})).ok()
    await chooser.api.visitor(other["site_key"]).send_message("Hello?")
    assert not ais[0].requests, "without an endpoint it is answered by what is built in"


async def test_a_change_is_for_the_next_answer_and_lets_the_one_under_way_end(
    chooser: TenantFixture, ais: tuple[FakeOpenAIServer, FakeOpenAIServer]
) -> None:
    first, second = ais
    await choose(chooser, engine="openai", ai={"base_url": first.url, "api_key": KEY})
    first.pause = asyncio.Event()
    talking = asyncio.create_task(chooser.new_visitor().send_message("Hello?"))
    await wait_until(lambda: first.requests, description="the first endpoint is asked")
    await choose(chooser, ai={"base_url": second.url})
    assert (await chooser.new_visitor().send_message("And now?"))["answer"] == "Another model."
    assert second.authorization_headers == ["Bearer none"], "the key was given for the first one"
    first.pause.set()
    assert (await talking)["answer"] == "Hello from the model."


async def test_a_site_that_has_spent_its_tokens_is_answered_by_what_costs_nothing(
    chooser: TenantFixture, ais: tuple[FakeOpenAIServer, FakeOpenAIServer]
) -> None:
    await choose(chooser, engine="openai", ai={"base_url": ais[0].url, "daily_tokens": 50})
    visitor = chooser.new_visitor()
    for number in range(4):
        await visitor.send_message(f"Question {number}")
    assert len(ais[0].requests) == 2, "42 tokens each, of 50 a day: the second passes the cap"


async def test_an_endpoint_within_the_network_is_neither_taken_nor_called(
    chooser: TenantFixture, choosy_stack: Stack, ais: tuple[FakeOpenAIServer, FakeOpenAIServer]
) -> None:
    path = f"/sites/{chooser.site_id}/chatbot"
    for url in ("http://127.0.0.1:27017/v1", "https://127.0.0.1:9090/v1", "https://localhost/v1", "https://10.0.0.1"):
        refused = await chooser.owner.send("PUT", path, {"ai": {"base_url": url}})
        assert refused.status == 422, url
        assert list(refused.body["errors"]) == ["ai.base_url"]


async def test_a_key_that_is_refused_and_quoted_stands_in_no_log(
    chooser: TenantFixture, choosy_stack: Stack, ais: tuple[FakeOpenAIServer, FakeOpenAIServer]
) -> None:
    await choose(chooser, engine="openai", ai={"base_url": ais[0].url, "api_key": KEY})
    ais[0].status = 401
    said = await chooser.new_visitor().send_message("Hello?")
    assert said["mode"] == "pending", "a failing endpoint costs a sentence, not the conversation"
    assert ais[0].authorization_headers == [f"Bearer {KEY}"]
    logs = "".join(path.read_text() for path in choosy_stack.logs.iterdir())
    assert "AuthenticationError 401" in logs
    assert KEY not in logs


# Translation.


async def translated(tenant: TenantFixture) -> tuple[VisitorClient, int]:
    """A conversation that Alex holds and that is translated between German and English."""
    visitor, conversation_id = await tenant.assigned_conversation()
    settings = {"conversation_id": conversation_id, "lang": "de"}
    (await tenant.alex.post("/operator/translation/set-lang", settings)).ok()
    (await tenant.alex.post("/operator/translation/toggle", {"conversation_id": conversation_id, "enabled": True})).ok()

    async def known() -> bool:
        shown = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
        return bool(shown["translation"]["enabled"])

    await wait_until(known)
    return visitor, conversation_id


async def test_a_term_of_the_sites_glossary_comes_through_unchanged(
    chooser: TenantFixture, libre: FakeLibreTranslate
) -> None:
    _, conversation_id = await translated(chooser)
    before = (await chooser.alex.send_message(conversation_id, "The Blue Hour is out of stock."))["translation"]
    assert before == {"lang": "de", "content": "⟨de⟩ The Blue Hour is out of stock.", "status": "done"}
    await choose(chooser, translation={"glossary": ["Blue Hour"]})

    async def kept() -> bool:
        """The change is an event: it is heard a moment later."""
        sent = await chooser.alex.send_message(conversation_id, "The Blue Hour is back.")
        assert "Blue Hour" in sent["translation"]["content"]
        return not any("Blue Hour is back" in text for text in libre.texts[-1:])

    await wait_until(kept, description="the term is put aside before the engine sees it")


async def test_over_the_sites_own_cap_messages_are_marked_and_go_out_as_they_are(chooser: TenantFixture) -> None:
    await choose(chooser, translation={"daily_characters": 40})
    visitor, conversation_id = await translated(chooser)
    first = await chooser.alex.send_message(conversation_id, "Thirty characters, more or less.")
    assert first["translation"]["status"] == "done"
    second = await chooser.alex.send_message(conversation_id, "And this is a line too many.")
    assert (second["translation"]["status"], second["translation"]["content"]) == ("failed", None)
    history = (await visitor.get("/operator-messages")).ok()["messages"]
    assert history[-1]["content"] == "And this is a line too many."
    await choose(chooser, translation=None)

    async def again() -> bool:
        sent = await chooser.alex.send_message(conversation_id, "Taken back, it goes on.")
        return bool(sent["translation"]["status"] == "done")

    await wait_until(again, description="the cap is gone")
