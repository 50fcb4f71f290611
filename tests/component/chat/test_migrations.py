"""Chat's migrations give old documents what new code writes, also while it writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parley.chat.conversations import transitions
from parley.chat.conversations.mappers import conversation_document, conversation_of
from parley.chat.conversations.model import Change, Conversation, Visitor
from parley.chat.conversations.repository import MongoConversations
from parley.chat.mongo_schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.common.events.schemas import Person
from parley.common.mongodb import Document, Mongo, Outbox
from support.migration_job import upgrade_of

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
TIMEOUT = timedelta(minutes=5)
ALEX, SAM, KIM = (Person(id=number, name=name) for number, name in ((4, "Alex"), (5, "Sam"), (6, "Kim")))
TENANT = 1
MANY = 2_000


class Silence:
    """A broker that is away."""

    async def publish(self, documents: Sequence[dict[str, Any]]) -> None:
        raise ConnectionError


@pytest.fixture
async def mongo(mongodb_uri: str, database_prefix: str) -> AsyncIterator[Mongo]:
    mongo = Mongo(mongodb_uri, f"{database_prefix}_chat", SCHEMA)
    await mongo.prepare()
    yield mongo
    await mongo.client.drop_database(f"{database_prefix}_chat")
    await mongo.stop()


def conversation(number: int) -> Conversation:
    return transitions.open_by_visitor(Visitor(TENANT, 2, f"sess_{number}"), number, None, "ai", NOW).conversation


def accepted(before: Conversation, by: Person) -> Conversation:
    return transitions.accept(before, by, NOW, TIMEOUT).conversation


def transferred(before: Conversation, to: Person, by: Person) -> Conversation:
    return transitions.transfer(before, to, by, NOW, TIMEOUT, overrule=True).conversation


def of_every_kind() -> list[Conversation]:
    held = accepted(conversation(2), ALEX)
    passed_on = transferred(replace(held, id=3), SAM, ALEX)
    given_back = transitions.release(replace(passed_on, id=4), SAM, NOW, overrule=False).conversation
    closed = transitions.close(replace(given_back, id=5), KIM, NOW, overrule=True).conversation
    forgotten = replace(passed_on, id=6, history=())
    return [conversation(1), held, passed_on, given_back, closed, forgotten]


async def test_conversations_of_before_are_given_who_handled_them(mongo: Mongo) -> None:
    wanted: dict[Any, list[int]] = {}
    for one in of_every_kind():
        document: Document = {"_id": one.id, **conversation_document(one), "outbox": [], "visitor_key": f"2:{one.id}"}
        wanted[one.id] = document.pop("handled_by")
        await mongo["conversations"].insert_one(document)
        # As left by the version before, after the field was there once.
        stale = {**document, "_id": one.id + 100, "visitor_key": f"2:{one.id + 100}", "handled_by": [99]}
        wanted[one.id + 100] = wanted[one.id]
        await mongo["conversations"].insert_one(stale)
    assert [ALEX.id, SAM.id] in wanted.values()
    versions = {row["_id"]: row["version"] async for row in mongo["conversations"].find()}
    await mongo["schema"].delete_many({})
    assert await upgrade_of(mongo.database, SCHEMA).run() == []
    found = [row async for row in mongo["conversations"].find()]
    assert {row["_id"]: sorted(row["handled_by"]) for row in found} == wanted
    assert {row["_id"]: row["version"] for row in found} == versions, "no writer has to try again for it"


async def test_who_takes_over_meanwhile_is_among_them(mongo: Mongo) -> None:
    store = MongoConversations(mongo, Outbox(mongo, Silence(), OUTBOX_COLLECTIONS))
    documents = []
    for number in range(1, MANY + 1):
        document = {"_id": number, **conversation_document(accepted(conversation(number), ALEX)), "outbox": []}
        del document["handled_by"]
        documents.append(document)
    await mongo["conversations"].insert_many(documents)
    await mongo["schema"].delete_many({})
    upgrading = asyncio.create_task(upgrade_of(mongo.database, SCHEMA).run())
    people = [ALEX, SAM, KIM]
    changed = 0
    while not upgrading.done():
        # Backwards, against the migration's direction, and back again over what it has done.
        number = MANY - changed * 7 % MANY
        to = people[changed % 3]

        def passes(before: Conversation, to: Person = to) -> Change:
            return transitions.transfer(before, to, KIM, NOW, TIMEOUT, overrule=True)

        assert await store.change(TENANT, number, passes) is not None
        changed += 1
    await upgrading
    assert changed > 20
    async for row in mongo["conversations"].find():
        wanted = conversation_document(conversation_of(row))["handled_by"]
        assert sorted(row["handled_by"]) == wanted, row["_id"]
