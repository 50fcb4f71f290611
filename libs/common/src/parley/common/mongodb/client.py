"""The connection to MongoDB: majority writes, journalled, each call with a deadline, none before the schema stands."""

from __future__ import annotations

import asyncio
import signal
import time

from pymongo import AsyncMongoClient, ReadPreference, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from pymongo.monitoring import CommandListener
from pymongo.read_concern import ReadConcern

from parley.common.mongodb.errors import SchemaError, SchemaNotReady
from parley.common.mongodb.schema import Document, Schema
from parley.common.mongodb.schema_gate import Mode, SchemaGate
from parley.common.observability import tracing
from parley.common.observability.logging import get_logger
from parley.common.runtime.tasks import cancel_and_wait

log = get_logger(__name__)

_HERE_SECONDS = 10.0
"""Between two times that a process says it is at work; well below what counts as its absence."""
_REFUSED_SECONDS = 5.0


class Mongo:
    """A service's database. Ready once its schema is what this code needs, and for as long as the primary answers.

    Until then no collection can be had: nothing reads or writes a database that is not, or no longer, this code's.
    """

    name = "mongodb"

    def __init__(self, uri: str, database: str, schema: Schema, mode: Mode = "migrate") -> None:
        self._uri = uri
        self._database = database
        self._schema = schema
        self._mode = mode
        self._client: AsyncMongoClient[Document] | None = None
        self._patient: AsyncMongoClient[Document] | None = None
        self._collections: dict[str, AsyncCollection[Document]] = {}
        self._keeper: SchemaGate | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._fault: str | None = "not connected yet"
        self._here = 0.0
        self.schema_ready = asyncio.Event()
        """Set once the schema stands: sweeps and consumers wait for it."""

    @property
    def client(self) -> AsyncMongoClient[Document]:
        if self._client is None:
            self._client = create_client(self._uri, self._database)
        return self._client

    @property
    def database(self) -> AsyncDatabase[Document]:
        return majority_database(self.client, self._database)

    def __getitem__(self, collection: str) -> AsyncCollection[Document]:
        """A collection. Raises SchemaNotReady until `prepared`."""
        if not self.schema_ready.is_set():
            raise SchemaNotReady(self.unready_reason() or "the schema is being looked at")
        found = self._collections.get(collection)
        if found is None:
            found = self._collections[collection] = self.database[collection]
        return found

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._keep_watch(), name="mongodb-watch"),
            asyncio.create_task(self._finish(), name="schema-finish"),
        ]

    async def _keep_watch(self) -> None:
        while True:
            pause = 0.25
            try:
                if not self.schema_ready.is_set():
                    await self.ensure_schema_ready()
                else:
                    await self._remain()
                await self.client.admin.command("hello")
                if self._fault is not None:
                    log.info("mongodb_available")
                self._fault = None
                pause = 1.0
            except SchemaNotReady as exc:
                if self._fault != str(exc):
                    log.warning("schema_not_ready", error=str(exc))
                self._fault = str(exc)
                pause = _REFUSED_SECONDS if isinstance(exc, SchemaError) else 1.0
            except PyMongoError as exc:
                if self._fault is None or self._fault == "not connected yet":
                    log.warning("mongodb_unavailable", error=repr(exc)[:300])
                self._fault = "does not answer"
            await asyncio.sleep(pause)

    @property
    def _schema_keeper(self) -> SchemaGate:
        if self._keeper is None:
            # An index may take hours to build. What ends such a call when the server is gone is the lock's renewal.
            self._patient = create_client(self._uri, self._database, socket_timeout_seconds=None)
            patient = majority_database(self._patient, self._database)
            self._keeper = SchemaGate(self.database, patient, self._schema, self._mode)
        return self._keeper

    async def ensure_schema_ready(self) -> None:
        """Bring the schema up, or see that it is, and open. Raises SchemaNotReady, and what pymongo raises."""
        await self._schema_keeper.ensure_ready()
        self._here = time.monotonic()
        self.schema_ready.set()

    async def _remain(self) -> None:
        if time.monotonic() - self._here < _HERE_SECONDS:
            return
        try:
            await self._schema_keeper.heartbeat()
        except SchemaError:
            # It was away for so long (a laptop asleep, a frozen machine) that its version was taken for gone.
            self.schema_ready.clear()
            log.critical("schema_moved_on")
            signal.raise_signal(signal.SIGTERM)
            raise
        self._here = time.monotonic()

    async def _finish(self) -> None:
        await self.schema_ready.wait()
        await self._schema_keeper.run_deferred()

    async def stop(self) -> None:
        await cancel_and_wait(*self._tasks)
        for client in (self._client, self._patient):
            if client is not None:
                await client.close()

    def unready_reason(self) -> str | None:
        if self._fault == "not connected yet" and self._keeper is not None:
            return self._keeper.progress
        return self._fault


def create_client(
    uri: str, database: str, *, socket_timeout_seconds: float | None = 10.0
) -> AsyncMongoClient[Document]:
    """A client of a service's. Its deadlines bound every call: a caller hears 503, never nothing."""
    return AsyncMongoClient(
        uri,
        serverSelectionTimeoutMS=1500,
        connectTimeoutMS=2000,
        socketTimeoutMS=None if socket_timeout_seconds is None else round(socket_timeout_seconds * 1000),
        waitQueueTimeoutMS=2000,
        maxPoolSize=64,
        tz_aware=True,
        retryWrites=True,
        retryReads=True,
        appname=f"parley-{database}",
        event_listeners=_listeners(),
    )


def majority_database(client: AsyncMongoClient[Document], database: str) -> AsyncDatabase[Document]:
    """A database whose writes are acknowledged by most members, and are in their journals."""
    return client.get_database(
        database,
        write_concern=WriteConcern("majority", j=True, wtimeout=5000),
        read_concern=ReadConcern("local"),
        read_preference=ReadPreference.PRIMARY,
    )


def _listeners() -> list[CommandListener]:
    """Who hears of every command: nobody, while nothing is traced."""
    if not tracing.enabled():
        return []
    from parley.common.mongodb.instrumentation import MongoCommandTracer  # noqa: PLC0415 - only where it is used

    return [MongoCommandTracer()]
