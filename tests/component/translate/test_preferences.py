"""Switching translation and naming languages: who may, what is refused, and what is told."""

from __future__ import annotations

import asyncio

import pytest

from parley.common.auth.identity import Permission
from support.wait import until

from .conftest import House, Talk, fresh_id


async def test_toggle_switches_a_conversation_and_tells_it(house: House, talk: Talk) -> None:
    alex = talk.operator(language="pt-BR")

    answer = await house.toggle(alex, talk)

    assert answer == (
        200,
        {
            "success": True,
            "translation": {
                "conversation_id": talk.id,
                "enabled": True,
                "lang": None,
                "operator_lang": "pt-BR",
                "detected": False,
                "supported": True,
            },
        },
    )
    [event] = await until(lambda: house.of(talk, "translation.updated"))
    assert (event.tenant_id, event.site_id, event.session) == (talk.tenant_id, talk.site_id, talk.session)
    assert (event.actor.kind, event.actor.id) == ("operator", alex.operator_id)
    assert event.data["enabled"] is True
    assert event.data["version"] == 1


async def test_set_lang_keeps_the_language_in_its_standard_form(house: House, talk: Talk) -> None:
    _, answer = await house.set_lang(talk.operator(), talk, "ZH-hant-tw", operator_lang="pt-br")

    assert answer["translation"]["lang"] == "zh-Hant-TW"
    assert answer["translation"]["operator_lang"] == "pt-BR"
    assert answer["translation"]["enabled"] is False
    [event] = await until(lambda: house.of(talk, "translation.updated"))
    assert event.data["lang"] == "zh-Hant-TW"


async def test_a_language_that_no_engine_can_do_is_kept_and_said_so(house: House, talk: Talk) -> None:
    code, answer = await house.set_lang(talk.operator(), talk, "tlh")

    assert code == 200
    assert answer["translation"]["lang"] == "tlh"
    assert answer["translation"]["supported"] is False
    _, answer = await house.toggle(talk.operator(), talk)
    assert (answer["translation"]["lang"], answer["translation"]["supported"]) == ("tlh", False)


@pytest.mark.parametrize(
    "lang", ["english", "xx", "und", "mul", "qaa", "x-private", "", "d", "de-" + "a" * 80, "de;DROP"]
)
async def test_what_is_no_language_is_refused_by_name(house: House, talk: Talk, lang: str) -> None:
    code, answer = await house.set_lang(talk.operator(), talk, lang)
    assert code == 422
    assert "lang" in answer["errors"]

    code, answer = await house.set_lang(talk.operator(), talk, "de", operator_lang=lang)
    assert code == 422
    assert "operator_lang" in answer["errors"]
    assert not house.of(talk, "translation.updated")


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
async def test_wrong_types_are_refused_by_name(house: House, talk: Talk, path: str, body: object, field: str) -> None:
    code, answer = await house.call(path, talk.operator(), body)
    assert code == 422
    assert list(answer["errors"]) == [field]


@pytest.mark.parametrize("path", ["toggle", "set-lang"])
async def test_another_tenants_conversation_is_as_absent_as_none(house: House, talk: Talk, path: str) -> None:
    stranger = Talk().operator()
    more = {"enabled": True, "lang": "de"}

    foreign = await house.call(path, stranger, {"conversation_id": talk.id, **more})
    absent = await house.call(path, stranger, {"conversation_id": fresh_id(), **more})

    assert foreign[0] == absent[0] == 404
    for _, answer in (foreign, absent):
        answer.pop("request_id")
    assert foreign == absent
    async with house.database() as database:
        assert await database["preferences"].find_one({"_id": talk.id}) is None


@pytest.mark.parametrize("path", ["toggle", "set-lang"])
async def test_an_own_conversation_without_the_site_or_the_permission_is_forbidden(
    house: House, talk: Talk, path: str
) -> None:
    body = {"conversation_id": talk.id, "enabled": True, "lang": "de"}
    elsewhere = Talk(tenant_id=talk.tenant_id).operator()
    reader = talk.operator(frozenset({Permission.VIEW, Permission.MANAGE}))

    assert (await house.call(path, elsewhere, body))[0] == 403
    assert (await house.call(path, reader, body))[0] == 403
    # And again, now that the conversation is in the read model.
    assert (await house.call(path, elsewhere, body))[0] == 403


async def test_a_conversation_told_of_by_its_event_is_not_asked_for(house: House) -> None:
    talk = Talk()
    await house.publish(talk.created())

    async def known() -> bool:
        async with house.database() as database:
            return await database["conversations"].find_one({"_id": talk.id}) is not None

    await until(known)
    assert (await house.toggle(talk.operator(), talk))[0] == 200
    assert talk.id not in house.asked


async def test_the_same_again_changes_and_tells_nothing(house: House, talk: Talk) -> None:
    alex = talk.operator()
    first = await house.toggle(alex, talk)
    second = await house.toggle(alex, talk)
    await house.toggle(alex, talk, enabled=False)

    assert first == second
    await until(lambda: len(house.of(talk, "translation.updated")) >= 2)
    assert [event.data["enabled"] for event in house.of(talk, "translation.updated")] == [True, False]


async def test_changes_at_the_same_time_are_told_one_after_the_other(house: House, talk: Talk) -> None:
    alex = talk.operator()

    answers = await asyncio.gather(*(house.set_lang(alex, talk, lang) for lang in ("de", "fr", "es", "ja")))

    assert {code for code, _ in answers} == {200}
    await until(lambda: len(house.of(talk, "translation.updated")) == 4)
    events = house.of(talk, "translation.updated")
    latest = max(events, key=lambda event: event.data["version"])
    assert sorted(event.data["version"] for event in events) == [1, 2, 3, 4]
    _, now = await house.toggle(alex, talk)
    assert now["translation"]["lang"] == latest.data["lang"]


async def test_one_idempotency_key_has_one_answer(house: House, talk: Talk) -> None:
    alex = talk.operator()
    body = {"conversation_id": talk.id, "enabled": True}

    first = await house.call("toggle", alex, body, key="0f4b-1")
    await house.toggle(alex, talk, enabled=False)
    again = await house.call("toggle", alex, body, key="0f4b-1")
    other = await house.call("toggle", alex, {**body, "enabled": False}, key="0f4b-1")

    assert first == again
    assert other[0] == 422
    async with house.database() as database:
        stored = await database["preferences"].find_one({"_id": talk.id})
        assert stored is not None
        assert stored["enabled"] is False
