"""Guards a service's access to its database: migrates the schema or waits for it, and records the code's version.

`ensure_ready` runs before anything else uses the database; `heartbeat` records every ten seconds that code of this
version is running, by which migrations that must wait for the end of older code know that it has ended.
"""

from __future__ import annotations

import asyncio
from typing import Literal

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from parley.common.mongodb.errors import SchemaError, SchemaNotReady
from parley.common.mongodb.migration_state import MigrationStateStore, SchemaState
from parley.common.mongodb.migrator import Migrator, format_conflicting_indexes
from parley.common.mongodb.schema import DatabaseSchema, Document, Migration, Phase, compare_indexes
from parley.common.mongodb.timeouts import CODE_ABSENCE, DEFERRED_MIGRATIONS_INTERVAL_SECONDS
from parley.common.observability import metrics
from parley.common.observability.logging import get_logger

log = get_logger(__name__)

Mode = Literal["migrate", "wait"]

_MAX_NAMED_INDEXES = 3


class SchemaGate:
    """The gate of one process. `no_timeout_database` is the same database without a timeout for a single call."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        no_timeout_database: AsyncDatabase[Document],
        schema: DatabaseSchema,
        mode: Mode,
    ) -> None:
        self._database = database
        self._schema = schema
        self._mode = mode
        self._state_store = MigrationStateStore(database, "")
        self._migrator = Migrator(no_timeout_database, schema)
        self._deferred: list[Migration] = []

    @property
    def progress(self) -> str:
        """What `ensure_ready` is doing, for /readyz."""
        return self._migrator.progress

    async def ensure_ready(self) -> None:
        """Migrate the schema, or check that it is ready. Raises SchemaNotReady, SchemaError."""
        metrics.SCHEMA_WAITING.set(1)
        # First, so that code that is too old creates no index.
        self._check_accepted(await self._state_store.register_version(self._schema.version))
        if self._mode == "migrate":
            self._deferred = await self._migrator.run(include_deferred=False)
        else:
            await self._check_ready()
        # Again, since migrating may have taken longer than it takes for a version to count as gone.
        self._check_accepted(await self._state_store.register_version(self._schema.version))
        metrics.SCHEMA_WAITING.set(0)

    async def heartbeat(self) -> None:
        """Record that this code is running. Raises SchemaError if it became too old."""
        self._check_accepted(await self._state_store.register_version(self._schema.version))

    async def older_code_runs(self, version: int) -> bool:
        """Whether code of a version below this one runs, as far as is known."""
        return await self._state_store.older_code_runs(version, CODE_ABSENCE)

    async def run_deferred(self) -> None:
        """Run the migrations that wait until older code is gone, if this process migrates."""
        while self._deferred:
            try:
                self._deferred = await self._migrator.run()
            except PyMongoError as exc:
                log.warning("schema_not_finished", error=repr(exc)[:300])
            await asyncio.sleep(DEFERRED_MIGRATIONS_INTERVAL_SECONDS if self._deferred else 0)

    def _check_accepted(self, state: SchemaState | None) -> None:
        if state is None:
            raise SchemaError(
                f"this code is too old for the database: it has schema {self._schema.version}, and newer code has"
                " removed what it needs. Install the newer version again, or restore a backup from before the upgrade"
            )
        metrics.SCHEMA_VERSION.set(state.version)
        metrics.SCHEMA_PENDING.set(len(state.pending(self._schema)))
        metrics.SCHEMA_DOCUMENTS.set(state.running.documents if state.running else 0)

    async def _check_ready(self) -> None:
        """Raise SchemaNotReady, with what is needed and what exists, if an index or an expand step is missing."""
        missing, conflicting = await compare_indexes(self._database, self._schema.indexes)
        if conflicting:
            raise SchemaError(format_conflicting_indexes(conflicting))
        state = await self._state_store.read()
        # The server lists an index that is still being built.
        missing_names = {index.name for index in missing} | {
            index.name for index in self._schema.indexes if index.name in state.building
        }
        steps = [str(step) for step in state.pending(self._schema) if step.phase is Phase.EXPAND]
        if not missing_names and not steps:
            return
        metrics.SCHEMA_DOCUMENTS.set(state.running.documents if state.running else 0)
        lacking = [*(f"migration {step}" for step in steps), *_name_indexes(sorted(missing_names))]
        raise SchemaNotReady(
            f"waits for schema {self._schema.version}, the database has {state.version};"
            f" lacking {', '.join(lacking)}; {_describe_progress(state)}"
        )


def _name_indexes(names: list[str]) -> list[str]:
    named = [f"index {name}" for name in names[:_MAX_NAMED_INDEXES]]
    return [*named, f"{len(names) - len(named)} more indexes"] if len(names) > len(named) else named


def _describe_progress(state: SchemaState) -> str:
    if state.failed:
        return f"it failed: {state.failed}"
    return f"{state.holder} is at {state.running or 'its indexes'}" if state.holder else "no process is migrating it"
