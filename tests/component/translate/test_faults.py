"""Engines that are slow, refusing or gone: another takes over, or the message says that there is no translation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from parley_dev.servers import RabbitServer
from support.google_translate import GoogleTranslate
from support.libretranslate import LibreTranslate
from support.wait import until

from .conftest import House

PATIENT = {"PARLEY_TRANSLATE_CALL_SECONDS": "3", "PARLEY_TRANSLATE_SECONDS": "12"}
"""The local engine takes the processor's time: on a busy machine a second is not enough for it."""


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return {
        "PARLEY_TRANSLATE_ENGINES": "google,libretranslate,local",
        "PARLEY_TRANSLATE_DAILY_CHARACTERS": "2000",
        **PATIENT,
    }


@pytest.fixture(autouse=True)
async def healed(house: House, google: GoogleTranslate, libre: LibreTranslate) -> AsyncIterator[None]:
    """Each test begins with engines that are well and breakers that are closed."""
    yield
    google.mood, libre.mood = "well", "well"
    await house.end()
    await house.run()


@pytest.mark.parametrize("mood", ["quota", "auth", "outage", "deadline", "refusing", "unsupported", "slow"])
async def test_where_the_first_engine_fails_the_next_takes_over(
    house: House, google: GoogleTranslate, mood: str
) -> None:
    google.mood = mood  # type: ignore[assignment]
    talk = await house.translated("de", "en")
    message = talk.message(f"Der erste Dienst ist {mood}.")

    await house.publish(message)

    assert (await house.translation_of(message))["content"] == f"⟨en⟩ Der erste Dienst ist {mood}."


async def test_where_all_fail_the_message_says_so_and_the_next_finds_them_healed(
    house: House, google: GoogleTranslate, libre: LibreTranslate
) -> None:
    google.mood, libre.mood = "outage", "outage"
    talk = await house.translated("de", "en")
    lost, found = talk.message("Das geht verloren."), talk.message("Das kommt an.")

    await house.publish(lost)
    assert await house.translation_of(lost) == {"lang": "en", "content": None, "status": "failed"}

    google.mood, libre.mood = "well", "well"
    await house.publish(found)
    assert (await house.translation_of(found))["content"] == "‹en› Das kommt an."


async def test_an_engine_out_of_quota_is_left_alone(
    house: House, google: GoogleTranslate, libre: LibreTranslate
) -> None:
    google.mood = "quota"
    talk = await house.translated("de", "en")
    before = len(google.asked)
    messages = [talk.message(f"Das Kontingent ist erschöpft, Teil {part}.") for part in ("eins", "zwei", "drei")]

    await house.publish(*messages)

    for message in messages:
        assert (await house.translation_of(message))["content"].startswith("⟨en⟩")
    assert len(google.asked) - before == 1
    assert await house.metric('parley_translate_breaker{engine="google"}') == 2
    assert await house.metric('parley_translate_engine_calls_total{engine="google",outcome="quota"}') == 1


async def test_engines_that_are_gone_and_come_back_are_found_again(
    house: House, google: GoogleTranslate, libre: LibreTranslate
) -> None:
    talk = await house.translated("de", "en")
    await google.stop()
    await libre.stop()
    try:
        lost = talk.message("Niemand zu Hause.")
        await house.publish(lost)
        assert (await house.translation_of(lost))["status"] == "failed"
    finally:
        await libre.start()
        await google.start()

    async def translated() -> bool:
        message = talk.message("Wieder da.")
        await house.publish(message)
        status: str = (await house.translation_of(message))["status"]
        return status == "done"

    await until(translated, within=60)


async def test_a_site_that_has_spent_its_day_gets_the_engine_that_costs_nothing(
    house: House, google: GoogleTranslate, libre: LibreTranslate
) -> None:
    poor = await house.translated("pt-BR", "en")
    rich = await house.translated("pt-BR", "en")
    asked = len(google.asked) + len(libre.asked)
    spent = poor.message("Quero saber tudo sobre isso. " * 69)
    over, other = poor.message("Onde está o meu pedido?"), rich.message("Onde está o meu dinheiro?")

    await house.publish(spent)
    await house.translation_of(spent)
    await house.publish(over, other)

    assert "Where" in (await house.translation_of(over))["content"]
    assert (await house.translation_of(other))["content"] == "‹en› Onde está o meu dinheiro?"
    assert len(google.asked) + len(libre.asked) - asked == 2
    async with house.database() as database:
        counter = await database["spending"].find_one({"site_id": poor.site_id})
        assert counter is not None
        assert counter["used"] == len(spent.data["content"].strip())


async def test_what_an_engine_failed_to_do_is_not_counted(house: House, google: GoogleTranslate) -> None:
    google.mood = "refusing"
    talk = await house.translated("de", "en")
    message = talk.message("Einmal reicht.")

    await house.publish(message)
    await house.translation_of(message)

    async with house.database() as database:
        counter = await database["spending"].find_one({"site_id": talk.site_id})
        assert counter is not None
        assert counter["used"] == len("Einmal reicht.")


async def test_a_site_may_choose_its_engines_its_words_and_less_to_spend(
    house: House, google: GoogleTranslate, libre: LibreTranslate
) -> None:
    talk = await house.translated("de", "en")
    house.site_options[talk.site_id] = {
        "engines": ["libretranslate"],
        "glossary": ["Blaue Stunde"],
        "daily_characters": 60,
    }
    named, dear = talk.message("Ich suche die Blaue Stunde."), talk.message("Und noch etwas anderes. " * 5)

    await house.publish(named, dear)

    assert (await house.translation_of(named))["content"] == "⟨en⟩ Ich suche die Blaue Stunde."
    assert "Ich suche die X0X." in libre.texts
    assert (await house.translation_of(dear))["status"] == "failed"
    assert not any("Ich suche" in text for text in google.texts)


async def test_the_local_engine_really_translates(house: House, google: GoogleTranslate, libre: LibreTranslate) -> None:
    google.mood, libre.mood = "auth", "auth"
    talk = await house.translated("pt-BR", "en")
    visitor = talk.message("Olá! Meu pedido 4711 ainda não chegou 😢 Veja https://loja.example/p/4711, @ana.")
    operator = talk.message("I will look into it right away. Please wait 5 minutes.", "operator")

    await house.publish(visitor, operator)

    english = (await house.translation_of(visitor))["content"]
    portuguese = (await house.translation_of(operator))["content"]
    for kept in ("4711", "😢", "https://loja.example/p/4711", "@ana"):
        assert kept in english
    assert "order" in english.lower()
    assert "5" in portuguese
    assert "minutos" in portuguese


async def test_nothing_that_people_wrote_and_no_key_is_in_the_metrics(house: House) -> None:
    talk = await house.translated("de", "en")
    message = talk.message("Geheimnis123abc ist mein Kennwort")
    await house.publish(message)
    await house.translation_of(message)

    async with house.http.get(f"http://127.0.0.1:{house.internal_port}/metrics") as response:
        page = await response.text()
    assert "Geheimnis" not in page
    assert str(talk.site_id) not in page


async def test_the_broker_away_loses_no_translation(house: House, own_broker: RabbitServer) -> None:
    talk = await house.translated("de", "en")
    message = talk.message("Der Vermittler startet gleich neu.")
    await house.publish(message)
    await asyncio.gather(house.translation_of(message, within=90), own_broker.restart())
    await until(lambda: house._bus.fault() is None, within=60)
    after = talk.message("Und wieder da.")

    await house.publish(after)

    assert (await house.translation_of(after, within=60))["status"] == "done"
