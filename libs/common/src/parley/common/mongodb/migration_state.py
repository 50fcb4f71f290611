"""The document in which a database keeps the state of its schema, and the lock under which it is migrated.

It is one document, so that each change is atomic with its conditions: who holds the lock, and which versions of the
code are running. Times are the server's, so that the clocks of the processes do not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from parley.common.mongodb.schema import DatabaseSchema, Document, Migration, Phase

COLLECTION = "schema"
_ID = "schema"


class LockLost(Exception):
    """The lock expired, and another process may hold it: this holder did not renew it within its lease."""


@dataclass(frozen=True, slots=True)
class AppliedMigration:
    """A completed migration; `holder` is the process that ran it."""

    name: str
    started_at: datetime
    seconds: float
    documents: int
    holder: str


@dataclass(frozen=True, slots=True)
class RunningMigration:
    """A migration in progress, or interrupted. `last_ids` are the last ids that it updated, by collection."""

    number: int
    name: str
    started_at: datetime
    documents: int
    last_ids: Mapping[str, Any]

    def __str__(self) -> str:
        return f"migration {self.number} {self.name}, {self.documents} documents so far"


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The content of the document."""

    compatible_from: int
    applied: Mapping[int, AppliedMigration]
    code: Mapping[int, datetime]
    """When each version of the code was last recorded as running."""
    running: RunningMigration | None
    building: Sequence[str]
    """The names of the indexes that are being built."""
    failed: str | None
    holder: str | None

    @property
    def version(self) -> int:
        """The number of the newest completed migration."""
        return max(self.applied, default=0)

    def pending(self, schema: DatabaseSchema) -> list[Migration]:
        """Return the migrations that a version of the code still needs, in order."""
        return [migration for migration in schema.migrations if self._is_due(migration)]

    def older_code_seen_since(self, version: int, moment: datetime) -> bool:
        """Whether code older than a version was running after a time."""
        return any(code < version and seen > moment for code, seen in self.code.items())

    def _is_due(self, migration: Migration) -> bool:
        applied = self.applied.get(migration.number)
        if applied is None:
            return True
        return migration.phase is Phase.BACKFILL and self.older_code_seen_since(migration.number, applied.started_at)


def _to_state(document: Document) -> SchemaState:
    running = document.get("running")
    return SchemaState(
        compatible_from=document["compatible_from"],
        applied={
            int(number): AppliedMigration(done["name"], done["began"], done["seconds"], done["documents"], done["by"])
            for number, done in document["applied"].items()
        },
        code={int(version): seen for version, seen in document["code"].items()},
        running=RunningMigration(
            running["number"], running["name"], running["began"], running["documents"], running["places"]
        )
        if running
        else None,
        building=tuple(document.get("building", ())),
        failed=document.get("failed"),
        holder=document["lock"]["holder"] if document.get("lock") else None,
    )


