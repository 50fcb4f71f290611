"""Live translation of messages: once, in order, or marked as failed or unsupported."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import pytest

from parley.common.auth.identity import Permission
from parley.common.events.schemas import MessageTranslation
from support.google_translate import FakeGoogleTranslate
from support.libretranslate import FakeLibreTranslate
from support.wait import wait_until

from .conftest import ConversationFixture, TranslateHarness


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return {"PARLEY_TRANSLATE_ENGINES": "google,libretranslate", "PARLEY_TRANSLATE_GLOSSARY": "Parley"}


@pytest.fixture(autouse=True)
def engines_well(google: FakeGoogleTranslate, libre: FakeLibreTranslate) -> Iterator[None]:
    yield
    google.behavior, libre.behavior = "ok", "ok"


async def test_visitors_message_is_translated_for_the_operator(harness: TranslateHarness) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    message = conversation.message("Wo ist meine Bestellung?")

    await harness.publish(message)

    assert await harness.wait_for_translation(message) == {
        "lang": "en",
        "content": "‹en› Wo ist meine Bestellung?",
        "status": "done",
        "quick_replies": [],
    }
    [event] = harness.list_events(conversation, "message.translated")
    assert (event.tenant_id, event.site_id, event.session) == (
        conversation.tenant_id,
        conversation.site_id,
        conversation.session,
    )
    assert (event.data["seq"], event.data["role"]) == (1, "visitor")
    assert event.request_id == message.request_id


async def test_operators_message_is_translated_for_the_visitor(harness: TranslateHarness) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    message = conversation.message("It is on its way.", "operator", labels=("Thank you",))

    await harness.publish(message)

    translation = await harness.wait_for_translation(message)
    assert translation["content"] == "‹de› It is on its way."
    assert translation["quick_replies"] == ["‹de› Thank you"]


async def test_ai_reply_is_translated_for_the_side_that_does_not_read_it(harness: TranslateHarness) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    english = conversation.message("Your order will arrive in three days, I am sure of it.", "ai")
    german = conversation.message("Ihre Bestellung kommt in drei Tagen an, da bin ich mir sicher.", "ai")

    await harness.publish(english, german)

    assert (await harness.wait_for_translation(english))["lang"] == "de"
    assert (await harness.wait_for_translation(german))["lang"] == "en"


async def test_protected_parts_are_not_translated(harness: TranslateHarness, google: FakeGoogleTranslate) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    text = "Parley: siehe https://shop.example/a?b=1, Nr. AB-1234 für 49,90 €, an jo@shop.example 👍 @alex `rm -rf`"
    message = conversation.message(text)

    await harness.publish(message)

    content = (await harness.wait_for_translation(message))["content"]
    for original in (
        "Parley",
        "https://shop.example/a?b=1",
        "AB-1234",
        "49,90",
        "jo@shop.example",
        "👍",
        "@alex",
        "`rm -rf`",
    ):
        assert original in content
        assert not any(original in text for text in google.texts)


async def test_protected_parts_survive_an_engine_that_corrupts_placeholders(
    harness: TranslateHarness, google: FakeGoogleTranslate
) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    message = conversation.message("Bitte zahlen Sie 4711 Euro an bank@shop.example noch heute")
    google.corrupts_placeholders = True
    try:
        await harness.publish(message)
        content = (await harness.wait_for_translation(message))["content"]
    finally:
        google.corrupts_placeholders = False

    assert "4711" in content
    assert "bank@shop.example" in content
    assert "‹en› noch heute" in content


async def test_line_structure_is_kept(harness: TranslateHarness) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    message = conversation.message("Guten Tag\n\n- erstens\n  - zweitens\n```\nif x:\n    y()\n```\n🙂")

    await harness.publish(message)

    assert (await harness.wait_for_translation(message))["content"] == (
        "‹en› Guten Tag\n\n- ‹en› erstens\n  - ‹en› zweitens\n```\nif x:\n    y()\n```\n🙂"
    )


async def test_redelivered_message_is_translated_and_charged_once(
    harness: TranslateHarness, google: FakeGoogleTranslate
) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    message = conversation.message("Doppelt hält besser, sagt man hierzulande.")
    charged = google.charged_characters

    await harness.publish(message)
    await harness.wait_for_translation(message)
    last = conversation.message("Und das hier kommt danach.")
    await harness.publish(message, message, last)
    await harness.wait_for_translation(last)

    assert google.charged_characters - charged == len(message.data["content"]) + len(last.data["content"])
    assert len(harness.list_events(conversation, "message.translated")) == 2


async def test_failed_message_is_not_retried_on_redelivery(
    harness: TranslateHarness, google: FakeGoogleTranslate, libre: FakeLibreTranslate
) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    message = conversation.message("Das wird heute nichts mehr.")
    google.behavior, libre.behavior = "refusing", "unsupported"
    await harness.publish(message)
    assert (await harness.wait_for_translation(message))["status"] == "failed"
    google.behavior, libre.behavior = "ok", "ok"

    last = conversation.message("Das hier aber schon.")
    await harness.publish(message, last)
    await harness.wait_for_translation(last)

    assert [event.data["seq"] for event in harness.list_events(conversation, "message.translated")] == [1, 2]
    assert google.texts.count("Das wird heute nichts mehr.") == 1


async def test_equal_texts_of_different_conversations_are_translated_once(
    harness: TranslateHarness, google: FakeGoogleTranslate
) -> None:
    first, second = (
        await harness.create_translated_conversation("de", "en"),
        await harness.create_translated_conversation("de", "en"),
    )
    message, other_message = first.message("Haben Sie 3 davon in Blau?"), second.message("Haben Sie 12 davon in Blau?")

    await harness.publish(message)
    await harness.wait_for_translation(message)
    await harness.publish(other_message)

    assert (await harness.wait_for_translation(other_message))["content"] == "‹en› Haben Sie 12 davon in Blau?"
    assert [text for text in google.texts if "davon in Blau" in text] == ["Haben Sie X0X davon in Blau?"]


async def test_cached_translations_survive_a_restart(harness: TranslateHarness, google: FakeGoogleTranslate) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    before = conversation.message("Das überlebt einen Neustart.")
    await harness.publish(before)
    await harness.wait_for_translation(before)
    charged = google.charged_characters

    await harness.stop_process(signal.SIGKILL)
    again = conversation.message("Das überlebt einen Neustart.")
    await harness.publish(again)
    await harness.start_process()

    assert (await harness.wait_for_translation(again))["content"] == "‹en› Das überlebt einen Neustart."
    assert google.charged_characters == charged


async def test_messages_of_a_conversation_are_translated_in_order(harness: TranslateHarness) -> None:
    conversations = [await harness.create_translated_conversation("de", "en") for _ in range(5)]
    messages = [
        conversation.message(f"Zeile {chr(97 + number)} von {conversation.id}")
        for number in range(12)
        for conversation in conversations
    ]

    await harness.publish(*messages)

    await asyncio.gather(*(harness.wait_for_translation(message) for message in messages))
    for conversation in conversations:
        assert [event.data["seq"] for event in harness.list_events(conversation, "message.translated")] == list(
            range(1, 13)
        )


async def test_slow_engine_does_not_delay_other_conversations(
    harness: TranslateHarness, google: FakeGoogleTranslate, libre: FakeLibreTranslate
) -> None:
    slow, fast = (
        await harness.create_translated_conversation("de", "fr"),
        await harness.create_translated_conversation("de", "en"),
    )
    first = fast.message("Das steht schon im Speicher.")
    await harness.publish(first)
    await harness.wait_for_translation(first)
    google.behavior = libre.behavior = "slow"

    waiting, cached = slow.message("Das dauert."), fast.message("Das steht schon im Speicher.")
    await harness.publish(waiting, cached)

    assert (await harness.wait_for_translation(waiting))["status"] == "failed"
    assert (await harness.wait_for_translation(cached))["status"] == "done"
    translated = [event.data["id"] for event in harness.events if event.type == "message.translated"]
    assert translated.index(cached.data["id"]) < translated.index(waiting.data["id"])


async def test_no_translation_after_switching_off(harness: TranslateHarness, google: FakeGoogleTranslate) -> None:
    off, on = (
        await harness.create_translated_conversation("de", "en"),
        await harness.create_translated_conversation("de", "en"),
    )
    await harness.toggle(off.operator(), off, enabled=False)
    silent, last = off.message("Bitte nicht übersetzen, danke sehr."), on.message("Aber dieses hier schon, bitte.")

    await harness.publish(silent)
    await harness.publish(last)
    await harness.wait_for_translation(last)

    # The queue is in order, so the first message has been handled: it needs no engine.
    assert not harness.list_events(off, "message.translated")
    assert not any("nicht übersetzen" in text for text in google.texts)


async def test_messages_without_the_routing_tag_are_not_consumed(
    harness: TranslateHarness, google: FakeGoogleTranslate
) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    taken = await harness.metric('parley_events_consumed_total{outcome="done",queue="parley.translate.messages"}')
    plain, marked = (
        conversation.message("Ohne Zeichen kommt das nicht an.", routing_tag=None),
        conversation.message("Mit Zeichen schon."),
    )
    both = conversation.message("Auch mit zweien.", routing_tag="push.translate")

    await harness.publish(plain, marked, both)
    await harness.wait_for_translation(both)

    now = await harness.metric('parley_events_consumed_total{outcome="done",queue="parley.translate.messages"}')
    assert now - taken == 2
    assert not any("Ohne Zeichen" in text for text in google.texts)


async def test_message_in_an_unsupported_language_is_marked(harness: TranslateHarness) -> None:
    conversation = await harness.create_translated_conversation("tlh", "en")
    message = conversation.message("nuqneH, tlhIngan Hol Dajatlh'a'")

    await harness.publish(message)

    assert await harness.wait_for_translation(message) == {
        "lang": "en",
        "content": None,
        "status": "unsupported",
        "quick_replies": [],
    }


async def test_only_messages_sent_without_a_translation_are_translated_late(harness: TranslateHarness) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    done = MessageTranslation(lang="de", content="Guten Tag!", status="done")
    translated = conversation.message("Good day!", "operator", done)
    late = conversation.message("Good evening!", "operator", MessageTranslation(lang="de", status="failed"))

    await harness.publish(translated, late)

    assert (await harness.wait_for_translation(late))["content"] == "‹de› Good evening!"
    assert len(harness.list_events(conversation, "message.translated")) == 1


async def test_visitors_language_is_detected_and_published(harness: TranslateHarness) -> None:
    conversation = await harness.create_translated_conversation(None, "en", browser_language="fr-FR")
    message = conversation.message("Guten Tag, wo bleibt meine Bestellung von letzter Woche?")

    await harness.publish(message)

    assert (await harness.wait_for_translation(message))["status"] == "done"
    updated = harness.list_events(conversation, "translation.updated")[-1]
    assert (updated.data["lang"], updated.data["detected"], updated.data["enabled"]) == ("de", True, True)
    _, response = await harness.toggle(conversation.operator(), conversation)
    assert response["translation"]["detected"] is True


async def test_language_set_by_an_operator_is_kept(harness: TranslateHarness, google: FakeGoogleTranslate) -> None:
    conversation = await harness.create_translated_conversation("fr", "en")
    message = conversation.message("Guten Tag, wo bleibt denn nun meine Bestellung von vorletzter Woche?")

    await harness.publish(message)
    await harness.wait_for_translation(message)

    assert [event.data["lang"] for event in harness.list_events(conversation, "translation.updated")] == ["fr", "fr"]
    assert google.requests[-1].source_language_code == "fr"


async def test_message_in_the_operators_language_is_not_translated(harness: TranslateHarness) -> None:
    conversation = await harness.create_translated_conversation(None, "en")
    english = conversation.message("Hello there, where is the parcel that I ordered last week?")
    german = conversation.message("Ach, Sie sprechen auch Deutsch? Das ist ja wunderbar für mich!")

    await harness.publish(english, german)

    assert (await harness.wait_for_translation(german))["lang"] == "en"
    assert [event.data["seq"] for event in harness.list_events(conversation, "message.translated")] == [2]


async def test_poison_message_is_dead_lettered_and_others_are_consumed(harness: TranslateHarness) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    dead = await harness.metric('parley_events_consumed_total{outcome="dead"')
    nowhere = conversation.message("Ohne Gespräch.").model_copy(update={"conversation_id": None})
    healthy = conversation.message("Gesund und munter.")

    await harness.publish(nowhere, healthy)

    assert (await harness.wait_for_translation(healthy))["status"] == "done"
    assert await harness.metric('parley_events_consumed_total{outcome="dead"') - dead == 1


async def test_rpc_translates_a_text_for_chat(harness: TranslateHarness) -> None:
    conversation = await harness.create_translated_conversation("de", "en")

    response = await harness.translate_rpc(
        "translate",
        site_id=conversation.site_id,
        conversation_id=conversation.id,
        text="Your parcel is here.",
        target="de",
    )

    assert response == {"content": "‹de› Your parcel is here.", "lang": "de", "status": "done"}


async def test_rpc_answers_in_time_and_the_late_translation_is_cached(
    harness: TranslateHarness, google: FakeGoogleTranslate, libre: FakeLibreTranslate
) -> None:
    conversation: ConversationFixture = await harness.create_translated_conversation("de", "en")
    text = "Please wait a moment."
    arguments = {"site_id": conversation.site_id, "conversation_id": conversation.id, "text": text, "target": "de"}
    google.behavior = "slow"

    # The caller times out after two seconds.
    response = await harness.translate_rpc("translate", **arguments)
    assert response == {"content": None, "lang": "de", "status": "failed"}

    # The work continues after the response: google times out, libretranslate is called, and the result is cached.
    await wait_until(lambda: text in libre.texts)
    message = conversation.message(text, "operator", MessageTranslation(lang="de", status="failed"))
    await harness.publish(message)
    assert (await harness.wait_for_translation(message))["content"] == f"⟨de⟩ {text}"
    assert libre.texts.count(text) == 1


async def test_rpc_with_an_invalid_language_fails(harness: TranslateHarness) -> None:
    with pytest.raises(Exception, match="could not answer"):
        await harness.translate_rpc("translate", site_id=1, conversation_id=None, text="Hi", target="no language")


async def test_what_was_written_before_translation_was_on_is_translated_for_the_operator(
    harness: TranslateHarness,
) -> None:
    conversation = ConversationFixture()
    harness.conversations[conversation.id] = conversation
    question = conversation.message("Wo ist meine Bestellung? Ich warte schon seit zwei Wochen darauf.")
    answer = conversation.message("A colleague will be with you in a moment, thank you.", "operator")
    harness.earlier_messages += [question, answer]

    status, body = await harness.toggle(conversation.operator(language="en"), conversation)

    assert status == 200
    assert (body["translation"]["lang"], body["translation"]["detected"]) == ("de", True), "the first reply needs it"
    assert (await harness.wait_for_translation(question))["content"].startswith("‹en› Wo ist meine Bestellung?")
    translated = harness.list_events(conversation, "message.translated")
    assert [event.data["seq"] for event in translated] == [1], "the visitor gets no translation of an old message"


async def test_a_backlog_is_translated_to_its_end_after_a_kill(
    harness: TranslateHarness, google: FakeGoogleTranslate
) -> None:
    conversation = ConversationFixture()
    harness.conversations[conversation.id] = conversation
    questions = [conversation.message(f"Wo ist meine Bestellung geblieben, bitte? Frage {n}.") for n in range(6)]
    harness.earlier_messages += questions
    google.behavior = "slow"
    await harness.toggle(conversation.operator(language="en"), conversation)
    await wait_until(lambda: any("geblieben" in text for text in google.texts))

    await harness.stop_process(signal.SIGKILL)
    google.behavior = "ok"
    await harness.start_process()

    for question in questions:
        assert (await harness.wait_for_translation(question))["status"] == "done"
    assert len(harness.list_events(conversation, "message.translated")) == len(questions), "each once"


async def test_a_preview_is_what_the_visitor_will_read(harness: TranslateHarness) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    alex = conversation.operator(language="en")

    status, body = await harness.preview(alex, conversation, "Your parcel is on its way.")
    sent = await harness.translate_rpc(
        "translate",
        site_id=conversation.site_id,
        conversation_id=conversation.id,
        text="Your parcel is on its way.",
        target="de",
        source="en",
    )
    assert (status, body["translation"]) == (200, {**(sent or {}), "quick_replies": []})
    await harness.toggle(alex, conversation, enabled=False)
    assert (await harness.preview(alex, conversation, "Hello"))[1]["translation"] is None
    nobody = conversation.operator(frozenset({Permission.VIEW}))
    assert (await harness.preview(nobody, conversation, "Hello"))[0] == 403
    assert (await harness.preview(alex, conversation, "  "))[0] == 422
