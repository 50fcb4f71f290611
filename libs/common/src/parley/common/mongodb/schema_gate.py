"""What a running service does about its database's schema: brings it up or waits for it, and says that it is at work.

`admit` comes before anything else touches the database; `remain` says every ten seconds that code of this version is
there, which is what steps that need older code to be gone go by.
"""

from __future__ import annotations

import asyncio
from typing import Literal

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from parley.common.mongodb.errors import SchemaError, SchemaNotReady
from parley.common.mongodb.migration_state import MigrationStateStore, SchemaState
from parley.common.mongodb.migrator import Migrator, format_conflicting_indexes
from parley.common.mongodb.schema import Document, Migration, Phase, Schema, compare_indexes
from parley.common.observability import metrics
from parley.common.observability.logging import get_logger

log = get_logger(__name__)

Mode = Literal["migrate", "wait"]
_LATER_SECONDS = 15.0


class SchemaGate:
    """One process's view of it. `patient` is the same database without a deadline for a single call."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        patient: AsyncDatabase[Document],
        schema: Schema,
        mode: Mode,
    ) -> None:
        self._database = database
        self._schema = schema
        self._mode = mode
        self._ledger = MigrationStateStore(database, "")
        self._upgrade = Migrator(patient, schema)
        self._left: list[Migration] = []

    @property
    def progress(self) -> str:
        """What keeps the service waiting, while `admit` runs."""
        return self._upgrade.progress

    async def ensure_ready(self) -> None:
        """Let this code at the database: bring the schema up, or see that it is. Raises SchemaNotReady, SchemaFault."""
        metrics.SCHEMA_WAITING.set(1)
        # Code that is too old makes no index first.
        self._accepted(await self._ledger.register_version(self._schema.version))
        if self._mode == "migrate":
            self._left = await self._upgrade.run(include_deferred=False)
        await self._see_that_it_stands()
        # Bringing it up may have taken long: who is let in has been seen this moment.
        self._accepted(await self._ledger.register_version(self._schema.version))
        metrics.SCHEMA_WAITING.set(0)

    async def heartbeat(self) -> None:
        """Say that this code is at work still. Raises SchemaFault where it must not be, any more."""
        self._accepted(await self._ledger.register_version(self._schema.version))

    async def run_deferred(self) -> None:
        """Where this process brings the schema up, do what had to wait, once older code is gone."""
        while self._left:
            try:
                self._left = await self._upgrade.run()
            except PyMongoError as exc:
                log.warning("schema_not_finished", error=repr(exc)[:300])
            await asyncio.sleep(_LATER_SECONDS if self._left else 0)

    def _accepted(self, state: SchemaState | None) -> None:
        if state is None:
            raise SchemaError(
                f"this code is too old for the database: it is of schema {self._schema.version}, and newer code has"
                " removed what it needs. Install the newer version again, or restore a backup from before the upgrade"
            )
        metrics.SCHEMA_VERSION.set(state.version)
        metrics.SCHEMA_PENDING.set(len(state.pending(self._schema)))
        metrics.SCHEMA_DOCUMENTS.set(state.running.documents if state.running else 0)

    async def _see_that_it_stands(self) -> None:
        """Raises SchemaNotReady, with what is wanted and what is there, where an index or an expand step lacks."""
        missing, otherwise = await compare_indexes(self._database, self._schema.indexes)
        if otherwise:
            raise SchemaError(format_conflicting_indexes(otherwise))
        state = await self._ledger.read()
        # An index that is being built is listed already.
        lacking = {index.name for index in missing} | {
            index.name for index in self._schema.indexes if index.name in state.building
        }
        steps = [str(step) for step in state.pending(self._schema) if step.phase is Phase.EXPAND]
        if not lacking and not steps:
            return
        metrics.SCHEMA_DOCUMENTS.set(state.running.documents if state.running else 0)
        wanted = f"waits for schema {self._schema.version}, the database has {state.version}"
        lacks = f"lacking {', '.join([*(f'migration {step}' for step in steps), *_named(sorted(lacking))])}"
        raise SchemaNotReady(f"{wanted}; {lacks}; {_news(state)}")


def _named(names: list[str]) -> list[str]:
    shown = [f"index {name}" for name in names[:3]]
    return [*shown, f"{len(names) - 3} more indexes"] if len(names) > 3 else shown


def _news(state: SchemaState) -> str:
    if state.failed:
        return f"it failed: {state.failed}"
    return f"{state.holder} is at {state.running or 'its indexes'}" if state.holder else "nobody is at it"
