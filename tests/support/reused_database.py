"""Databases that tests use one after the other: to empty one takes a tenth of the time that its indexes take."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from parley.common.mongodb import DatabaseSchema, Mongo

_SCHEMA = "schema"
"""The collection with the versions of the migrations that are done."""
_READY_TIMEOUT_SECONDS = 30


class DatabasePool:
    """Connected databases of a service, each for one user at a time."""

    def __init__(self, uri: str, service: str, schema: DatabaseSchema) -> None:
        self._uri = uri
        self._service = service
        self._schema = schema
        self._unused: list[Mongo] = []

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Mongo]:
        """Provide a database without documents, which has its indexes. Its user stops neither it nor its client."""
        mongo = self._unused.pop() if self._unused else await self._create()
        try:
            yield mongo
        finally:
            await remove_documents(mongo.database)
            self._unused.append(mongo)

    async def close(self) -> None:
        """Drop the databases."""
        for mongo in self._unused:
            await mongo.client.drop_database(mongo.database.name)
            await mongo.stop()

    async def _create(self) -> Mongo:
        mongo = Mongo(self._uri, f"t{secrets.token_hex(4)}_{self._service}", self._schema)
        await mongo.start()
        await asyncio.wait_for(mongo.schema_ready.wait(), _READY_TIMEOUT_SECONDS)
        return mongo


async def remove_documents(database: AsyncDatabase[dict[str, Any]]) -> None:
    """Remove what a test has stored. Indexes stay, and the record of the migrations."""
    names = await database.list_collection_names(filter={"name": {"$ne": _SCHEMA}})
    for collection in await _with_documents(database, names):
        await database[collection].delete_many({})


async def _with_documents(database: AsyncDatabase[dict[str, Any]], names: list[str]) -> list[str]:
    """Return those that have documents: most tests use few of sixty collections, and one query asks all of them."""
    if not names:
        return []
    queries: list[list[dict[str, Any]]] = [[{"$limit": 1}, {"$project": {"_id": {"$literal": name}}}] for name in names]
    unions = [
        {"$unionWith": {"coll": name, "pipeline": query}} for name, query in zip(names[1:], queries[1:], strict=True)
    ]
    found = await database[names[0]].aggregate([*queries[0], *unions])
    return [document["_id"] async for document in found]
