"""Each engine against a fake server: requests, responses and the mapping of errors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from parley.translate.engines.adapters.google import GoogleEngine, GoogleOptions
from parley.translate.engines.adapters.libretranslate import LibreTranslateEngine
from parley.translate.engines.adapters.local import LocalEngine, split_sentences
from parley.translate.engines.model import EngineError, FailureReason
from support.google_translate import FakeGoogleTranslate
from support.libretranslate import FakeLibreTranslate
from support.wait import wait_until


def create_options(google: FakeGoogleTranslate, **overrides: object) -> GoogleOptions:
    defaults: dict[str, object] = {
        "project": "acme",
        "location": "global",
        "endpoint": google.endpoint,
        "glossary": None,
        "model": None,
        "plaintext": True,
        "timeout_seconds": 1.0,
    }
    return GoogleOptions(**{**defaults, **overrides})  # type: ignore[arg-type]


@pytest.fixture
async def server() -> AsyncIterator[FakeGoogleTranslate]:
    google = await FakeGoogleTranslate().start()
    yield google
    await google.stop()


@pytest.fixture
async def engine(server: FakeGoogleTranslate) -> AsyncIterator[GoogleEngine]:
    engine = GoogleEngine(create_options(server))
    yield engine
    await engine.close()


@pytest.fixture
async def libre_server() -> AsyncIterator[FakeLibreTranslate]:
    libre = await FakeLibreTranslate(api_key="key-1").start()
    yield libre
    await libre.stop()


@pytest.fixture
async def libre_engine(libre_server: FakeLibreTranslate) -> AsyncIterator[LibreTranslateEngine]:
    engine = LibreTranslateEngine(libre_server.url + "/", "key-1", timeout_seconds=1.0)
    yield engine
    await engine.close()


async def get_failure_reason(
    engine: GoogleEngine | LibreTranslateEngine, source: str = "de", target: str = "en"
) -> FailureReason:
    with pytest.raises(EngineError) as exc_info:
        await engine.translate(["Guten Tag"], source, target)
    return exc_info.value.reason


async def test_google_request_has_plain_text_and_googles_language_codes(
    server: FakeGoogleTranslate, engine: GoogleEngine
) -> None:
    await engine.refresh()

    translations = await engine.translate(["Guten Tag", "Danke"], "de-AT", "zh-Hant-TW")

    assert translations == ["‹zh-TW› Guten Tag", "‹zh-TW› Danke"]
    [request] = server.requests
    assert request.parent == "projects/acme/locations/global"
    assert (request.mime_type, request.source_language_code) == ("text/plain", "de")
    assert not request.glossary_config.glossary


async def test_google_detects_an_unknown_source(server: FakeGoogleTranslate, engine: GoogleEngine) -> None:
    await engine.translate(["Guten Tag"], None, "en")
    assert server.requests[0].source_language_code == ""


async def test_google_request_names_glossary_and_model_of_the_location(server: FakeGoogleTranslate) -> None:
    engine = GoogleEngine(create_options(server, location="us-central1", glossary="shop", model="general/nmt"))

    assert await engine.translate(["Guten Tag"], "de", "en") == ["‹en› Guten Tag"]

    [request] = server.requests
    assert request.glossary_config.glossary == "projects/acme/locations/us-central1/glossaries/shop"
    assert request.model == "projects/acme/locations/us-central1/models/general/nmt"
    await engine.close()


@pytest.mark.parametrize(
    ("behavior", "reason"),
    [
        ("quota", FailureReason.QUOTA),
        ("auth", FailureReason.AUTH),
        ("unsupported", FailureReason.UNSUPPORTED),
        ("refusing", FailureReason.REFUSED),
        ("outage", FailureReason.OUTAGE),
        ("deadline", FailureReason.SLOW),
        ("slow", FailureReason.SLOW),
    ],
)
async def test_google_errors_are_mapped_to_reasons(
    server: FakeGoogleTranslate, engine: GoogleEngine, behavior: str, reason: FailureReason
) -> None:
    server.behavior = behavior  # type: ignore[assignment]
    assert await get_failure_reason(engine) is reason


async def test_google_call_is_retried_after_a_short_outage(server: FakeGoogleTranslate, engine: GoogleEngine) -> None:
    server.behavior, server.failing_calls = "outage", 2
    assert await engine.translate(["Guten Tag"], "de", "en") == ["‹en› Guten Tag"]
    assert len(server.requests) == 3


@pytest.mark.parametrize("behavior", ["quota", "auth", "deadline"])
async def test_permanent_google_errors_are_not_retried(
    server: FakeGoogleTranslate, engine: GoogleEngine, behavior: str
) -> None:
    server.behavior = behavior  # type: ignore[assignment]
    await get_failure_reason(engine)
    assert len(server.requests) == 1


async def test_google_engine_reconnects_after_an_outage(server: FakeGoogleTranslate, engine: GoogleEngine) -> None:
    await server.stop()
    assert await get_failure_reason(engine) is FailureReason.OUTAGE
    await server.start()

    async def again() -> list[str]:
        while True:
            try:
                return await engine.translate(["Guten Tag"], "de", "en")
            except EngineError:
                await asyncio.sleep(0.05)

    assert await asyncio.wait_for(again(), 15) == ["‹en› Guten Tag"]


async def test_google_engine_supports_the_listed_languages(engine: GoogleEngine) -> None:
    assert engine.supports("tlh", "en")
    await engine.refresh()
    assert not engine.supports("tlh", "en")
    assert not engine.supports("en", "tlh")
    assert engine.supports("pt-BR", "en-GB")
    assert engine.supports(None, "de")


async def test_google_without_credentials_is_an_auth_failure(
    server: FakeGoogleTranslate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    engine = GoogleEngine(create_options(server, plaintext=False))
    assert await get_failure_reason(engine) is FailureReason.AUTH
    assert not server.requests


async def test_google_is_called_only_over_tls_outside_development(
    server: FakeGoogleTranslate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    account = {
        "type": "service_account",
        "project_id": "acme",
        "private_key": pem.decode(),
        "client_email": "parley@acme.example",
        "token_uri": "http://127.0.0.1:9/token",
    }
    path = tmp_path / "account.json"
    path.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    engine = GoogleEngine(create_options(server, plaintext=False))

    assert await get_failure_reason(engine) in (FailureReason.OUTAGE, FailureReason.SLOW)

    assert not server.requests
    await engine.close()


async def test_libretranslate_request_has_its_language_codes_and_the_key(
    libre_server: FakeLibreTranslate, libre_engine: LibreTranslateEngine
) -> None:
    assert await libre_engine.translate(["Guten Tag", "Danke"], "de-CH", "pt") == [
        "⟨pt-BR⟩ Guten Tag",
        "⟨pt-BR⟩ Danke",
    ]
    assert libre_server.requests == [
        {"q": ["Guten Tag", "Danke"], "format": "text", "source": "de", "target": "pt-BR", "api_key": "key-1"}
    ]


async def test_libretranslate_detects_an_unknown_source(
    libre_server: FakeLibreTranslate, libre_engine: LibreTranslateEngine
) -> None:
    await libre_engine.translate(["Guten Tag"], None, "da")
    assert libre_server.requests[0]["source"] == "auto"


@pytest.mark.parametrize(
    ("behavior", "reason"),
    [
        ("quota", FailureReason.QUOTA),
        ("auth", FailureReason.AUTH),
        ("unsupported", FailureReason.UNSUPPORTED),
        ("outage", FailureReason.OUTAGE),
        ("slow", FailureReason.SLOW),
        ("invalid_json", FailureReason.OUTAGE),
        ("oversized", FailureReason.OUTAGE),
        ("redirect", FailureReason.OUTAGE),
    ],
)
async def test_libretranslate_errors_are_mapped_to_reasons(
    libre_server: FakeLibreTranslate, libre_engine: LibreTranslateEngine, behavior: str, reason: FailureReason
) -> None:
    libre_server.behavior = behavior  # type: ignore[assignment]
    assert await get_failure_reason(libre_engine) is reason


async def test_libretranslate_redirects_are_not_followed(
    libre_server: FakeLibreTranslate, libre_engine: LibreTranslateEngine
) -> None:
    libre_server.behavior = "redirect"
    await get_failure_reason(libre_engine)
    assert libre_server.redirected_requests == 0


async def test_oversized_response_is_not_read_completely(
    libre_server: FakeLibreTranslate, libre_engine: LibreTranslateEngine
) -> None:
    libre_server.behavior = "oversized"
    with pytest.raises(EngineError, match="too large"):
        await libre_engine.translate(["Guten Tag"], "de", "en")


async def test_unreachable_libretranslate_is_an_outage(
    libre_server: FakeLibreTranslate, libre_engine: LibreTranslateEngine
) -> None:
    await libre_server.stop()
    assert await get_failure_reason(libre_engine) is FailureReason.OUTAGE


async def test_unlisted_pair_is_unsupported_without_a_call(
    libre_server: FakeLibreTranslate, libre_engine: LibreTranslateEngine
) -> None:
    await libre_engine.refresh()
    assert not libre_engine.supports("tlh", "en")
    assert libre_engine.supports("da", "en")
    assert await get_failure_reason(libre_engine, "tlh") is FailureReason.UNSUPPORTED
    assert not libre_server.requests


async def test_local_engine_supports_two_languages() -> None:
    engine = LocalEngine()
    assert engine.supports("en-GB", "pt")
    assert engine.supports("pt-BR", "en")
    assert engine.supports(None, "en")
    assert not engine.supports("de", "en")
    assert not engine.supports("en", "en")
    with pytest.raises(EngineError) as exc_info:
        await engine.translate(["Guten Tag"], "de", "en")
    assert exc_info.value.reason is FailureReason.UNSUPPORTED
    await engine.close()


async def test_local_engine_translates_a_long_text_completely() -> None:
    engine = LocalEngine()
    translations = await engine.translate(["Where is my order? It should have come on Monday. " * 12], "en", "pt-BR")
    assert translations[0].count("segunda") == 12
    await engine.close()


async def test_local_engine_loads_its_models_with_the_first_text_and_releases_them_when_idle() -> None:
    engine = LocalEngine(idle_seconds=1.0)
    await engine.refresh()
    assert not engine.loaded_directions

    assert await engine.translate(["Bom dia"], "pt-BR", "en") == ["Good morning"]
    await wait_until(lambda: engine.loaded_directions == {"en-pt", "pt-en"})
    await asyncio.gather(*(engine.translate(["Good morning"], "en", "pt-BR") for _ in range(4)))

    await wait_until(lambda: not engine.loaded_directions)
    assert await engine.translate(["Good morning"], "en", "pt-BR") == ["Bom dia"]
    await engine.close()


async def test_local_engine_does_not_block_the_event_loop() -> None:
    engine = LocalEngine()
    await engine.translate(["Hi"], "en", "pt-BR")
    await wait_until(lambda: len(engine.loaded_directions) == 2)
    started = last = asyncio.get_running_loop().time()
    longest = 0.0
    work = asyncio.create_task(engine.translate(["I have been waiting for two weeks. " * 40], "en", "pt-BR"))
    while not work.done():
        await asyncio.sleep(0.001)
        now = asyncio.get_running_loop().time()
        longest, last = max(longest, now - last), now
    assert "semanas" in work.result()[0]
    assert longest < max(0.25, (last - started) / 2), "it works on while the engine translates"
    await engine.close()


def test_long_sentences_are_split_between_words() -> None:
    parts = split_sentences("One. Two! " + "word " * 100 + "x" * 600)
    assert parts[:2] == ["One.", "Two!"]
    assert all(len(part) <= 240 for part in parts)
    assert "".join(parts).replace(" ", "") == "One.Two!" + "word" * 100 + "x" * 600
