"""Brings a database's schema up to what a version of the code wants: by one process at a time, whoever that is.

Indexes first, then what the new code needs before it serves, then the steps that older code must be gone for. Whoever
holds the lock renews it while it works; where that fails, the work is broken off before the lease lapses, and the next
holder goes on from what is written down.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from parley.common.mongodb.errors import TRANSIENT_ERRORS, SchemaError
from parley.common.mongodb.migration_state import LockLost, MigrationStateStore, RunningMigration
from parley.common.mongodb.schema import Document, Index, Migration, Phase, Schema, compare_indexes
from parley.common.observability import metrics
from parley.common.observability.logging import get_logger
from parley.common.runtime.tasks import cancel_and_wait

log = get_logger(__name__)

LEASE = timedelta(seconds=20)
ABSENCE = timedelta(seconds=60)
"""Code that has not been seen for so long is gone."""
_BATCH = 500
_RETRY_SECONDS = 0.5
_LOG_SECONDS = 5.0


class Migrator:
    """One process's part in it. `run` may be called again and again, and by any number of processes at once."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        schema: Schema,
        *,
        lease: timedelta = LEASE,
        absence: timedelta = ABSENCE,
    ) -> None:
        self._database = database
        self._schema = schema
        self._lease = lease
        self._absence = absence
        self._ledger = MigrationStateStore(database, f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}")
        self.progress = "looking at the schema"
        """What it is at, for /readyz."""

    async def run(self, *, include_deferred: bool = True) -> list[Migration]:
        """Do what can be done now; without `later`, no more than what the new code needs to serve.

        Returns what is left: it has to wait until older code is gone. Raises SchemaFault when it cannot be done, and
        what pymongo raises while the database is away.
        """
        while True:
            left = await self._left()
            if left is not None and not (include_deferred and left):
                return left
            if await self._ledger.acquire_lock(self._lease) is not None:
                return await self._holding(self._work(later=include_deferred))
            state = await self._ledger.read()
            self.progress = f"{state.holder} is bringing the schema up: {state.running or 'indexes'}"
            await asyncio.sleep(_RETRY_SECONDS)

    async def _left(self) -> list[Migration] | None:
        """The steps for which older code must be gone; None where there is more to do. Raises SchemaFault."""
        missing = await self._missing_indexes()
        state = await self._ledger.read()
        pending = state.pending(self._schema)
        more = missing or state.building or any(migration.phase is Phase.EXPAND for migration in pending)
        return None if more else pending

    async def _missing_indexes(self) -> list[Index]:
        missing, otherwise = await compare_indexes(self._database, self._schema.indexes)
        if otherwise:
            raise SchemaError(format_conflicting_indexes(otherwise))
        return missing

    async def _holding(self, work: Coroutine[Any, Any, list[Migration]]) -> list[Migration]:
        """Work for as long as the lock is held, and give it back. Raises SchemaFault also where it was lost."""
        working = asyncio.create_task(work, name="schema-work")
        keeping = asyncio.create_task(self._keep_lock(), name="schema-lock")
        try:
            await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                keeping.result()
            return await working
        except LockLost:
            log.warning("schema_lock_lost")
            raise SchemaError("the lock of the schema was lost; the work goes on with the next holder") from None
        finally:
            await cancel_and_wait(working, keeping)
            await self._ledger.release_lock()

    async def _keep_lock(self) -> None:
        """Renew the lease four times before it lapses. Raises LockLost when it could not be for most of its time."""
        seconds = self._lease.total_seconds()
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(seconds / 4)
            try:
                async with asyncio.timeout(seconds / 4):
                    await self._ledger.renew_lock(self._lease)
                renewed = time.monotonic()
            except (PyMongoError, TimeoutError) as exc:
                if time.monotonic() - renewed > seconds * 0.7:
                    raise LockLost from exc

    async def _work(self, *, later: bool) -> list[Migration]:
        await self._make_indexes()
        pending = (await self._ledger.read()).pending(self._schema)
        for migration in pending:
            if migration.phase is Phase.EXPAND:
                await self._apply(migration)
        left: list[Migration] = []
        for migration in pending:
            if migration.phase is Phase.EXPAND:
                continue
            if left or not later or not await self._apply(migration):
                left.append(migration)
        return left

    async def _make_indexes(self) -> None:
        """MongoDB builds them beside reads and writes. One that a process before us left in the middle is awaited."""
        unfinished = set((await self._ledger.read()).building)
        missing = {index.name for index in await self._missing_indexes()}
        wanted = [index for index in self._schema.indexes if index.name in missing | unfinished]
        if not wanted:
            if unfinished:
                await self._ledger.set_building(())
            return
        await self._ledger.set_building(index.name for index in wanted)
        started = time.monotonic()
        for index in wanted:
            self.progress = f"making the index {index.name}"
            try:
                await self._database[index.collection].create_indexes([index.model])
            except TRANSIENT_ERRORS:
                raise
            except PyMongoError as exc:
                raise await self._failed(f"the index {index.name} cannot be made", exc) from exc
        await self._ledger.set_building(())
        log.info("indexes_made", indexes=[index.name for index in wanted], seconds=round(time.monotonic() - started, 3))

    async def _apply(self, migration: Migration) -> bool:
        """Do one migration, or go on with it. False where older code was seen lately."""
        running = (await self._ledger.read()).running
        resumed = running is not None and running.number == migration.number and await self._is_good_still(running)
        if not await self._ledger.begin_migration(migration, self._absence, resumed=resumed):
            log.info("migration_waits", migration=str(migration), until="older code is gone")
            return False
        log.info("migration_begun", migration=str(migration), phase=migration.phase, resumed=resumed)
        self.progress = f"migration {migration}"
        work = _Work(self._database, self._ledger, migration, running if resumed else None)
        started = time.monotonic()
        try:
            await migration.apply(work)
        except Exception as exc:
            if isinstance(exc, (LockLost, *TRANSIENT_ERRORS)):
                raise
            raise await self._failed(f"migration {migration} failed", exc) from exc
        await self._ledger.complete_migration(migration)
        seconds = round(time.monotonic() - started, 3)
        log.info("migration_done", migration=str(migration), documents=work.documents, seconds=seconds)
        return True

    async def _is_good_still(self, running: RunningMigration) -> bool:
        """Whether what was left in the middle can be gone on with: no older code has written behind it."""
        migration = self._schema.migrations[running.number - 1]
        return not (await self._ledger.read()).seen_since(migration.min_code_version, running.began)

    async def _failed(self, what: str, problem: Exception) -> SchemaError:
        sentence = f"{what}: {type(problem).__name__}: {str(problem)[:300]}"
        log.error("schema_failed", what=what, error=repr(problem)[:300])
        await self._ledger.record_failure(sentence)
        return SchemaError(sentence)


