"""A visitor who is to be forgotten: what translate keeps of their words goes, and nothing late brings it back."""

from __future__ import annotations

import secrets
from typing import Any

from parley.common.events import Event, new_event
from parley.common.events.conversations import VisitorErased
from support.google_translate import GoogleTranslate
from support.wait import until

from .conftest import House, Talk


def erased(talk: Talk) -> Event:
    data = VisitorErased(session_id=talk.session, conversation_ids=(talk.id,))
    return new_event(data, tenant_id=talk.tenant_id, site_id=talk.site_id, session=talk.session)


async def data_of(house: House, talk: Talk) -> dict[str, Any] | None:
    return await house.ask("visitor_data", site_id=talk.site_id, session=talk.session, conversation_ids=[talk.id])


async def test_what_was_translated_for_a_visitor_is_shown_and_then_erased(
    house: House, google: GoogleTranslate
) -> None:
    words = f"Ein Wort wie {secrets.token_hex(8).translate(str.maketrans('0123456789', 'ghijklmnop'))}"
    talk = await house.translated("de", "en")
    other = await house.translated("de", "en")
    message, beside = talk.message(words), other.message("Etwas ganz anderes, von jemand anderem")
    await house.publish(talk.created(), message, beside)
    await house.translation_of(message)
    await house.translation_of(beside)
    kept = await data_of(house, talk)
    assert kept is not None
    assert kept["translations"] == [f"‹en› {words}"]
    assert kept["preferences"][0]["lang"] == "de"

    await house.publish(erased(talk))

    async def gone() -> bool:
        return await data_of(house, talk) is None

    await until(gone)
    async with house.database() as database:
        for collection in await database.list_collection_names():
            async for document in database[collection].find({}):
                assert words not in repr(document), collection
                assert talk.session not in repr(document), collection
    assert await data_of(house, other) is not None, "and nobody else's"
    again = other.message(words)
    before = len(google.texts)
    await house.publish(again)
    assert (await house.translation_of(again))["status"] == "done"
    assert len(google.texts) > before, "nothing of it is remembered in the process either"


async def test_a_message_that_comes_after_its_visitor_was_erased_is_not_translated(
    house: House, google: GoogleTranslate
) -> None:
    talk = await house.translated("de", "en")
    await house.publish(erased(talk), erased(talk))

    async def gone() -> bool:
        return await data_of(house, talk) is None

    await until(gone)
    late, marker = talk.message("Das kam zu spät"), (await house.translated("de", "en")).message("Ein Zeichen")
    await house.publish(late, marker)
    await house.translation_of(marker)
    assert not any("zu spät" in text for text in google.texts)
    assert not house.of(talk, "message.translated")
