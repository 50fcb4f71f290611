"""The connection to MongoDB: majority writes, journalled, every call with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo import AsyncMongoClient, IndexModel, ReadPreference, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    PyMongoError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern

from parley.common.telemetry import logger

log = logger(__name__)

Document = dict[str, Any]

OUTAGES: tuple[type[Exception], ...] = (ConnectionFailure, ExecutionTimeout, NetworkTimeout, WTimeoutError)
"""What pymongo raises while the database is away or changes its primary: 503 at the door, tried again in sweeps."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index that a collection must have before its service is ready."""

    collection: str
    keys: Sequence[tuple[str, int | str]]
    options: Mapping[str, Any] = field(default_factory=dict)


class Mongo:
    """A service's database. Ready once its indexes stand and for as long as the primary answers."""

    name = "mongodb"

    def __init__(self, uri: str, database: str, indexes: Sequence[Index] = ()) -> None:
        self._uri = uri
        self._database = database
        self._indexes = indexes
        self._client: AsyncMongoClient[Document] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._fault: str | None = "not connected yet"
        self.prepared = asyncio.Event()
        """Set once the indexes stand: sweeps and consumers wait for it."""

    @property
    def client(self) -> AsyncMongoClient[Document]:
        if self._client is None:
            # waitQueueTimeoutMS and timeoutMS bound every call: a caller hears 503, never nothing.
            self._client = AsyncMongoClient(
                self._uri,
                serverSelectionTimeoutMS=1500,
                connectTimeoutMS=2000,
                socketTimeoutMS=10_000,
                waitQueueTimeoutMS=2000,
                maxPoolSize=64,
                tz_aware=True,
                retryWrites=True,
                retryReads=True,
                appname=f"parley-{self._database}",
            )
        return self._client

    @property
    def database(self) -> AsyncDatabase[Document]:
        return self.client.get_database(
            self._database,
            write_concern=WriteConcern("majority", j=True, wtimeout=5000),
            read_concern=ReadConcern("local"),
            read_preference=ReadPreference.PRIMARY,
        )

    def __getitem__(self, collection: str) -> AsyncCollection[Document]:
        return self.database[collection]

    async def start(self) -> None:
        self._watch = asyncio.create_task(self._keep_watch(), name="mongodb-watch")

    async def _keep_watch(self) -> None:
        while True:
            try:
                if not self.prepared.is_set():
                    await self.prepare()
                    self.prepared.set()
                await self.client.admin.command("hello")
                if self._fault is not None:
                    log.info("mongodb_available")
                self._fault = None
            except PyMongoError as problem:
                if self._fault is None or self._fault == "not connected yet":
                    log.warning("mongodb_unavailable", problem=repr(problem)[:300])
                self._fault = "does not answer"
            await asyncio.sleep(1.0 if self._fault is None else 0.25)

    async def prepare(self) -> None:
        """Make the indexes that are missing."""
        by_collection: dict[str, list[IndexModel]] = {}
        for index in self._indexes:
            by_collection.setdefault(index.collection, []).append(IndexModel(list(index.keys), **index.options))
        for collection, models in by_collection.items():
            await self.database[collection].create_indexes(models)

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    def fault(self) -> str | None:
        return self._fault
