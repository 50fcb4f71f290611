"""The connection to MongoDB: majority writes, a timeout for every call, and no access before the schema is ready."""

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

from parley.common.mongodb import condition_wait, timeouts
from parley.common.mongodb.durable_writes import DurableDatabase
from parley.common.mongodb.errors import SchemaError, SchemaNotReady
from parley.common.mongodb.schema import DatabaseSchema, Document
from parley.common.mongodb.schema_gate import Mode, SchemaGate
from parley.common.observability import tracing
from parley.common.observability.logging import get_logger
from parley.common.runtime.tasks import cancel_and_wait, keep_running
from parley.common.server_versions import mongodb_advice

log = get_logger(__name__)

_MAX_POOL_SIZE = 64
_NOT_CONNECTED = "not connected yet"
_NO_ANSWER = "does not answer"

condition_wait.install()


class Mongo:
    """A service's database. Ready once its schema is what this code needs, and while the primary answers.

    Collections are available only from then on: nothing reads or writes a database of another version's schema.
    """

    name = "mongodb"

    def __init__(self, uri: str, database: str, schema: DatabaseSchema, mode: Mode = "migrate") -> None:
        self._uri = uri
        self._database = database
        self._schema = schema
        self._mode = mode
        self._client: AsyncMongoClient[Document] | None = None
        self._no_timeout_client: AsyncMongoClient[Document] | None = None
        self._collections: dict[str, AsyncCollection[Document]] = {}
        self._schema_gate: SchemaGate | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._unready_reason: str | None = _NOT_CONNECTED
        self._last_heartbeat = 0.0
        self._check_started_at: float | None = None
        """When the health check in progress started; None between two checks."""
        self.schema_ready = asyncio.Event()
        """Set once the schema is ready: background work and consumers wait for it."""

    @property
    def client(self) -> AsyncMongoClient[Document]:
        if self._client is None:
            self._client = create_client(self._uri, self._database)
        return self._client

    @property
    def database(self) -> AsyncDatabase[Document]:
        return majority_database(self.client, self._database)

    def __getitem__(self, name: str) -> AsyncCollection[Document]:
        """Return a collection. Raises SchemaNotReady until `schema_ready` is set."""
        if not self.schema_ready.is_set():
            raise SchemaNotReady(self.unready_reason() or "the schema is being checked")
        collection = self._collections.get(name)
        if collection is None:
            collection = self._collections[name] = self.database[name]
        return collection

    async def start(self) -> None:
        self._tasks = [
            keep_running(self._watch, "mongodb-watch"),
            keep_running(self._run_deferred_migrations, "schema-deferred"),
        ]

    async def stop(self) -> None:
        await cancel_and_wait(*self._tasks)
        for client in (self._client, self._no_timeout_client):
            if client is not None:
                await client.close()

    def unready_reason(self) -> str | None:
        if self._unready_reason == _NOT_CONNECTED and self._schema_gate is not None:
            return self._schema_gate.progress
        if self._unready_reason is None and self._check_seconds > timeouts.CHECK_DEADLINE_SECONDS:
            return _NO_ANSWER
        return self._unready_reason

    def stuck_reason(self) -> str | None:
        """Why only a restart helps: an unavailable server ends a check with an error, so one that never ends hangs."""
        seconds = self._check_seconds
        return f"no call has returned for {seconds:.0f} s" if seconds > timeouts.STUCK_SECONDS else None

    @property
    def _check_seconds(self) -> float:
        return 0.0 if self._check_started_at is None else time.monotonic() - self._check_started_at

    async def ensure_schema_ready(self) -> None:
        """Migrate the schema, or check that it is ready, and open the collections.

        Raises SchemaNotReady, and what pymongo raises.
        """
        await self._gate.ensure_ready()
        self._last_heartbeat = time.monotonic()
        self.schema_ready.set()

    async def older_code_runs(self, version: int) -> bool:
        """Whether code of a version below this one was seen within the last minute. Raises what pymongo raises."""
        return await self._gate.older_code_runs(version)

    @property
    def _gate(self) -> SchemaGate:
        if self._schema_gate is None:
            # An index may take hours to build. If the server dies meanwhile, renewing the lock fails and ends the call.
            self._no_timeout_client = create_client(self._uri, self._database, socket_timeout_seconds=None)
            no_timeout_database = majority_database(self._no_timeout_client, self._database)
            self._schema_gate = SchemaGate(self.database, no_timeout_database, self._schema, self._mode)
        return self._schema_gate

    async def _watch(self) -> None:
        while True:
            delay = timeouts.UNAVAILABLE_INTERVAL_SECONDS
            try:
                if not self.schema_ready.is_set():
                    await self.ensure_schema_ready()
                # From here on: building an index may take hours.
                self._check_started_at = time.monotonic()
                await self._heartbeat()
                await self.client.admin.command("hello")
                if self._unready_reason is not None:
                    log.info("mongodb_available")
                    await self._advise()
                self._unready_reason = None
                delay = timeouts.HEALTH_INTERVAL_SECONDS
            except SchemaNotReady as exc:
                if self._unready_reason != str(exc):
                    log.warning("schema_not_ready", error=str(exc))
                self._unready_reason = str(exc)
                is_error = isinstance(exc, SchemaError)
                delay = timeouts.SCHEMA_ERROR_INTERVAL_SECONDS if is_error else timeouts.HEALTH_INTERVAL_SECONDS
            except PyMongoError as exc:
                if self._unready_reason is None or self._unready_reason == _NOT_CONNECTED:
                    log.warning("mongodb_unavailable", error=repr(exc)[:300])
                self._unready_reason = _NO_ANSWER
            finally:
                self._check_started_at = None
            await asyncio.sleep(delay)

    async def _advise(self) -> None:
        """Log what is known against the server's version. Raises what pymongo raises."""
        advice = mongodb_advice((await self.client.server_info())["version"])
        if advice is not None:
            log.warning("mongodb_version_outdated", advice=advice)

    async def _heartbeat(self) -> None:
        if time.monotonic() - self._last_heartbeat < timeouts.HEARTBEAT_INTERVAL_SECONDS:
            return
        try:
            await self._gate.heartbeat()
        except SchemaError:
            # The process was suspended (a sleeping laptop, a frozen machine) for longer than `CODE_ABSENCE`, and a
            # newer version removed what this code needs.
            self.schema_ready.clear()
            log.critical("schema_newer_than_code")
            signal.raise_signal(signal.SIGTERM)
            raise
        self._last_heartbeat = time.monotonic()

    async def _run_deferred_migrations(self) -> None:
        await self.schema_ready.wait()
        await self._gate.run_deferred()