def format_conflicting_indexes(indexes: Sequence[Index]) -> str:
    """What to say of indexes that are there, but not as this code defines them."""
    names = ", ".join(index.name for index in indexes)
    return (
        f"defined otherwise than this code wants: index {names}. A definition never changes under a name:"
        " give the new one another name, and drop the old one by a contract step"
    )


class _Work:
    """What a migration works with: batches, each written down when it is done."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        ledger: MigrationStateStore,
        migration: Migration,
        before: RunningMigration | None,
    ) -> None:
        self.database = database
        self.documents = before.documents if before else 0
        self._places: dict[str, Any] = dict(before.places) if before else {}
        self._ledger = ledger
        self._migration = migration
        self._logged = time.monotonic()

    async def update_in_batches(
        self,
        collection: str,
        change: Callable[[Document], UpdateOne | None],
        *,
        projection: Mapping[str, int] | None = None,
    ) -> None:
        """See `Work`."""
        rows = self.database[collection]
        while True:
            started = time.monotonic()
            behind = {"_id": {"$gt": self._places[collection]}} if collection in self._places else {}
            batch = await rows.find(behind, projection).sort("_id", 1).limit(_BATCH).to_list()
            if not batch:
                return
            changes = [wanted for document in batch if (wanted := change(document)) is not None]
            if changes:
                await rows.bulk_write(changes, ordered=False)
            self._places[collection] = batch[-1]["_id"]
            self.documents += len(batch)
            await self._ledger.record_progress(self.documents, self._places)
            await self._say_so(collection)
            await asyncio.sleep(time.monotonic() - started)

    async def _say_so(self, collection: str) -> None:
        metrics.SCHEMA_DOCUMENTS.set(self.documents)
        if time.monotonic() - self._logged > _LOG_SECONDS:
            self._logged = time.monotonic()
            total = await self.database[collection].estimated_document_count()
            log.info("migration_goes_on", migration=str(self._migration), documents=self.documents, total=total)
