"""The engine `openai` and the catalogue of engines: which key goes where, failures, and reported tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from parley.chat.ai.engine import AiEngineError
from parley.chat.ai.engine_catalog import AiEngineCatalog
from parley.chat.ai.engines.context import EngineContext
from parley.chat.ai.engines.registry import ENGINES
from parley.chat.ai.model import Prompt, ReplyMetadata
from parley.chat.ai.site_keys import SiteKeyCipher
from parley.chat.ai.ssrf_guard import SsrfGuard
from parley.chat.settings import ChatSettings
from parley.chat.sites.chatbot import AiSettings, ChatbotSettings
from parley.chat.sites.model import Site
from parley.chat.sites.site_settings import SiteSettings
from support.openai_server import FakeOpenAIServer

SECRET = "5f0b7f0e9c1d4a7b8e2f6a3c9d0e1f2a"
KEYS = SiteKeyCipher(SECRET)


@pytest.fixture
async def endpoint() -> AsyncIterator[FakeOpenAIServer]:
    async with FakeOpenAIServer() as server:
        yield server


def create_catalog(endpoint: FakeOpenAIServer, api_key: str | None = None) -> AiEngineCatalog:
    chat_settings = ChatSettings(
        env="development",
        identity_secret=SECRET,
        amqp_url="amqp://nowhere",
        mongodb_uri="mongodb://nowhere",
        openai_url=endpoint.url,
        openai_api_key=api_key,
    )
    return AiEngineCatalog(EngineContext(chat_settings, KEYS, SsrfGuard([endpoint.url.split("/")[2]])))


@pytest.fixture
async def catalog(endpoint: FakeOpenAIServer) -> AsyncIterator[AiEngineCatalog]:
    """The engines of an installation with an endpoint of its own."""
    catalog = create_catalog(endpoint, api_key="sk-the-installations")
    yield catalog
    await catalog.stop()


def site(site_id: int, **ai: object) -> SiteSettings:
    settings = replace(AiSettings(), **ai)  # type: ignore[arg-type]
    bot = ChatbotSettings(engine="openai", ai=settings)
    return Site(site_id, 1, "Shop", "pk", datetime(2026, 1, 1, tzinfo=UTC), chatbot=bot).settings


async def ask(catalog: AiEngineCatalog, site: SiteSettings, metadata: ReplyMetadata | None = None) -> str:
    prompt = Prompt(site, "Hello?", "en", [], [], "I do not know.")
    chunks = catalog.get_for_site(site).answer(prompt, metadata or ReplyMetadata())
    return "".join([chunk async for chunk in chunks])


async def test_the_installations_key_is_sent_to_the_installations_endpoint_only(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer
) -> None:
    await ask(catalog, site(1))
    await ask(catalog, site(2, base_url=endpoint.url))
    await ask(catalog, site(3, base_url=endpoint.url, sealed_key=KEYS.encrypt(3, "sk-of-three")))
    await ask(catalog, site(4, sealed_key=KEYS.encrypt(4, "sk-of-four")))
    assert endpoint.authorization_headers == [
        "Bearer sk-the-installations",
        "Bearer none",
        "Bearer sk-of-three",
        "Bearer sk-of-four",
    ]


async def test_a_changed_site_is_answered_with_its_new_key(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer
) -> None:
    await ask(catalog, site(1, base_url=endpoint.url))
    catalog.invalidate(1)
    await ask(catalog, site(1, base_url=endpoint.url, sealed_key=KEYS.encrypt(1, "sk-new")))
    assert endpoint.authorization_headers == ["Bearer none", "Bearer sk-new"]


async def test_a_key_that_cannot_be_decrypted_is_a_failure_and_no_other_key_is_used(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer
) -> None:
    encrypted = SiteKeyCipher("the secret before it was rotated").encrypt(1, "sk-old")
    with pytest.raises(AiEngineError, match="cannot be decrypted"):
        await ask(catalog, site(1, sealed_key=encrypted))
    assert not endpoint.authorization_headers


async def test_an_endpoint_that_is_not_public_is_not_called(catalog: AiEngineCatalog) -> None:
    with pytest.raises(AiEngineError, match="EndpointRejected"):
        await ask(catalog, site(1, base_url="https://127.0.0.1:9/v1"))


async def test_reported_tokens_are_used_if_they_are_plausible(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer
) -> None:
    for reported, plausible in ((42, True), (-5, False), ("many", False), (10**12, False)):
        endpoint.usage = reported
        metadata = ReplyMetadata()
        await ask(catalog, site(1, base_url=endpoint.url), metadata)
        assert (metadata.tokens == reported) is plausible, reported
        assert metadata.tokens >= 0


async def test_an_engine_that_is_not_set_up_is_replaced_by_the_builtin_one(endpoint: FakeOpenAIServer) -> None:
    catalog = create_catalog(endpoint)
    assert catalog.get_for_site(site(1)) is catalog.builtin
    assert catalog.get_for_site(site(1, base_url=endpoint.url)) is not catalog.builtin


async def test_an_unknown_engine_is_an_error_and_no_other_engine_answers(catalog: AiEngineCatalog) -> None:
    with pytest.raises(AiEngineError, match="there is no engine 'parrot'; engines are: builtin, openai"):
        catalog.get_for_site(replace(site(1), engine="parrot"))


def test_engines_are_registered_under_their_names(catalog: AiEngineCatalog) -> None:
    for name in ENGINES:
        assert catalog.get_for_site(replace(site(1), engine=name)).name == name
