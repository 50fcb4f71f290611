"""What the database has not confirmed counts as unavailable, never as done and never as an error of the code."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pymongo import InsertOne, UpdateOne, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from parley.common.mongodb import TRANSIENT_ERRORS, Document
from parley.common.mongodb.client import create_client, majority_database

UNCONFIRMED = WriteConcern(50, wtimeout=100)
"""More members than any test's database has: the write is made, and not confirmed."""


@pytest.fixture
async def collection(mongodb_uri: str) -> AsyncIterator[AsyncCollection[Document]]:
    name = f"durable_{secrets.token_hex(4)}"
    client = create_client(mongodb_uri, name)
    yield majority_database(client, name)["things"]
    await client.drop_database(name)
    await client.close()


Write = Callable[[AsyncCollection[Document]], Awaitable[object]]


@pytest.mark.parametrize(
    "write",
    [
        lambda things: things.insert_one({"_id": 2}),
        lambda things: things.insert_many([{"_id": 1}, {"_id": 2}], ordered=False),
        lambda things: things.bulk_write([UpdateOne({"_id": 1}, {"$set": {"a": 1}})]),
        lambda things: things.bulk_write([InsertOne({"_id": 1}), InsertOne({"_id": 2})], ordered=False),
    ],
    ids=["one", "many with a duplicate", "bulk", "bulk with a duplicate"],
)
async def test_a_write_that_is_not_confirmed_is_transient(collection: AsyncCollection[Document], write: Write) -> None:
    """T3: also a bulk write, and also if it would have failed for another reason besides."""
    await collection.insert_one({"_id": 1})
    with pytest.raises(TRANSIENT_ERRORS):
        await write(type(collection)(collection.database, collection.name, write_concern=UNCONFIRMED))


async def test_what_was_refused_by_a_confirmed_bulk_write_is_named(collection: AsyncCollection[Document]) -> None:
    await collection.insert_one({"_id": 1})
    with pytest.raises(BulkWriteError) as failed:
        await collection.insert_many([{"_id": 1}, {"_id": 2}], ordered=False)
    assert [error["index"] for error in failed.value.details["writeErrors"]] == [0]
    assert await collection.count_documents({}) == 2


async def test_a_list_whose_cursor_is_gone_is_transient(collection: AsyncCollection[Document]) -> None:
    """T4: the server was restarted, or another primary elected, between two parts of a list."""
    await collection.insert_many([{"_id": number} for number in range(4)])
    cursor = collection.find({}, batch_size=2)
    assert (await anext(cursor))["_id"] == 0
    await collection.database.command("killCursors", collection.name, cursors=[cursor.cursor_id])
    with pytest.raises(TRANSIENT_ERRORS):
        await cursor.to_list()
