"""Migrates a database's schema to the version that the code needs. One process at a time does it, under a lock.

The order: indexes, then the migrations that the new code needs before it serves, then those that must wait until no
older code runs. The holder of the lock renews it while it works. If that fails, it stops before the lease expires, and
the next holder continues from the recorded position.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from parley.common.mongodb.errors import TRANSIENT_ERRORS, SchemaError
from parley.common.mongodb.migration_state import LockLost, MigrationStateStore, RunningMigration
from parley.common.mongodb.schema import DatabaseSchema, Document, Index, Migration, Phase, compare_indexes
from parley.common.mongodb.timeouts import CODE_ABSENCE, LOCK_LEASE, LOCK_POLL_SECONDS, MIGRATION_LOG_INTERVAL_SECONDS
from parley.common.observability import metrics
from parley.common.observability.logging import get_logger
from parley.common.runtime.tasks import cancel_and_wait

log = get_logger(__name__)

_BATCH_SIZE = 500
_RENEWALS_PER_LEASE = 4
_MAX_UNRENEWED_SHARE = 0.7
"""Of the lease; then the work stops, well before another process can acquire the lock."""


class Migrator:
    """Migrates for one process. `run` may be called repeatedly, and by any number of processes concurrently."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        schema: DatabaseSchema,
        *,
        lease: timedelta = LOCK_LEASE,
        absence: timedelta = CODE_ABSENCE,
    ) -> None:
        self._database = database
        self._schema = schema
        self._lease = lease
        self._absence = absence
        holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._state_store = MigrationStateStore(database, holder)
        self._indexes_complete = False
        self.progress = "checking the schema"
        """What it is doing, for /readyz."""

    async def run(self, *, include_deferred: bool = True) -> list[Migration]:
        """Run the migrations that can run now; without `include_deferred`, only what the new code needs to serve.

        Returns those that remain: they wait until older code is gone. Raises SchemaError if the schema cannot
        be migrated, and what pymongo raises while the database is unavailable.
        """
        while True:
            remaining = await self._find_remaining()
            if remaining is not None and not (include_deferred and remaining):
                return remaining
            if await self._state_store.acquire_lock(self._lease) is not None:
                return await self._with_lock(self._migrate(include_deferred=include_deferred))
            state = await self._state_store.read()
            self.progress = f"{state.holder} is migrating the schema: {state.running or 'indexes'}"
            await asyncio.sleep(LOCK_POLL_SECONDS)

    async def _find_remaining(self) -> list[Migration] | None:
        """Return the migrations for which older code must be gone; None if there is more to do. Raises SchemaError."""
        missing = await self._missing_indexes()
        state = await self._state_store.read()
        pending = state.pending(self._schema)
        more = missing or state.building or any(migration.phase is Phase.EXPAND for migration in pending)
        return None if more else pending

    async def _missing_indexes(self) -> list[Index]:
        if self._indexes_complete:
            return []  # Later runs are for the migrations that had to wait.
        missing, conflicting = await compare_indexes(self._database, self._schema.indexes)
        if conflicting:
            raise SchemaError(format_conflicting_indexes(conflicting))
        self._indexes_complete = not missing
        return missing

    async def _with_lock(self, work: Coroutine[Any, Any, list[Migration]]) -> list[Migration]:
        """Run `work` while the lock is held, then release it. Raises SchemaError also if the lock was lost."""
        work_task = asyncio.create_task(work, name="schema-work")
        renew_task = asyncio.create_task(self._keep_lock_renewed(), name="schema-lock")
        try:
            await asyncio.wait({work_task, renew_task}, return_when=asyncio.FIRST_COMPLETED)
            if not work_task.done():
                renew_task.result()
            return await work_task
        except LockLost:
            log.warning("schema_lock_lost")
            raise SchemaError("the lock of the schema was lost; its next holder continues the migration") from None
        finally:
            await cancel_and_wait(work_task, renew_task)
            await self._state_store.release_lock()

    async def _keep_lock_renewed(self) -> None:
        """Renew the lease several times before it expires. Raises LockLost if that failed for most of the lease."""
        lease_seconds = self._lease.total_seconds()
        interval_seconds = lease_seconds / _RENEWALS_PER_LEASE
        renewed_at = time.monotonic()
        while True:
            await asyncio.sleep(interval_seconds)
            try:
                async with asyncio.timeout(interval_seconds):
                    await self._state_store.renew_lock(self._lease)
                renewed_at = time.monotonic()
            except (PyMongoError, TimeoutError) as exc:
                if time.monotonic() - renewed_at > lease_seconds * _MAX_UNRENEWED_SHARE:
                    raise LockLost from exc

    async def _migrate(self, *, include_deferred: bool) -> list[Migration]:
        await self._create_indexes()
        pending = (await self._state_store.read()).pending(self._schema)
        for migration in pending:
            if migration.phase is Phase.EXPAND:
                await self._apply(migration)
        remaining: list[Migration] = []
        for migration in pending:
            if migration.phase is Phase.EXPAND:
                continue
            if remaining or not include_deferred or not await self._apply(migration):
                remaining.append(migration)
        return remaining

    async def _create_indexes(self) -> None:
        """Create the missing indexes during reads and writes; wait for those that an earlier holder started."""
        unfinished = set((await self._state_store.read()).building)
        missing = {index.name for index in await self._missing_indexes()}
        indexes = [index for index in self._schema.indexes if index.name in missing | unfinished]
        if not indexes:
            if unfinished:
                await self._state_store.set_building(())
            return
        await self._state_store.set_building(index.name for index in indexes)
        started = time.monotonic()
        for collection in dict.fromkeys(index.collection for index in indexes):
            of_collection = [index for index in indexes if index.collection == collection]
            names = ", ".join(index.name for index in of_collection)
            self.progress = f"creating the index {names}"
            try:
                # Together: the server reads the documents once for all of them.
                await self._database[collection].create_indexes([index.model for index in of_collection])
            except TRANSIENT_ERRORS:
                raise
            except PyMongoError as exc:
                raise await self._record_failure(f"the index {names} cannot be created", exc) from exc
        await self._state_store.set_building(())
        self._indexes_complete = True
        seconds = round(time.monotonic() - started, 3)
        log.info("indexes_created", indexes=[index.name for index in indexes], seconds=seconds)

    async def _apply(self, migration: Migration) -> bool:
        """Run a migration, or resume it. Returns False if older code was seen recently."""
        running = (await self._state_store.read()).running
        resumed = running is not None and running.number == migration.number and await self._can_resume(running)
        if not await self._state_store.begin_migration(migration, self._absence, resumed=resumed):
            log.info("migration_waits", migration=str(migration), until="older code is gone")
            return False
        log.info("migration_started", migration=str(migration), phase=migration.phase, resumed=resumed)
        self.progress = f"migration {migration}"
        context = _MigrationRun(self._database, self._state_store, migration, running if resumed else None)
        started = time.monotonic()
        try:
            await migration.apply(context)
        except Exception as exc:
            if isinstance(exc, (LockLost, *TRANSIENT_ERRORS)):
                raise
            raise await self._record_failure(f"migration {migration} failed", exc) from exc
        await self._state_store.complete_migration(migration)
        seconds = round(time.monotonic() - started, 3)
        log.info("migration_done", migration=str(migration), documents=context.documents, seconds=seconds)
        return True

    async def _can_resume(self, running: RunningMigration) -> bool:
        """Whether an interrupted migration's position is valid: no older code wrote documents before it since."""
        migration = self._schema.migrations[running.number - 1]
        state = await self._state_store.read()
        return not state.older_code_seen_since(migration.min_code_version, running.started_at)

    async def _record_failure(self, what: str, exc: Exception) -> SchemaError:
        message = f"{what}: {type(exc).__name__}: {str(exc)[:300]}"
        log.error("schema_failed", what=what, error=repr(exc)[:300])
        await self._state_store.record_failure(message)
        return SchemaError(message)