def create_client(
    uri: str, database: str, *, socket_timeout_seconds: float | None = timeouts.SOCKET_TIMEOUT_SECONDS
) -> AsyncMongoClient[Document]:
    """Create a client with a timeout for every phase of a call, so that a caller gets 503 and never waits forever."""
    return AsyncMongoClient(
        uri,
        serverSelectionTimeoutMS=timeouts.SERVER_SELECTION_TIMEOUT_MS,
        connectTimeoutMS=timeouts.CONNECT_TIMEOUT_MS,
        socketTimeoutMS=None if socket_timeout_seconds is None else round(socket_timeout_seconds * 1000),
        waitQueueTimeoutMS=timeouts.POOL_WAIT_TIMEOUT_MS,
        maxPoolSize=_MAX_POOL_SIZE,
        tz_aware=True,
        retryWrites=True,
        retryReads=True,
        appname=f"parley-{database}",
        event_listeners=_command_listeners(),
    )


def majority_database(client: AsyncMongoClient[Document], database: str) -> AsyncDatabase[Document]:
    """Return a database whose writes are acknowledged by a majority of the members, from their journals."""
    return DurableDatabase(
        client,
        database,
        write_concern=WriteConcern("majority", j=True, wtimeout=timeouts.WRITE_CONCERN_TIMEOUT_MS),
        read_concern=ReadConcern("local"),
        read_preference=ReadPreference.PRIMARY,
    )


def _command_listeners() -> list[CommandListener]:
    if not tracing.enabled():
        return []
    from parley.common.mongodb.instrumentation import MongoCommandTracer  # noqa: PLC0415 - only while tracing is on

    return [MongoCommandTracer()]
