"""Each engine against its server: what it sends, what it makes of the answer, and how it tells failures apart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from parley.translate.engines.chain import EngineFault, Reason
from parley.translate.engines.google import GoogleEngine, GoogleOptions
from parley.translate.engines.libretranslate import LibreTranslateEngine
from parley.translate.engines.local import LocalEngine, sentences
from support.google_translate import GoogleTranslate
from support.libretranslate import LibreTranslate


def options(google: GoogleTranslate, **other: object) -> GoogleOptions:
    known: dict[str, object] = {
        "project": "acme",
        "location": "global",
        "endpoint": google.endpoint,
        "glossary": None,
        "model": None,
        "plaintext": True,
        "seconds": 1.0,
    }
    return GoogleOptions(**{**known, **other})  # type: ignore[arg-type]


@pytest.fixture
async def server() -> AsyncIterator[GoogleTranslate]:
    google = await GoogleTranslate().start()
    yield google
    await google.stop()


@pytest.fixture
async def engine(server: GoogleTranslate) -> AsyncIterator[GoogleEngine]:
    engine = GoogleEngine(options(server))
    yield engine
    await engine.close()


@pytest.fixture
async def libre_server() -> AsyncIterator[LibreTranslate]:
    libre = await LibreTranslate(api_key="key-1").start()
    yield libre
    await libre.stop()


@pytest.fixture
async def libre_engine(libre_server: LibreTranslate) -> AsyncIterator[LibreTranslateEngine]:
    engine = LibreTranslateEngine(libre_server.url + "/", "key-1", seconds=1.0)
    yield engine
    await engine.close()


async def reason_of(engine: GoogleEngine | LibreTranslateEngine, source: str = "de", target: str = "en") -> Reason:
    with pytest.raises(EngineFault) as caught:
        await engine.translate(["Guten Tag"], source, target)
    return caught.value.reason


async def test_google_is_asked_for_plain_text_in_its_own_codes(server: GoogleTranslate, engine: GoogleEngine) -> None:
    await engine.refresh()

    made = await engine.translate(["Guten Tag", "Danke"], "de-AT", "zh-Hant-TW")

    assert made == ["‹zh-TW› Guten Tag", "‹zh-TW› Danke"]
    [request] = server.asked
    assert request.parent == "projects/acme/locations/global"
    assert (request.mime_type, request.source_language_code) == ("text/plain", "de")
    assert not request.glossary_config.glossary


async def test_google_finds_the_source_by_itself_where_it_is_not_known(
    server: GoogleTranslate, engine: GoogleEngine
) -> None:
    await engine.translate(["Guten Tag"], None, "en")
    assert server.asked[0].source_language_code == ""


async def test_google_uses_the_glossary_and_the_model_of_its_location(server: GoogleTranslate) -> None:
    engine = GoogleEngine(options(server, location="us-central1", glossary="shop", model="general/nmt"))

    assert await engine.translate(["Guten Tag"], "de", "en") == ["‹en› Guten Tag"]

    [request] = server.asked
    assert request.glossary_config.glossary == "projects/acme/locations/us-central1/glossaries/shop"
    assert request.model == "projects/acme/locations/us-central1/models/general/nmt"
    await engine.close()


@pytest.mark.parametrize(
    ("mood", "reason"),
    [
        ("quota", Reason.QUOTA),
        ("auth", Reason.AUTH),
        ("unsupported", Reason.UNSUPPORTED),
        ("refusing", Reason.REFUSED),
        ("outage", Reason.OUTAGE),
        ("deadline", Reason.SLOW),
        ("slow", Reason.SLOW),
    ],
)
async def test_googles_failures_are_told_apart(
    server: GoogleTranslate, engine: GoogleEngine, mood: str, reason: Reason
) -> None:
    server.mood = mood  # type: ignore[assignment]
    assert await reason_of(engine) is reason


async def test_a_google_that_is_away_for_a_moment_is_asked_again(server: GoogleTranslate, engine: GoogleEngine) -> None:
    server.mood, server.fail_first = "outage", 2
    assert await engine.translate(["Guten Tag"], "de", "en") == ["‹en› Guten Tag"]
    assert len(server.asked) == 3


@pytest.mark.parametrize("mood", ["quota", "auth", "deadline"])
async def test_what_would_not_get_better_is_not_asked_again(
    server: GoogleTranslate, engine: GoogleEngine, mood: str
) -> None:
    server.mood = mood  # type: ignore[assignment]
    await reason_of(engine)
    assert len(server.asked) == 1


async def test_a_google_that_is_gone_is_an_outage_and_found_when_it_is_back(
    server: GoogleTranslate, engine: GoogleEngine
) -> None:
    await server.stop()
    assert await reason_of(engine) is Reason.OUTAGE
    await server.start()

    async def again() -> list[str]:
        while True:
            try:
                return await engine.translate(["Guten Tag"], "de", "en")
            except EngineFault:
                await asyncio.sleep(0.05)

    assert await asyncio.wait_for(again(), 15) == ["‹en› Guten Tag"]


async def test_google_says_which_languages_it_can_do(engine: GoogleEngine) -> None:
    assert engine.supports("tlh", "en")
    await engine.refresh()
    assert not engine.supports("tlh", "en")
    assert not engine.supports("en", "tlh")
    assert engine.supports("pt-BR", "en-GB")
    assert engine.supports(None, "de")


async def test_google_without_credentials_is_a_matter_of_auth(
    server: GoogleTranslate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    engine = GoogleEngine(options(server, plaintext=False))
    assert await reason_of(engine) is Reason.AUTH
    assert not server.asked


async def test_google_is_spoken_to_by_tls_alone_outside_development(
    server: GoogleTranslate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
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
    engine = GoogleEngine(options(server, plaintext=False))

    assert await reason_of(engine) in (Reason.OUTAGE, Reason.SLOW)

    assert not server.asked
    await engine.close()


async def test_libretranslate_is_asked_in_its_own_codes_with_the_key(
    libre_server: LibreTranslate, libre_engine: LibreTranslateEngine
) -> None:
    assert await libre_engine.translate(["Guten Tag", "Danke"], "de-CH", "pt") == [
        "⟨pt-BR⟩ Guten Tag",
        "⟨pt-BR⟩ Danke",
    ]
    assert libre_server.asked == [
        {"q": ["Guten Tag", "Danke"], "format": "text", "source": "de", "target": "pt-BR", "api_key": "key-1"}
    ]


async def test_libretranslate_finds_the_source_by_itself_where_it_is_not_known(
    libre_server: LibreTranslate, libre_engine: LibreTranslateEngine
) -> None:
    await libre_engine.translate(["Guten Tag"], None, "da")
    assert libre_server.asked[0]["source"] == "auto"


@pytest.mark.parametrize(
    ("mood", "reason"),
    [
        ("quota", Reason.QUOTA),
        ("auth", Reason.AUTH),
        ("unsupported", Reason.UNSUPPORTED),
        ("outage", Reason.OUTAGE),
        ("slow", Reason.SLOW),
        ("babbling", Reason.OUTAGE),
        ("endless", Reason.OUTAGE),
        ("redirecting", Reason.OUTAGE),
    ],
)
async def test_libretranslates_failures_are_told_apart(
    libre_server: LibreTranslate, libre_engine: LibreTranslateEngine, mood: str, reason: Reason
) -> None:
    libre_server.mood = mood  # type: ignore[assignment]
    assert await reason_of(libre_engine) is reason


async def test_libretranslate_cannot_send_us_elsewhere(
    libre_server: LibreTranslate, libre_engine: LibreTranslateEngine
) -> None:
    libre_server.mood = "redirecting"
    await reason_of(libre_engine)
    assert libre_server.strayed == 0


async def test_an_answer_without_end_is_not_read_to_its_end(
    libre_server: LibreTranslate, libre_engine: LibreTranslateEngine
) -> None:
    libre_server.mood = "endless"
    with pytest.raises(EngineFault, match="beyond all bounds"):
        await libre_engine.translate(["Guten Tag"], "de", "en")


async def test_a_libretranslate_that_is_gone_is_an_outage(
    libre_server: LibreTranslate, libre_engine: LibreTranslateEngine
) -> None:
    await libre_server.stop()
    assert await reason_of(libre_engine) is Reason.OUTAGE


async def test_a_pair_that_libretranslate_does_not_list_is_not_asked_for(
    libre_server: LibreTranslate, libre_engine: LibreTranslateEngine
) -> None:
    await libre_engine.refresh()
    assert not libre_engine.supports("tlh", "en")
    assert libre_engine.supports("da", "en")
    assert await reason_of(libre_engine, "tlh") is Reason.UNSUPPORTED
    assert not libre_server.asked


async def test_the_local_engine_does_two_languages_and_no_other() -> None:
    engine = LocalEngine()
    assert engine.supports("en-GB", "pt")
    assert engine.supports("pt-BR", "en")
    assert engine.supports(None, "en")
    assert not engine.supports("de", "en")
    assert not engine.supports("en", "en")
    with pytest.raises(EngineFault) as caught:
        await engine.translate(["Guten Tag"], "de", "en")
    assert caught.value.reason is Reason.UNSUPPORTED
    await engine.close()


async def test_the_local_engine_translates_all_of_a_long_text() -> None:
    engine = LocalEngine()
    made = await engine.translate(["Where is my order? It should have come on Monday. " * 12], "en", "pt-BR")
    assert made[0].count("segunda") == 12
    await engine.close()


async def test_the_local_engine_works_off_the_loop() -> None:
    engine = LocalEngine()
    await engine.refresh()
    longest, last = 0.0, asyncio.get_running_loop().time()
    work = asyncio.create_task(engine.translate(["I have been waiting for two weeks. " * 40], "en", "pt-BR"))
    while not work.done():
        await asyncio.sleep(0.001)
        now = asyncio.get_running_loop().time()
        longest, last = max(longest, now - last), now
    assert "semanas" in work.result()[0]
    assert longest < 0.25
    await engine.close()


def test_long_sentences_are_cut_between_words() -> None:
    parts = sentences("One. Two! " + "word " * 100 + "x" * 600)
    assert parts[:2] == ["One.", "Two!"]
    assert all(len(part) <= 240 for part in parts)
    assert "".join(parts).replace(" ", "") == "One.Two!" + "word" * 100 + "x" * 600