def format_conflicting_indexes(indexes: Sequence[Index]) -> str:
    """Describe indexes that exist with another definition, and how to resolve that."""
    names = ", ".join(index.name for index in indexes)
    return (
        f"index {names}: the definition in the database differs from this code's. A definition never changes under a"
        " name: give the new one another name, and drop the old one by a contract step"
    )


class _MigrationRun:
    """The MigrationContext of one run."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        state_store: MigrationStateStore,
        migration: Migration,
        interrupted: RunningMigration | None,
    ) -> None:
        self.database = database
        self.documents = interrupted.documents if interrupted else 0
        self._last_ids: dict[str, Any] = dict(interrupted.last_ids) if interrupted else {}
        self._state_store = state_store
        self._migration = migration
        self._logged_at = time.monotonic()

    async def update_in_batches(
        self,
        collection: str,
        change: Callable[[Document], UpdateOne | None],
        *,
        projection: Mapping[str, int] | None = None,
    ) -> None:
        """See `MigrationContext`."""

        async def write(batch: Sequence[Document]) -> None:
            updates = [update for document in batch if (update := change(document)) is not None]
            if updates:
                await self.database[collection].bulk_write(updates, ordered=False)

        await self.process_in_batches(collection, write, projection=projection)

    async def process_in_batches(
        self,
        collection: str,
        process: Callable[[Sequence[Document]], Awaitable[object]],
        *,
        projection: Mapping[str, int] | None = None,
    ) -> None:
        """See `MigrationContext`."""
        documents = self.database[collection]
        while True:
            started = time.monotonic()
            after_last = {"_id": {"$gt": self._last_ids[collection]}} if collection in self._last_ids else {}
            batch = await documents.find(after_last, projection).sort("_id", 1).limit(_BATCH_SIZE).to_list()
            if not batch:
                return
            await process(batch)
            self._last_ids[collection] = batch[-1]["_id"]
            self.documents += len(batch)
            await self._state_store.record_progress(self.documents, self._last_ids)
            await self._log_progress(collection)
            await asyncio.sleep(time.monotonic() - started)

    async def _log_progress(self, collection: str) -> None:
        metrics.SCHEMA_DOCUMENTS.set(self.documents)
        if time.monotonic() - self._logged_at > MIGRATION_LOG_INTERVAL_SECONDS:
            self._logged_at = time.monotonic()
            total = await self.database[collection].estimated_document_count()
            log.info("migration_progress", migration=str(self._migration), documents=self.documents, total=total)