class MigrationStateStore:
    """Reads and changes the state for one process. Changes under the lock raise LockLost if it is not held."""

    def __init__(self, database: AsyncDatabase[Document], holder: str) -> None:
        self._collection = database[COLLECTION]
        self.holder = holder

    async def read(self) -> SchemaState:
        """Return the state; for a new database, one without any migration."""
        document = await self._collection.find_one({"_id": _ID})
        return _to_state(document or {"compatible_from": 0, "applied": {}, "code": {}})

    async def register_version(self, version: int) -> SchemaState | None:
        """Record that code of this version is running. Returns None if it is older than `compatible_from`: refused.

        Recording and checking are one write: a contract step begins either after it, and waits, or before it.
        """
        await self._ensure_document()
        document = await self._collection.find_one_and_update(
            {"_id": _ID, "compatible_from": {"$lte": version}},
            {"$currentDate": {f"code.{version}": True}},
            return_document=ReturnDocument.AFTER,
        )
        return _to_state(document) if document else None

    async def older_code_runs(self, version: int, absence: timedelta) -> bool:
        """Whether code of a version below this one was seen within `absence`."""
        return await self._collection.find_one({"_id": _ID, **_no_older_code(version, absence)}, {"_id": 1}) is None

    async def acquire_lock(self, lease: timedelta) -> SchemaState | None:
        """Acquire the lock if it is free or its lease has expired. Returns None if another process holds it."""
        await self._ensure_document()
        document = await self._collection.find_one_and_update(
            {"_id": _ID, "$or": [{"lock": None}, {"$expr": {"$lte": ["$lock.until", "$$NOW"]}}]},
            self._lock_update(lease),
            return_document=ReturnDocument.AFTER,
        )
        return _to_state(document) if document else None

    async def renew_lock(self, lease: timedelta) -> None:
        await self._update_locked(self._lock_update(lease))

    async def release_lock(self) -> None:
        """Release the lock, if it is held."""
        await self._collection.update_one({"_id": _ID, "lock.holder": self.holder}, {"$unset": {"lock": ""}})

    async def set_building(self, names: Iterable[str]) -> None:
        """Record which indexes are being built; none once they are ready."""
        await self._update_locked([{"$set": {"building": {"$literal": list(names)}}}, {"$unset": "failed"}])

    async def begin_migration(self, migration: Migration, absence: timedelta, *, resumed: bool) -> bool:
        """Record that a migration runs. Returns False if code that it must not run with was seen within `absence`.

        From here on a contract step's `compatible_from` is in force.
        """
        fields: Document = {"compatible_from": {"$max": ["$compatible_from", migration.compatible_from]}}
        if not resumed:
            new = {"number": migration.number, "name": migration.name, "documents": 0, "places": {"$literal": {}}}
            fields["running"] = {**new, "began": "$$NOW"}
        # $set in a pipeline merges into an existing subdocument: remove the previous one first.
        update: list[Document] = [*([] if resumed else [{"$unset": "running"}]), {"$set": fields}, {"$unset": "failed"}]
        result = await self._collection.update_one(
            {"_id": _ID, "lock.holder": self.holder, **_no_older_code(migration.min_code_version, absence)}, update
        )
        if not result.matched_count and not await self._collection.find_one({"_id": _ID, "lock.holder": self.holder}):
            raise LockLost
        return bool(result.matched_count)

    async def record_progress(self, documents: int, last_ids: Mapping[str, Any]) -> None:
        fields = {"running.documents": documents, "running.places": {"$literal": dict(last_ids)}}
        await self._update_locked([{"$unset": "running.places"}, {"$set": fields}])

    async def complete_migration(self, migration: Migration) -> None:
        applied = {
            "name": migration.name,
            "began": "$running.began",
            "seconds": {"$divide": [{"$subtract": ["$$NOW", "$running.began"]}, 1000]},
            "documents": "$running.documents",
            "by": {"$literal": self.holder},
        }
        await self._update_locked(
            [{"$set": {f"applied.{migration.number}": applied}}, {"$unset": ["running", "failed"]}]
        )

    async def record_failure(self, message: str) -> None:
        """Record a failure, for the processes that wait. The migration can be resumed."""
        await self._update_locked([{"$set": {"failed": {"$literal": message}}}])

    def _lock_update(self, lease: timedelta) -> list[Document]:
        until = {"$add": ["$$NOW", _to_milliseconds(lease)]}
        return [{"$set": {"lock": {"holder": {"$literal": self.holder}, "until": until}}}]

    async def _update_locked(self, update: list[Document]) -> None:
        result = await self._collection.update_one({"_id": _ID, "lock.holder": self.holder}, update)
        if not result.matched_count:
            raise LockLost

    async def _ensure_document(self) -> None:
        if await self._collection.find_one({"_id": _ID}, {"_id": 1}) is None:
            try:
                await self._collection.insert_one({"_id": _ID, "compatible_from": 0, "applied": {}, "code": {}})
            except DuplicateKeyError:
                return  # Another process inserted it first.


def _no_older_code(version: int, absence: timedelta) -> Document:
    """The condition that no code of a version below this one was seen within `absence`."""
    is_older = {"$lt": [{"$toInt": "$$one.k"}, version]}
    is_recent = {"$gt": ["$$one.v", {"$subtract": ["$$NOW", _to_milliseconds(absence)]}]}
    seen = {"$filter": {"input": {"$objectToArray": "$code"}, "as": "one", "cond": {"$and": [is_older, is_recent]}}}
    return {"$expr": {"$eq": [seen, []]}}


def _to_milliseconds(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)
