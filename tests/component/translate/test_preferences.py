"""Translation settings of a conversation: access, validation and events."""

from __future__ import annotations

import asyncio

import pytest

from parley.common.auth.identity import Permission
from support.wait import wait_until

from .conftest import ConversationFixture, TranslateHarness, fresh_id


async def test_toggle_switches_translation_and_publishes_an_event(
    harness: TranslateHarness, conversation: ConversationFixture
) -> None:
    alex = conversation.operator(language="pt-BR")

    response = await harness.toggle(alex, conversation)

    assert response == (
        200,
        {
            "success": True,
            "translation": {
                "conversation_id": conversation.id,
                "enabled": True,
                "lang": None,
                "operator_lang": "pt-BR",
                "detected": False,
                "supported": True,
            },
        },
    )
    [event] = await wait_until(lambda: harness.list_events(conversation, "translation.updated"))
    assert (event.tenant_id, event.site_id, event.session) == (
        conversation.tenant_id,
        conversation.site_id,
        conversation.session,
    )
    assert (event.actor.kind, event.actor.id) == ("operator", alex.operator_id)
    assert event.data["enabled"] is True
    assert event.data["version"] == 1


async def test_set_lang_stores_the_standard_form_of_the_tag(
    harness: TranslateHarness, conversation: ConversationFixture
) -> None:
    _, response = await harness.set_lang(conversation.operator(), conversation, "ZH-hant-tw", operator_lang="pt-br")

    assert response["translation"]["lang"] == "zh-Hant-TW"
    assert response["translation"]["operator_lang"] == "pt-BR"
    assert response["translation"]["enabled"] is False
    [event] = await wait_until(lambda: harness.list_events(conversation, "translation.updated"))
    assert event.data["lang"] == "zh-Hant-TW"


async def test_unsupported_language_is_stored_and_reported(
    harness: TranslateHarness, conversation: ConversationFixture
) -> None:
    code, response = await harness.set_lang(conversation.operator(), conversation, "tlh")

    assert code == 200
    assert response["translation"]["lang"] == "tlh"
    assert response["translation"]["supported"] is False
    _, response = await harness.toggle(conversation.operator(), conversation)
    assert (response["translation"]["lang"], response["translation"]["supported"]) == ("tlh", False)


@pytest.mark.parametrize(
    "lang", ["english", "xx", "und", "mul", "qaa", "x-private", "", "d", "de-" + "a" * 80, "de;DROP"]
)
async def test_invalid_language_is_refused_with_the_field_name(
    harness: TranslateHarness, conversation: ConversationFixture, lang: str
) -> None:
    code, response = await harness.set_lang(conversation.operator(), conversation, lang)
    assert code == 422
    assert "lang" in response["errors"]

    code, response = await harness.set_lang(conversation.operator(), conversation, "de", operator_lang=lang)
    assert code == 422
    assert "operator_lang" in response["errors"]
    assert not harness.list_events(conversation, "translation.updated")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("toggle", {"conversation_id": {"$ne": 1}, "enabled": True}, "conversation_id"),
        ("toggle", {"conversation_id": 1, "enabled": {"$ne": 1}}, "enabled"),
        ("toggle", {"conversation_id": 1, "enabled": 1}, "enabled"),
        ("toggle", {"conversation_id": 1}, "enabled"),
        ("toggle", {"conversation_id": 0, "enabled": True}, "conversation_id"),
        ("set-lang", {"conversation_id": 1, "lang": {"$ne": "de"}}, "lang"),
        ("set-lang", {"conversation_id": "1", "lang": "de"}, "conversation_id"),
        ("set-lang", {"conversation_id": 1}, "lang"),
    ],
)
async def test_invalid_body_is_refused_with_the_field_name(
    harness: TranslateHarness, conversation: ConversationFixture, path: str, body: object, field: str
) -> None:
    code, response = await harness.call(path, conversation.operator(), body)
    assert code == 422
    assert list(response["errors"]) == [field]


