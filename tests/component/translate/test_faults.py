"""Failures of engines and of the broker: another engine takes over, or the message is marked as failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parley_dev.servers import RabbitServer
from support.google_translate import FakeGoogleTranslate
from support.libretranslate import FakeLibreTranslate
from support.wait import wait_until

from .conftest import TranslateHarness

LONG_TIMEOUTS = {"PARLEY_TRANSLATE_CALL_SECONDS": "3", "PARLEY_TRANSLATE_SECONDS": "12"}
"""The local engine needs processor time: on a busy machine, one second is not enough."""


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return {
        "PARLEY_TRANSLATE_ENGINES": "google,libretranslate,local",
        "PARLEY_TRANSLATE_DAILY_CHARACTERS": "2000",
        **LONG_TIMEOUTS,
    }


@pytest.fixture(scope="module")
async def own_broker(run_directory: Path) -> AsyncIterator[RabbitServer]:
    server = RabbitServer(run_directory / "rabbitmq-translate")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="module")
def amqp_url(own_broker: RabbitServer) -> str:
    """A node that a test may restart."""
    return own_broker.uri


@pytest.fixture
async def engines_may_fail(
    harness: TranslateHarness, google: FakeGoogleTranslate, libre: FakeLibreTranslate
) -> AsyncIterator[None]:
    """For tests that make engines fail: the next test has working engines and closed circuit breakers again."""
    yield
    google.behavior, libre.behavior = "ok", "ok"
    await harness.stop_process()
    await harness.start_process()


@pytest.mark.usefixtures("engines_may_fail")
async def test_next_engine_translates_if_the_first_fails(
    harness: TranslateHarness, google: FakeGoogleTranslate
) -> None:
    """Every kind of failure is tested in test_engine_chain."""
    google.behavior = "slow"
    conversation = await harness.create_translated_conversation("de", "en")
    message = conversation.message("Der erste Dienst ist langsam.")

    await harness.publish(message)

    assert (await harness.wait_for_translation(message))["content"] == "⟨en⟩ Der erste Dienst ist langsam."


@pytest.mark.usefixtures("engines_may_fail")
async def test_message_is_marked_failed_if_all_engines_fail_and_the_next_one_succeeds(
    harness: TranslateHarness, google: FakeGoogleTranslate, libre: FakeLibreTranslate
) -> None:
    google.behavior, libre.behavior = "outage", "outage"
    conversation = await harness.create_translated_conversation("de", "en")
    lost, delivered = conversation.message("Das geht verloren."), conversation.message("Das kommt an.")

    await harness.publish(lost)
    assert await harness.wait_for_translation(lost) == {
        "lang": "en",
        "content": None,
        "status": "failed",
        "quick_replies": [],
    }

    google.behavior, libre.behavior = "ok", "ok"
    await harness.publish(delivered)
    assert (await harness.wait_for_translation(delivered))["content"] == "‹en› Das kommt an."


@pytest.mark.usefixtures("engines_may_fail")
async def test_engine_without_quota_is_not_called_again(
    harness: TranslateHarness, google: FakeGoogleTranslate, libre: FakeLibreTranslate
) -> None:
    google.behavior = "quota"
    conversation = await harness.create_translated_conversation("de", "en")
    before = len(google.requests)
    messages = [
        conversation.message(f"Das Kontingent ist erschöpft, Teil {part}.") for part in ("eins", "zwei", "drei")
    ]

    await harness.publish(*messages)

    for message in messages:
        assert (await harness.wait_for_translation(message))["content"].startswith("⟨en⟩")
    assert len(google.requests) - before == 1
    assert await harness.metric('parley_translate_breaker{engine="google"}') == 2
    assert await harness.metric('parley_translate_engine_calls_total{engine="google",outcome="quota"}') == 1


@pytest.mark.usefixtures("engines_may_fail")
async def test_engines_are_used_again_after_an_outage(
    harness: TranslateHarness, google: FakeGoogleTranslate, libre: FakeLibreTranslate
) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    await google.stop()
    await libre.stop()
    try:
        lost = conversation.message("Niemand zu Hause.")
        await harness.publish(lost)
        assert (await harness.wait_for_translation(lost))["status"] == "failed"
    finally:
        await libre.start()
        await google.start()

    async def translated() -> bool:
        message = conversation.message("Wieder da.")
        await harness.publish(message)
        status: str = (await harness.wait_for_translation(message))["status"]
        return status == "done"

    await wait_until(translated, timeout=60)


async def test_site_over_its_quota_gets_the_free_engine(
    harness: TranslateHarness, google: FakeGoogleTranslate, libre: FakeLibreTranslate
) -> None:
    limited = await harness.create_translated_conversation("pt-BR", "en")
    unlimited = await harness.create_translated_conversation("pt-BR", "en")
    requests = len(google.requests) + len(libre.requests)
    spent = limited.message("Quero saber tudo sobre isso. " * 69)
    over, other = limited.message("Onde está o meu pedido?"), unlimited.message("Onde está o meu dinheiro?")

    await harness.publish(spent)
    await harness.wait_for_translation(spent)
    await harness.publish(over, other)

    assert "Where" in (await harness.wait_for_translation(over))["content"]
    assert (await harness.wait_for_translation(other))["content"] == "‹en› Onde está o meu dinheiro?"
    assert len(google.requests) + len(libre.requests) - requests == 2
    async with harness.database() as database:
        counter = await database["spending"].find_one({"site_id": limited.site_id})
        assert counter is not None
        assert counter["used"] == len(spent.data["content"].strip())


@pytest.mark.usefixtures("engines_may_fail")
async def test_failed_calls_do_not_count_against_the_quota(
    harness: TranslateHarness, google: FakeGoogleTranslate
) -> None:
    google.behavior = "refusing"
    conversation = await harness.create_translated_conversation("de", "en")
    message = conversation.message("Einmal reicht.")

    await harness.publish(message)
    await harness.wait_for_translation(message)

    async with harness.database() as database:
        counter = await database["spending"].find_one({"site_id": conversation.site_id})
        assert counter is not None
        assert counter["used"] == len("Einmal reicht.")


async def test_site_can_choose_engines_glossary_and_a_lower_quota(
    harness: TranslateHarness, google: FakeGoogleTranslate, libre: FakeLibreTranslate
) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    harness.site_options[conversation.site_id] = {
        "engines": ["libretranslate"],
        "glossary": ["Blaue Stunde"],
        "daily_characters": 60,
    }
    with_term = conversation.message("Ich suche die Blaue Stunde.")
    over_quota = conversation.message("Und noch etwas anderes. " * 5)

    await harness.publish(with_term, over_quota)

    assert (await harness.wait_for_translation(with_term))["content"] == "⟨en⟩ Ich suche die Blaue Stunde."
    assert "Ich suche die X0X." in libre.texts
    assert (await harness.wait_for_translation(over_quota))["status"] == "failed"
    assert not any("Ich suche" in text for text in google.texts)


@pytest.mark.usefixtures("engines_may_fail")
async def test_local_engine_translates_in_both_directions(
    harness: TranslateHarness, google: FakeGoogleTranslate, libre: FakeLibreTranslate
) -> None:
    google.behavior, libre.behavior = "auth", "auth"
    conversation = await harness.create_translated_conversation("pt-BR", "en")
    visitor = conversation.message("Olá! Meu pedido 4711 ainda não chegou 😢 Veja https://loja.example/p/4711, @ana.")
    operator = conversation.message("I will look into it right away. Please wait 5 minutes.", "operator")

    await harness.publish(visitor, operator)

    english = (await harness.wait_for_translation(visitor))["content"]
    portuguese = (await harness.wait_for_translation(operator))["content"]
    for original in ("4711", "😢", "https://loja.example/p/4711", "@ana"):
        assert original in english
    assert "order" in english.lower()
    assert "5" in portuguese
    assert "minutos" in portuguese


async def test_metrics_contain_no_message_text_and_no_site_id(harness: TranslateHarness) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    message = conversation.message("Geheimnis123abc ist mein Kennwort")
    await harness.publish(message)
    await harness.wait_for_translation(message)

    async with harness.http.get(f"http://127.0.0.1:{harness.internal_port}/metrics") as response:
        page = await response.text()
    assert "Geheimnis" not in page
    assert str(conversation.site_id) not in page


async def test_no_translation_is_lost_when_the_broker_restarts(
    harness: TranslateHarness, own_broker: RabbitServer
) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    message = conversation.message("Der Vermittler startet gleich neu.")
    await harness.publish(message)
    await asyncio.gather(harness.wait_for_translation(message, timeout=90), own_broker.restart())
    await wait_until(harness.is_broker_connected, timeout=60)
    after = conversation.message("Und wieder da.")

    await harness.publish(after)

    assert (await harness.wait_for_translation(after, timeout=60))["status"] == "done"
