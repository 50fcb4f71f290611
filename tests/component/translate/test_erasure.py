"""Erasure of a visitor: their translations are deleted, and late messages do not create new ones."""

from __future__ import annotations

import secrets
from typing import Any

from parley.common.events import Event, new_event
from parley.common.events.conversations import VisitorErased
from support.google_translate import FakeGoogleTranslate
from support.wait import wait_until

from .conftest import ConversationFixture, TranslateHarness


def erasure_event(conversation: ConversationFixture) -> Event:
    data = VisitorErased(session_id=conversation.session, conversation_ids=(conversation.id,))
    return new_event(data, tenant_id=conversation.tenant_id, site_id=conversation.site_id, session=conversation.session)


async def get_personal_data(harness: TranslateHarness, conversation: ConversationFixture) -> dict[str, Any] | None:
    return await harness.translate_rpc(
        "visitor_data", site_id=conversation.site_id, session=conversation.session, conversation_ids=[conversation.id]
    )


async def test_visitors_translations_are_exported_and_erased(
    harness: TranslateHarness, google: FakeGoogleTranslate
) -> None:
    words = f"Ein Wort wie {secrets.token_hex(8).translate(str.maketrans('0123456789', 'ghijklmnop'))}"
    conversation = await harness.create_translated_conversation("de", "en")
    other = await harness.create_translated_conversation("de", "en")
    message, other_message = conversation.message(words), other.message("Etwas ganz anderes, von jemand anderem")
    await harness.publish(conversation.created(), message, other_message)
    await harness.wait_for_translation(message)
    await harness.wait_for_translation(other_message)
    data = await get_personal_data(harness, conversation)
    assert data is not None
    assert data["translations"] == [f"‹en› {words}"]
    assert data["preferences"][0]["lang"] == "de"

    await harness.publish(erasure_event(conversation))

    async def is_erased() -> bool:
        return await get_personal_data(harness, conversation) is None

    await wait_until(is_erased)
    async with harness.database() as database:

        async def is_without_traces() -> bool:
            # The export looks at other collections than those that are cleared last.
            for collection in await database.list_collection_names():
                async for document in database[collection].find({}):
                    if words in repr(document) or conversation.session in repr(document):
                        return False
            return True

        await wait_until(is_without_traces)
    assert await get_personal_data(harness, other) is not None, "data of other visitors is kept"
    again = other.message(words)
    before = len(google.texts)
    await harness.publish(again)
    assert (await harness.wait_for_translation(again))["status"] == "done"
    assert len(google.texts) > before, "the memory of the process is cleared as well"


async def test_late_message_of_an_erased_visitor_is_not_translated(
    harness: TranslateHarness, google: FakeGoogleTranslate
) -> None:
    conversation = await harness.create_translated_conversation("de", "en")
    await harness.publish(erasure_event(conversation), erasure_event(conversation))

    async def is_erased() -> bool:
        return await get_personal_data(harness, conversation) is None

    await wait_until(is_erased)
    late = conversation.message("Das kam zu spät")
    marker = (await harness.create_translated_conversation("de", "en")).message("Ein Zeichen")
    await harness.publish(late, marker)
    await harness.wait_for_translation(marker)
    assert not any("zu spät" in text for text in google.texts)
    assert not harness.list_events(conversation, "message.translated")