@pytest.mark.parametrize("path", ["toggle", "set-lang"])
async def test_foreign_and_unknown_conversations_get_the_same_error(
    harness: TranslateHarness, conversation: ConversationFixture, path: str
) -> None:
    stranger = ConversationFixture().operator()
    more = {"enabled": True, "lang": "de"}

    foreign = await harness.call(path, stranger, {"conversation_id": conversation.id, **more})
    absent = await harness.call(path, stranger, {"conversation_id": fresh_id(), **more})

    assert foreign[0] == absent[0] == 404
    for _, response in (foreign, absent):
        response.pop("request_id")
    assert foreign == absent
    async with harness.database() as database:
        assert await database["preferences"].find_one({"_id": conversation.id}) is None


@pytest.mark.parametrize("path", ["toggle", "set-lang"])
async def test_own_conversation_without_the_site_or_the_permission_is_forbidden(
    harness: TranslateHarness, conversation: ConversationFixture, path: str
) -> None:
    body = {"conversation_id": conversation.id, "enabled": True, "lang": "de"}
    elsewhere = ConversationFixture(tenant_id=conversation.tenant_id).operator()
    reader = conversation.operator(frozenset({Permission.VIEW, Permission.MANAGE}))

    assert (await harness.call(path, elsewhere, body))[0] == 403
    assert (await harness.call(path, reader, body))[0] == 403
    # Again, now that the conversation is in the read model.
    assert (await harness.call(path, elsewhere, body))[0] == 403


async def test_conversation_known_by_its_event_is_not_requested_from_chat(harness: TranslateHarness) -> None:
    conversation = ConversationFixture()
    await harness.publish(conversation.created())

    async def is_stored() -> bool:
        async with harness.database() as database:
            return await database["conversations"].find_one({"_id": conversation.id}) is not None

    await wait_until(is_stored)
    assert (await harness.toggle(conversation.operator(), conversation))[0] == 200
    assert conversation.id not in harness.conversation_lookups


async def test_unchanged_settings_publish_no_event(
    harness: TranslateHarness, conversation: ConversationFixture
) -> None:
    alex = conversation.operator()
    first = await harness.toggle(alex, conversation)
    second = await harness.toggle(alex, conversation)
    await harness.toggle(alex, conversation, enabled=False)

    assert first == second
    await wait_until(lambda: len(harness.list_events(conversation, "translation.updated")) >= 2)
    updates = harness.list_events(conversation, "translation.updated")
    assert [event.data["enabled"] for event in updates] == [True, False]


async def test_concurrent_changes_get_consecutive_versions(
    harness: TranslateHarness, conversation: ConversationFixture
) -> None:
    alex = conversation.operator()

    responses = await asyncio.gather(*(harness.set_lang(alex, conversation, lang) for lang in ("de", "fr", "es", "ja")))

    assert {code for code, _ in responses} == {200}
    await wait_until(lambda: len(harness.list_events(conversation, "translation.updated")) == 4)
    events = harness.list_events(conversation, "translation.updated")
    latest = max(events, key=lambda event: event.data["version"])
    assert sorted(event.data["version"] for event in events) == [1, 2, 3, 4]
    _, now = await harness.toggle(alex, conversation)
    assert now["translation"]["lang"] == latest.data["lang"]


async def test_idempotency_key_returns_the_first_response(
    harness: TranslateHarness, conversation: ConversationFixture
) -> None:
    alex = conversation.operator()
    body = {"conversation_id": conversation.id, "enabled": True}

    first = await harness.call("toggle", alex, body, key="0f4b-1")
    await harness.toggle(alex, conversation, enabled=False)
    repeated = await harness.call("toggle", alex, body, key="0f4b-1")
    other = await harness.call("toggle", alex, {**body, "enabled": False}, key="0f4b-1")

    assert first == repeated
    assert other[0] == 422
    async with harness.database() as database:
        stored = await database["preferences"].find_one({"_id": conversation.id})
        assert stored is not None
        assert stored["enabled"] is False
