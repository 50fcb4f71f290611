"""Several engines of a site: who answers when one fails, how long it is left alone, and whose key goes where."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest

from parley.chat.ai.engine import AiEngineError
from parley.chat.ai.engine_catalog import AiEngineCatalog
from parley.chat.ai.engine_chain import EngineChains
from parley.chat.ai.engines.context import EngineContext
from parley.chat.ai.metering import Meter
from parley.chat.ai.model import Prompt, ReplyMetadata, WritingTask
from parley.chat.retrieval.model import Findings
from parley.chat.settings import ChatSettings
from parley.chat.sites.site_settings import SiteSettings
from parley.common.auth.identity import OperatorCaller
from parley.common.http.ssrf_guard import SsrfGuard
from support.admin_app import AdminTestApp
from support.openai_server import FakeOpenAIServer

FIRST, SECOND, UNKNOWN = "First.", "Second.", "I do not know."


class Shop:
    """A site whose first engine is one endpoint, and the second one another."""

    def __init__(
        self, app: AdminTestApp, owner: OperatorCaller, site_id: int, first: FakeOpenAIServer, second: FakeOpenAIServer
    ) -> None:
        settings = ChatSettings(
            env="development", identity_secret=secrets.token_hex(32), amqp_url="amqp://-", mongodb_uri="mongodb://-"
        )
        guard = SsrfGuard([server.url.split("/")[2] for server in (first, second)])
        self.app, self.owner, self.site_id, self.first, self.second = app, owner, site_id, first, second
        self.path = f"/api/v1/sites/{site_id}/chatbot"
        self.catalog = AiEngineCatalog(EngineContext(settings, app.admin.site_key_cipher, guard))
        self.chains = EngineChains(self.catalog, app.admin.site_repository, app.clock)

    async def settings(self) -> SiteSettings:
        return await self.app.admin.site_directory.get(self.owner.tenant_id, self.site_id)

    async def chatbot(self) -> dict[str, Any]:
        return (await self.app.call("GET", self.path, self.owner)).ok()["chatbot"]  # type: ignore[no-any-return]

    async def configure(self, *fallbacks: dict[str, object]) -> list[dict[str, Any]]:
        body = {"engine": "openai", "fallbacks": list(fallbacks)}
        return (await self.app.call("PUT", self.path, self.owner, body)).ok()["chatbot"]["fallbacks"]  # type: ignore[no-any-return]

    async def point_to_servers(self) -> None:
        """Store the addresses in the database, as the routes refuse endpoints without TLS."""
        fields = {"chatbot.ai.base_url": self.first.url, "chatbot.fallbacks.0.base_url": self.second.url}
        await self.app.mongo["sites"].update_one({"_id": self.site_id}, {"$set": fields})

    async def ask(self, meter: Meter | None = None) -> str:
        site = await self.settings()
        prompt = Prompt(site, "Hello?", "en", [], Findings(), UNKNOWN, meter=meter or Meter())
        chunks = self.chains.get_for_site(site).answer(prompt, ReplyMetadata())
        return "".join([chunk async for chunk in chunks])


@pytest.fixture
async def shop(app: AdminTestApp) -> AsyncIterator[Shop]:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    async with FakeOpenAIServer([FIRST]) as first, FakeOpenAIServer([SECOND]) as second:
        shop = Shop(app, await app.get_caller(owner.operator_id), site["id"], first, second)
        await shop.configure({"engine": "openai", "model": "spare-1"}, {"engine": "builtin"})
        await shop.point_to_servers()
        yield shop
        await shop.catalog.stop()


async def test_the_next_engine_answers_when_one_fails_before_its_first_word(shop: Shop) -> None:
    assert await shop.ask() == FIRST
    shop.first.status = 500
    meter = Meter()
    assert await shop.ask(meter) == SECOND
    assert shop.second.requests[-1]["model"] == "spare-1"
    assert len(shop.first.requests) == 2, "it is not asked twice while another one can answer"
    assert meter.usage.total > 42, "what a failed attempt may have cost is counted"
    shop.second.status = 500
    assert await shop.ask() == UNKNOWN, "the built-in engine"
    task = WritingTask(await shop.settings(), "Write.", "About.")
    with pytest.raises(AiEngineError):
        await shop.chains.get_for_site(task.site).write(task)
    shop.second.reset()
    assert await shop.chains.get_for_site(task.site).write(task) == SECOND


async def test_after_the_first_word_no_other_engine_answers(shop: Shop) -> None:
    shop.first.chunks, shop.first.abort_connection = ("It is", " blue."), True
    with pytest.raises(AiEngineError):
        await shop.ask()
    assert not shop.second.requests


async def test_an_engine_that_keeps_failing_is_left_alone_and_tried_again_by_one_reply(shop: Shop) -> None:
    shop.first.status = 401
    for _ in range(3):
        assert await shop.ask() == SECOND
    (failing,) = (await shop.chatbot())["failing_engines"]
    assert (failing["engine"], failing["error"]["code"]) == ("primary", "key_refused")
    assert await shop.ask() == SECOND
    assert len(shop.first.requests) == 3, "left alone"

    shop.app.clock.advance(seconds=31)
    shop.first.status = 200
    shop.first.pause = asyncio.Event()
    trials = [asyncio.create_task(shop.ask()) for _ in range(3)]
    await asyncio.wait(trials, return_when=asyncio.FIRST_COMPLETED)
    shop.first.pause.set()
    assert sorted(await asyncio.gather(*trials)) == [FIRST, SECOND, SECOND]
    assert await shop.ask() == FIRST
    assert (await shop.chatbot())["failing_engines"] == []


async def test_a_refused_prompt_does_not_turn_an_engine_off(shop: Shop) -> None:
    shop.first.status = 400
    for _ in range(4):
        assert await shop.ask() == SECOND
    assert len(shop.first.requests) == 4
    assert (await shop.settings()).engine_states == {}


async def test_if_no_engine_is_left_the_first_one_is_asked(shop: Shop) -> None:
    await shop.configure({"engine": "openai"})
    await shop.point_to_servers()
    shop.first.status = shop.second.status = 401
    for _ in range(3):
        with pytest.raises(AiEngineError):
            await shop.ask()
    before = len(shop.first.requests)
    with pytest.raises(AiEngineError):
        await shop.ask()
    assert len(shop.first.requests) == before + 1


async def test_a_key_stays_with_the_endpoint_it_was_set_for(shop: Shop) -> None:
    url = "https://192.0.2.1/v1"
    secret: dict[str, object] = {"engine": "openai", "api_key": "sk-of-the-spare"}
    (spare,) = await shop.configure(secret)
    assert (spare["api_key_set"], "sk-of" in str(await shop.chatbot())) == (True, False)
    await shop.point_to_servers()
    shop.first.status = 500
    assert await shop.ask() == SECOND
    assert shop.second.authorization_headers == ["Bearer sk-of-the-spare"]
    assert shop.first.authorization_headers == ["Bearer none"]

    kept: dict[str, object] = {"id": spare["id"], "engine": "openai", "base_url": shop.second.url, "model": "other"}
    (after,) = await shop.configure(kept)
    assert (after["id"], after["api_key_set"], after["model"]) == (spare["id"], True, "other")
    response = await shop.app.call("PUT", shop.path, shop.owner, {"fallbacks": [{**kept, "base_url": url}]})
    assert response.body["errors"] == {"fallbacks.0.base_url": "must lead to the public internet"}
    response = await shop.app.call("PUT", shop.path, shop.owner, {"fallbacks": [{"engine": "builtin"}, kept]})
    assert "fallbacks.0.engine" in response.body["errors"]
    (after,) = await shop.configure({**kept, "base_url": None})
    assert after["api_key_set"] is False
    (after,) = await shop.configure({**kept, "id": "0", "base_url": None})
    assert after["id"] not in ("0", spare["id"]), "ids are given by the server"
