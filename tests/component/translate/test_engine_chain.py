"""The chain of real engines against fake servers: the next engine translates when one fails."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest

from parley.common.mongodb import Mongo
from parley.translate.engines.adapters.google import GoogleEngine, GoogleOptions
from parley.translate.engines.adapters.libretranslate import LibreTranslateEngine
from parley.translate.engines.chain import EngineChain
from parley.translate.engines.ports import Engine
from parley.translate.engines.quota_repository import MongoCharacterQuotaRepository
from parley.translate.mongo_schema import SCHEMA
from parley.translate.site_options import SiteOptions
from support.google_translate import FakeGoogleTranslate
from support.libretranslate import FakeLibreTranslate

OPTIONS = SiteOptions(engines=("google", "libretranslate"), glossary=(), daily_characters=0)


@pytest.fixture(scope="module")
async def mongo(mongodb_uri: str) -> AsyncIterator[Mongo]:
    mongo = Mongo(mongodb_uri, f"t{secrets.token_hex(4)}_translate", SCHEMA)
    await mongo.start()
    await mongo.schema_ready.wait()
    yield mongo
    await mongo.client.drop_database(mongo.database.name)
    await mongo.stop()


@pytest.fixture
async def chain(mongo: Mongo, google: FakeGoogleTranslate, libre: FakeLibreTranslate) -> AsyncIterator[EngineChain]:
    options = GoogleOptions(
        project="acme",
        location="global",
        endpoint=google.endpoint,
        glossary=None,
        model=None,
        plaintext=True,
        timeout_seconds=1.0,
    )
    engines: list[Engine] = [GoogleEngine(options), LibreTranslateEngine(libre.url, None, timeout_seconds=5.0)]
    chain = EngineChain(engines, MongoCharacterQuotaRepository(mongo), call_timeout_seconds=2.0)
    await chain.refresh()
    yield chain
    await chain.stop()
    google.behavior = "ok"


@pytest.mark.parametrize("behavior", ["quota", "auth", "outage", "deadline", "refusing", "unsupported", "slow"])
async def test_next_engine_translates_if_the_first_fails(
    chain: EngineChain, google: FakeGoogleTranslate, behavior: str
) -> None:
    google.behavior = behavior  # type: ignore[assignment]
    texts = [f"Der erste Dienst ist {behavior}."]
    assert await chain.translate(1, OPTIONS, texts, "de", "en") == [f"⟨en⟩ {texts[0]}"]
