"""Live translation: each message of a translated conversation, once, in order, or marked with why not."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import pytest

from parley.common.events.schemas import MessageTranslation
from support.google_translate import GoogleTranslate
from support.libretranslate import LibreTranslate
from support.wait import until

from .conftest import House, Talk


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return {"PARLEY_TRANSLATE_ENGINES": "google,libretranslate", "PARLEY_TRANSLATE_GLOSSARY": "Parley"}


@pytest.fixture(autouse=True)
def engines_well(google: GoogleTranslate, libre: LibreTranslate) -> Iterator[None]:
    yield
    google.mood, libre.mood = "well", "well"


async def test_a_visitors_message_is_translated_for_the_operator(house: House) -> None:
    talk = await house.translated("de", "en")
    message = talk.message("Wo ist meine Bestellung?")

    await house.publish(message)

    assert await house.translation_of(message) == {
        "lang": "en",
        "content": "‹en› Wo ist meine Bestellung?",
        "status": "done",
    }
    [event] = house.of(talk, "message.translated")
    assert (event.tenant_id, event.site_id, event.session) == (talk.tenant_id, talk.site_id, talk.session)
    assert (event.data["seq"], event.data["role"]) == (1, "visitor")
    assert event.request_id == message.request_id


async def test_an_operators_message_is_translated_for_the_visitor(house: House) -> None:
    talk = await house.translated("de", "en")
    message = talk.message("It is on its way.", "operator")

    await house.publish(message)

    assert (await house.translation_of(message))["content"] == "‹de› It is on its way."


async def test_an_answer_of_the_ai_is_translated_for_whoever_cannot_read_it(house: House) -> None:
    talk = await house.translated("de", "en")
    english = talk.message("Your order will arrive in three days, I am sure of it.", "ai")
    german = talk.message("Ihre Bestellung kommt in drei Tagen an, da bin ich mir sicher.", "ai")

    await house.publish(english, german)

    assert (await house.translation_of(english))["lang"] == "de"
    assert (await house.translation_of(german))["lang"] == "en"


async def test_what_must_stay_comes_through_unchanged(house: House, google: GoogleTranslate) -> None:
    talk = await house.translated("de", "en")
    text = "Parley: siehe https://shop.example/a?b=1, Nr. AB-1234 für 49,90 €, an jo@shop.example 👍 @alex `rm -rf`"
    message = talk.message(text)

    await house.publish(message)

    content = (await house.translation_of(message))["content"]
    for kept in (
        "Parley",
        "https://shop.example/a?b=1",
        "AB-1234",
        "49,90",
        "jo@shop.example",
        "👍",
        "@alex",
        "`rm -rf`",
    ):
        assert kept in content
        assert not any(kept in asked for asked in google.texts)


async def test_an_engine_that_breaks_what_is_protected_is_not_believed(house: House, google: GoogleTranslate) -> None:
    talk = await house.translated("de", "en")
    message = talk.message("Bitte zahlen Sie 4711 Euro an bank@shop.example noch heute")
    google.breaks_marks = True
    try:
        await house.publish(message)
        content = (await house.translation_of(message))["content"]
    finally:
        google.breaks_marks = False

    assert "4711" in content
    assert "bank@shop.example" in content
    assert "‹en› noch heute" in content


async def test_lines_stay_lines(house: House) -> None:
    talk = await house.translated("de", "en")
    message = talk.message("Guten Tag\n\n- erstens\n  - zweitens\n```\nif x:\n    y()\n```\n🙂")

    await house.publish(message)

    assert (await house.translation_of(message))["content"] == (
        "‹en› Guten Tag\n\n- ‹en› erstens\n  - ‹en› zweitens\n```\nif x:\n    y()\n```\n🙂"
    )


async def test_a_message_told_of_twice_is_translated_and_charged_once(house: House, google: GoogleTranslate) -> None:
    talk = await house.translated("de", "en")
    message = talk.message("Doppelt hält besser, sagt man hierzulande.")
    charged = google.charged

    await house.publish(message)
    await house.translation_of(message)
    last = talk.message("Und das hier kommt danach.")
    await house.publish(message, message, last)
    await house.translation_of(last)

    assert google.charged - charged == len(message.data["content"]) + len(last.data["content"])
    assert len(house.of(talk, "message.translated")) == 2


async def test_a_message_marked_as_failed_is_not_tried_again_when_told_of_again(
    house: House, google: GoogleTranslate, libre: LibreTranslate
) -> None:
    talk = await house.translated("de", "en")
    message = talk.message("Das wird heute nichts mehr.")
    google.mood, libre.mood = "refusing", "unsupported"
    await house.publish(message)
    assert (await house.translation_of(message))["status"] == "failed"
    google.mood, libre.mood = "well", "well"

    last = talk.message("Das hier aber schon.")
    await house.publish(message, last)
    await house.translation_of(last)

    assert [event.data["seq"] for event in house.of(talk, "message.translated")] == [1, 2]
    assert google.texts.count("Das wird heute nichts mehr.") == 1


async def test_the_same_text_is_translated_once_whoever_writes_it(house: House, google: GoogleTranslate) -> None:
    first, second = await house.translated("de", "en"), await house.translated("de", "en")
    one, other = first.message("Haben Sie 3 davon in Blau?"), second.message("Haben Sie 12 davon in Blau?")

    await house.publish(one)
    await house.translation_of(one)
    await house.publish(other)

    assert (await house.translation_of(other))["content"] == "‹en› Haben Sie 12 davon in Blau?"
    assert [text for text in google.texts if "davon in Blau" in text] == ["Haben Sie X0X davon in Blau?"]


async def test_a_restarted_process_knows_what_was_translated(house: House, google: GoogleTranslate) -> None:
    talk = await house.translated("de", "en")
    before = talk.message("Das überlebt einen Neustart.")
    await house.publish(before)
    await house.translation_of(before)
    charged = google.charged

    await house.end(signal.SIGKILL)
    again = talk.message("Das überlebt einen Neustart.")
    await house.publish(again)
    await house.run()

    assert (await house.translation_of(again))["content"] == "‹en› Das überlebt einen Neustart."
    assert google.charged == charged


async def test_messages_of_a_conversation_are_translated_in_their_order(house: House) -> None:
    talks = [await house.translated("de", "en") for _ in range(5)]
    messages = [talk.message(f"Zeile {chr(97 + number)} von {talk.id}") for number in range(12) for talk in talks]

    await house.publish(*messages)

    await asyncio.gather(*(house.translation_of(message) for message in messages))
    for talk in talks:
        assert [event.data["seq"] for event in house.of(talk, "message.translated")] == list(range(1, 13))


async def test_a_conversation_that_waits_for_an_engine_does_not_hold_up_the_others(
    house: House, google: GoogleTranslate, libre: LibreTranslate
) -> None:
    slow, quick = await house.translated("de", "fr"), await house.translated("de", "en")
    known = quick.message("Das steht schon im Speicher.")
    await house.publish(known)
    await house.translation_of(known)
    google.mood = libre.mood = "slow"

    waiting, cached = slow.message("Das dauert."), quick.message("Das steht schon im Speicher.")
    await house.publish(waiting, cached)

    assert (await house.translation_of(waiting))["status"] == "failed"
    assert (await house.translation_of(cached))["status"] == "done"
    told = [event.data["id"] for event in house.heard if event.type == "message.translated"]
    assert told.index(cached.data["id"]) < told.index(waiting.data["id"])


async def test_switched_off_means_no_translation(house: House, google: GoogleTranslate) -> None:
    off, on = await house.translated("de", "en"), await house.translated("de", "en")
    await house.toggle(off.operator(), off, enabled=False)
    silent, last = off.message("Bitte nicht übersetzen, danke sehr."), on.message("Aber dieses hier schon, bitte.")

    await house.publish(silent)
    await house.publish(last)
    await house.translation_of(last)

    # The queue is in order, and the one that came first is handled at once: it needs no engine.
    assert not house.of(off, "message.translated")
    assert not any("nicht übersetzen" in text for text in google.texts)


async def test_a_message_that_chat_did_not_mark_never_comes_here(house: House, google: GoogleTranslate) -> None:
    talk = await house.translated("de", "en")
    taken = await house.metric('parley_events_consumed_total{outcome="done",queue="parley.translate.messages"}')
    plain, marked = talk.message("Ohne Zeichen kommt das nicht an.", hint=None), talk.message("Mit Zeichen schon.")
    both = talk.message("Auch mit zweien.", hint="push.translate")

    await house.publish(plain, marked, both)
    await house.translation_of(both)

    now = await house.metric('parley_events_consumed_total{outcome="done",queue="parley.translate.messages"}')
    assert now - taken == 2
    assert not any("Ohne Zeichen" in text for text in google.texts)


async def test_a_language_that_no_engine_can_do_marks_the_message(house: House) -> None:
    talk = await house.translated("tlh", "en")
    message = talk.message("nuqneH, tlhIngan Hol Dajatlh'a'")

    await house.publish(message)

    assert await house.translation_of(message) == {"lang": "en", "content": None, "status": "unsupported"}


async def test_a_message_that_went_out_translated_is_left_alone_and_one_that_did_not_gets_it_late(house: House) -> None:
    talk = await house.translated("de", "en")
    done = MessageTranslation(lang="de", content="Guten Tag!", status="done")
    translated = talk.message("Good day!", "operator", done)
    late = talk.message("Good evening!", "operator", MessageTranslation(lang="de", status="failed"))

    await house.publish(translated, late)

    assert (await house.translation_of(late))["content"] == "‹de› Good evening!"
    assert len(house.of(talk, "message.translated")) == 1


async def test_the_language_is_found_from_what_the_visitor_writes_and_told(house: House) -> None:
    talk = await house.translated(None, "en", browser="fr-FR")
    message = talk.message("Guten Tag, wo bleibt meine Bestellung von letzter Woche?")

    await house.publish(message)

    assert (await house.translation_of(message))["status"] == "done"
    updated = house.of(talk, "translation.updated")[-1]
    assert (updated.data["lang"], updated.data["detected"], updated.data["enabled"]) == ("de", True, True)
    _, answer = await house.toggle(talk.operator(), talk)
    assert answer["translation"]["detected"] is True


async def test_a_language_that_an_operator_set_is_never_overturned(house: House, google: GoogleTranslate) -> None:
    talk = await house.translated("fr", "en")
    message = talk.message("Guten Tag, wo bleibt denn nun meine Bestellung von vorletzter Woche?")

    await house.publish(message)
    await house.translation_of(message)

    assert [event.data["lang"] for event in house.of(talk, "translation.updated")] == ["fr", "fr"]
    assert google.asked[-1].source_language_code == "fr"


async def test_a_visitor_who_writes_the_operators_language_needs_no_translation(house: House) -> None:
    talk = await house.translated(None, "en")
    english = talk.message("Hello there, where is the parcel that I ordered last week?")
    german = talk.message("Ach, Sie sprechen auch Deutsch? Das ist ja wunderbar für mich!")

    await house.publish(english, german)

    assert (await house.translation_of(german))["lang"] == "en"
    assert [event.data["seq"] for event in house.of(talk, "message.translated")] == [2]


async def test_a_poison_event_goes_to_the_dead_and_the_healthy_ones_pass(house: House) -> None:
    talk = await house.translated("de", "en")
    dead = await house.metric('parley_events_consumed_total{outcome="dead"')
    nowhere = talk.message("Ohne Gespräch.").model_copy(update={"conversation_id": None})
    healthy = talk.message("Gesund und munter.")

    await house.publish(nowhere, healthy)

    assert (await house.translation_of(healthy))["status"] == "done"
    assert await house.metric('parley_events_consumed_total{outcome="dead"') - dead == 1


async def test_chat_gets_a_text_translated_before_it_goes_out(house: House) -> None:
    talk = await house.translated("de", "en")

    answer = await house.ask(
        "translate", site_id=talk.site_id, conversation_id=talk.id, text="Your parcel is here.", target="de"
    )

    assert answer == {"content": "‹de› Your parcel is here.", "lang": "de", "status": "done"}


async def test_chat_hears_in_time_that_there_is_no_translation_and_the_late_one_is_free(
    house: House, google: GoogleTranslate, libre: LibreTranslate
) -> None:
    talk: Talk = await house.translated("de", "en")
    text = "Please wait a moment."
    asked = {"site_id": talk.site_id, "conversation_id": talk.id, "text": text, "target": "de"}
    google.mood = "slow"

    # Who asks is patient for two seconds, and hears nothing after that.
    answer = await house.ask("translate", **asked)
    assert answer == {"content": None, "lang": "de", "status": "failed"}

    # The work goes on after the answer: google is given up, libretranslate is asked, and the result is kept.
    await until(lambda: text in libre.texts)
    message = talk.message(text, "operator", MessageTranslation(lang="de", status="failed"))
    await house.publish(message)
    assert (await house.translation_of(message))["content"] == f"⟨de⟩ {text}"
    assert libre.texts.count(text) == 1


async def test_a_question_about_no_language_fails_at_once(house: House) -> None:
    with pytest.raises(Exception, match="could not answer"):
        await house.ask("translate", site_id=1, conversation_id=None, text="Hi", target="no language")
