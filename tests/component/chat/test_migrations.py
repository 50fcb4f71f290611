"""Chat's migrations bring old documents up to date, also while new code writes to them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError

from parley.chat.accounts.login_throttling import account_key
from parley.chat.conversations import transitions
from parley.chat.conversations.mappers import conversation_document, to_conversation
from parley.chat.conversations.model import Change, Conversation
from parley.chat.conversations.repository import MongoConversationRepository
from parley.chat.mongo_schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.chat.visitors.model import Visitor
from parley.common.events.schemas import OperatorRef
from parley.common.mongodb import Document, Mongo, Outbox
from support.migration_job import create_migrator

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
TIMEOUT = timedelta(minutes=5)
ALEX, SAM, KIM = (OperatorRef(id=number, name=name) for number, name in ((4, "Alex"), (5, "Sam"), (6, "Kim")))
TENANT = 1
CONVERSATIONS = 2_000


class UnavailableBroker:
    async def publish(self, documents: Sequence[dict[str, Any]]) -> None:
        raise ConnectionError


@pytest.fixture
def mongo(chat_database: Mongo) -> Mongo:
    return chat_database


def conversation(number: int) -> Conversation:
    return transitions.open_conversation(Visitor(TENANT, 2, f"sess_{number}"), number, None, "ai", NOW).conversation


def accepted(before: Conversation, by: OperatorRef) -> Conversation:
    return transitions.accept(before, by, NOW, TIMEOUT).conversation


def transferred(before: Conversation, to: OperatorRef, by: OperatorRef) -> Conversation:
    return transitions.transfer(before, to, by, NOW, TIMEOUT, overrule=True).conversation


def with_every_kind_of_history() -> list[Conversation]:
    assigned = accepted(conversation(2), ALEX)
    passed_to_sam = transferred(replace(assigned, id=3), SAM, ALEX)
    released = transitions.release(replace(passed_to_sam, id=4), SAM, NOW, overrule=False).conversation
    closed = transitions.close(replace(released, id=5), KIM, NOW, overrule=True).conversation
    without_history = replace(passed_to_sam, id=6, history=())
    return [conversation(1), assigned, passed_to_sam, released, closed, without_history]


async def test_old_conversations_get_the_operators_who_had_them(mongo: Mongo) -> None:
    expected: dict[Any, list[int]] = {}
    for one in with_every_kind_of_history():
        document: Document = {"_id": one.id, **conversation_document(one), "outbox": [], "visitor_key": f"2:{one.id}"}
        expected[one.id] = document.pop("handled_by")
        await mongo["conversations"].insert_one(document)
        # As an older version leaves it after a newer one has set the field.
        stale = {**document, "_id": one.id + 100, "visitor_key": f"2:{one.id + 100}", "handled_by": [99]}
        expected[one.id + 100] = expected[one.id]
        await mongo["conversations"].insert_one(stale)
    assert [ALEX.id, SAM.id] in expected.values()
    versions = {row["_id"]: row["version"] async for row in mongo["conversations"].find()}
    await mongo["schema"].delete_many({})
    assert await create_migrator(mongo.database, SCHEMA).run() == []
    rows = [row async for row in mongo["conversations"].find()]
    assert {row["_id"]: sorted(row["handled_by"]) for row in rows} == expected
    assert {row["_id"]: row["version"] for row in rows} == versions, "no concurrent writer gets a conflict"


async def test_an_operator_who_gets_a_conversation_during_the_migration_is_included(mongo: Mongo) -> None:
    repository = MongoConversationRepository(mongo, Outbox(mongo, UnavailableBroker(), OUTBOX_COLLECTIONS))
    documents = []
    for number in range(1, CONVERSATIONS + 1):
        document = {"_id": number, **conversation_document(accepted(conversation(number), ALEX)), "outbox": []}
        del document["handled_by"]
        documents.append(document)
    await mongo["conversations"].insert_many(documents)
    await mongo["schema"].delete_many({})
    migration = asyncio.create_task(create_migrator(mongo.database, SCHEMA).run())
    people = [ALEX, SAM, KIM]
    changed = 0
    while not migration.done():
        # Against the migration's direction, and again over what it has done already.
        number = CONVERSATIONS - changed * 7 % CONVERSATIONS
        to = people[changed % 3]

        def transfer(before: Conversation, to: OperatorRef = to) -> Change:
            return transitions.transfer(before, to, KIM, NOW, TIMEOUT, overrule=True)

        assert await repository.change(TENANT, number, transfer) is not None
        changed += 1
    await migration
    assert changed > 20
    async for row in mongo["conversations"].find():
        expected = conversation_document(to_conversation(row))["handled_by"]
        assert sorted(row["handled_by"]) == expected, row["_id"]


async def test_old_conversations_get_the_words_that_a_search_finds_them_by(mongo: Mongo) -> None:
    named = replace(conversation(1), visitor=replace(conversation(1).visitor, name="Jürgen Müller", phone="+49 170 1"))
    document: Document = {"_id": 1, **conversation_document(named), "outbox": []}
    expected = document["words"]
    await mongo["conversations"].insert_one({**document, "words": ["jürgen", "müller"]})
    await mongo["schema"].delete_many({})
    assert await create_migrator(mongo.database, SCHEMA).run() == []
    row = await mongo["conversations"].find_one({"_id": 1})
    assert row is not None
    assert row["words"] == expected
    assert {"muller", "uller"} <= set(row["words"])
    assert row["version"] == document["version"], "no concurrent writer gets a conflict"


async def test_images_of_old_messages_get_the_name_by_which_an_erasure_finds_them(mongo: Mongo) -> None:
    name = f"{'0a' * 16}.png"
    message = {"tenant_id": 1, "site_id": 1, "conversation_id": 1, "role": "visitor", "content": "", "created_at": NOW}
    await mongo["messages"].insert_many(
        [
            {"_id": 1, **message, "seq": 1, "image_url": f"https://earlier.example.com/uploads/{name}"},
            {"_id": 2, **message, "seq": 2, "image_url": None},
        ]
    )
    await mongo["canned_replies"].insert_one({"_id": 3, "tenant_id": 1, "image_url": f"https://cdn.example.com/{name}"})
    await mongo["schema"].delete_many({})
    assert await create_migrator(mongo.database, SCHEMA).run() == []
    names = [row.get("image_name") async for row in mongo["messages"].find().sort("_id", 1)]
    reply = await mongo["canned_replies"].find_one({"_id": 3})
    assert reply is not None
    assert [*names, reply["image_name"]] == [name, None, name]


async def test_devices_stay_known_and_tenants_share_addresses_after_the_update(mongo: Mongo) -> None:
    operators, origins = mongo["operators"], mongo["login_origins"]
    # As code of version 4 leaves the database.
    await operators.create_index(
        "email", name="email", unique=True, partialFilterExpression={"email": {"$exists": True}}
    )
    operator = {"tenant_id": 1, "email": "ina@shop.test", "outbox": []}
    await operators.insert_one({"_id": 7, **operator})
    old = account_key("ina@shop.test")
    expires_at = datetime(2099, 1, 1, tzinfo=UTC)
    await origins.insert_one({"_id": f"{old}:device:abc", "account": old, "expires_at": expires_at})
    await mongo["schema"].delete_many({})
    assert await create_migrator(mongo.database, SCHEMA).run() == []

    throttled_by = account_key("operator:7")
    copied = await origins.find_one({"_id": f"{throttled_by}:device:abc"})
    assert copied == {"_id": f"{throttled_by}:device:abc", "account": throttled_by, "expires_at": expires_at}
    assert await origins.count_documents({"account": old}) == 1, "code of the version before still finds it"
    await operators.insert_one({"_id": 8, **operator, "tenant_id": 2})
    with pytest.raises(DuplicateKeyError):
        await operators.insert_one({"_id": 9, **operator})


async def test_the_text_index_of_entries_goes_when_no_older_code_is_there(mongo: Mongo) -> None:
    keys: list[tuple[str, int | str]] = [("site_id", 1), ("question", "text"), ("answer", "text")]
    await mongo["knowledge"].create_index(keys, name="words", default_language="none")
    await mongo["schema"].delete_many({})
    assert await create_migrator(mongo.database, SCHEMA).run() == []
    assert set(await mongo["knowledge"].index_information()) == {"_id_", "site"}
