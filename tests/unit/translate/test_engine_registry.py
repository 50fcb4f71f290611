"""The engine registry: every registered engine can be created, an unknown name is an error."""

from __future__ import annotations

import pytest

from parley.translate.engines.registry import ENGINES, UnknownEngine, create_engine
from parley.translate.settings import TranslateSettings


@pytest.fixture
def settings() -> TranslateSettings:
    return TranslateSettings.model_validate(
        {
            "env": "development",
            "identity_secret": "b1946ac92492d2347c6235b4d2611184",
            "amqp_url": "amqp://nowhere.test/",
            "mongodb_uri": "mongodb://nowhere.test/",
            "google_project": "acme",
            "google_plaintext": True,
            "libretranslate_url": "http://nowhere.test",
        }
    )


@pytest.mark.parametrize("name", ENGINES)
async def test_every_engine_is_created_by_its_name(settings: TranslateSettings, name: str) -> None:
    assert ENGINES[name].is_configured(settings)
    engine = create_engine(name, settings)
    assert engine.name == name
    await engine.close()


@pytest.mark.parametrize("name", ["deepl", "Local", ""])
def test_unknown_name_is_an_error(settings: TranslateSettings, name: str) -> None:
    with pytest.raises(UnknownEngine, match="known engines are google, libretranslate, local"):
        create_engine(name, settings)
