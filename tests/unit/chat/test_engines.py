"""Clients of sites' own AI endpoints: so many and no more, each with the key that is meant for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from parley.chat.ai.engine_pool import SiteEngines
from parley.chat.ai.site_keys import SiteKeys
from parley.chat.ai.ssrf_guard import Addresses
from parley.chat.conversations.ports import EngineFailed, Prompt, SiteSettings, Verdict
from parley.chat.settings import ChatSettings
from parley.chat.sites.chatbot import AiChoice, Chatbot
from parley.chat.sites.service import Site
from parley.common.events import new_event
from parley.common.events.team import SiteChanged
from support.openai_server import Completions
from support.wait import until

SECRET = "5f0b7f0e9c1d4a7b8e2f6a3c9d0e1f2a"
KEYS = SiteKeys(SECRET)
AN_EVENT = new_event(SiteChanged(), tenant_id=1, site_id=1)


@pytest.fixture
async def ai() -> AsyncIterator[Completions]:
    server = Completions()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def engines(ai: Completions) -> AsyncIterator[SiteEngines]:
    """Those of an installation that has an endpoint itself."""
    settings = ChatSettings(
        env="development",
        identity_secret=SECRET,
        amqp_url="amqp://nowhere",
        mongodb_uri="mongodb://nowhere",
        openai_url=ai.url,
        openai_api_key="sk-the-installations",
    )
    made = SiteEngines(settings, KEYS, Addresses([ai.url.split("/")[2]]), most=3)
    yield made
    await made.stop()


def site(site_id: int, **ai: object) -> SiteSettings:
    chosen = replace(AiChoice(), **ai)  # type: ignore[arg-type]
    bot = Chatbot(engine="openai", ai=chosen)
    return Site(site_id, 1, "Shop", "pk", datetime(2026, 1, 1, tzinfo=UTC), chatbot=bot).settings


async def ask(engines: SiteEngines, of: SiteSettings) -> str:
    _, engine = engines.of(of)
    prompt = Prompt(of, "Hello?", "en", [], [], "I do not know.")
    return "".join([piece async for piece in engine.answer(prompt, Verdict())])


async def test_the_installations_key_goes_to_the_installations_endpoint_alone(
    engines: SiteEngines, ai: Completions
) -> None:
    await ask(engines, site(1))
    await ask(engines, site(2, base_url=ai.url))
    await ask(engines, site(3, base_url=ai.url, sealed_key=KEYS.seal(3, "sk-of-three")))
    await ask(engines, site(4, sealed_key=KEYS.seal(4, "sk-of-four")))
    assert ai.keys == ["Bearer sk-the-installations", "Bearer none", "Bearer sk-of-three", "Bearer sk-of-four"]


async def test_clients_are_kept_so_many_and_no_more_and_those_that_go_are_closed(
    engines: SiteEngines, ai: Completions
) -> None:
    await ask(engines, site(1, base_url=ai.url))
    first = engines._held[1].engine._client
    for number in (1, 2, 3):
        await ask(engines, site(number, base_url=ai.url))
    assert engines._held[1].engine._client is first, "one that is there is used again"
    await ask(engines, site(4, base_url=ai.url))
    assert list(engines._held) == [2, 3, 4]
    await until(first.is_closed)


async def test_a_changed_site_gets_a_client_anew_and_the_old_one_is_closed(
    engines: SiteEngines, ai: Completions
) -> None:
    await ask(engines, site(1, base_url=ai.url))
    first = engines._held[1].engine._client
    await engines.changed(AN_EVENT)
    await until(first.is_closed)
    await ask(engines, site(1, base_url=ai.url))
    second = engines._held[1].engine._client
    await ask(engines, site(1, base_url=ai.url, sealed_key=KEYS.seal(1, "sk-new")))
    await until(second.is_closed, what="also where the event is late")
    assert ai.keys[-1] == "Bearer sk-new"


async def test_a_key_that_cannot_be_opened_any_more_is_a_failure_and_not_another_key(
    engines: SiteEngines, ai: Completions
) -> None:
    sealed = SiteKeys("the secret before it was rotated").seal(1, "sk-old")
    with pytest.raises(EngineFailed, match="cannot be opened"):
        await ask(engines, site(1, sealed_key=sealed))
    assert not ai.asked


async def test_an_endpoint_that_became_private_fails_without_being_called(engines: SiteEngines) -> None:
    with pytest.raises(EngineFailed, match="AddressRefused"):
        await ask(engines, site(1, base_url="https://127.0.0.1:9/v1"))


async def test_what_an_endpoint_says_of_its_cost_is_believed_within_reason(
    engines: SiteEngines, ai: Completions
) -> None:
    told = site(1, base_url=ai.url)
    for said, counted in ((42, True), (-5, False), ("many", False), (10**12, False)):
        ai.usage = said
        verdict = Verdict()
        async for _ in engines.answer(Prompt(told, "Hello?", "en", [], [], "No."), verdict):
            pass
        assert (verdict.tokens == said) is counted, said
        assert verdict.tokens >= 0
