"""The one document in which a database keeps the state of its schema, and the lock under which it is changed.

One document, so that each change of it is atomic with the conditions it is made under: who holds the lock, and which
versions of the code have been seen. Times are the server's own, so that the clocks of the processes do not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from parley.common.mongodb.schema import Document, Migration, Phase, Schema

COLLECTION = "schema"
_ID = "schema"


class LockLost(Exception):
    """Somebody else holds the lock now, or nobody does: this holder was silent for longer than its lease."""


@dataclass(frozen=True, slots=True)
class AppliedMigration:
    """A migration that was done: when it began, how long it took, how many documents it went through, who did it."""

    name: str
    began: datetime
    seconds: float
    documents: int
    by: str


@dataclass(frozen=True, slots=True)
class RunningMigration:
    """A migration under way, or left in the middle. `places` are the last ids it went past, by collection."""

    number: int
    name: str
    began: datetime
    documents: int
    places: Mapping[str, Any]

    def __str__(self) -> str:
        return f"migration {self.number} {self.name}, {self.documents} documents so far"


@dataclass(frozen=True, slots=True)
class SchemaState:
    """What the document says."""

    compatible_from: int
    applied: Mapping[int, AppliedMigration]
    code: Mapping[int, datetime]
    """When each version of the code was last seen."""
    running: RunningMigration | None
    building: Sequence[str]
    """Indexes under way, by name."""
    failed: str | None
    holder: str | None

    @property
    def version(self) -> int:
        """The number of the newest migration that was done."""
        return max(self.applied, default=0)

    def pending(self, schema: Schema) -> list[Migration]:
        """What a version of the code still wants done, in order."""
        return [migration for migration in schema.migrations if self._is_due(migration)]

    def seen_since(self, version: int, moment: datetime) -> bool:
        """Whether code older than a version has been seen after a moment."""
        return any(code < version and seen > moment for code, seen in self.code.items())

    def _is_due(self, migration: Migration) -> bool:
        done = self.applied.get(migration.number)
        again = migration.phase is Phase.BACKFILL and done is not None and self.seen_since(migration.number, done.began)
        return done is None or again


def _state(document: Document) -> SchemaState:
    running = document.get("running")
    return SchemaState(
        compatible_from=document["compatible_from"],
        applied={int(number): AppliedMigration(**done) for number, done in document["applied"].items()},
        code={int(version): seen for version, seen in document["code"].items()},
        running=RunningMigration(**running) if running else None,
        building=tuple(document.get("building", ())),
        failed=document.get("failed"),
        holder=document["lock"]["holder"] if document.get("lock") else None,
    )


class MigrationStateStore:
    """The state as one process sees and changes it. Changes under the lock raise LockLost where it is not held."""

    def __init__(self, database: AsyncDatabase[Document], holder: str) -> None:
        self._rows = database[COLLECTION]
        self.holder = holder

    async def read(self) -> SchemaState:
        """The state; of an empty database, that of one where nothing was done yet."""
        found = await self._rows.find_one({"_id": _ID})
        return _state(found or {"compatible_from": 0, "applied": {}, "code": {}})

    async def register_version(self, version: int) -> SchemaState | None:
        """Say that code of this version is at work. None where it is refused, being older than `compatible_from`.

        To be seen and to be let in are one write: a contract step begins either after it, and waits, or before it.
        """
        await self._ensure()
        found = await self._rows.find_one_and_update(
            {"_id": _ID, "compatible_from": {"$lte": version}},
            {"$currentDate": {f"code.{version}": True}},
            return_document=ReturnDocument.AFTER,
        )
        return _state(found) if found else None

    async def acquire_lock(self, lease: timedelta) -> SchemaState | None:
        """Take the lock, if nobody holds it or its holder's lease has lapsed. None where somebody does."""
        await self._ensure()
        found = await self._rows.find_one_and_update(
            {"_id": _ID, "$or": [{"lock": None}, {"$expr": {"$lte": ["$lock.until", "$$NOW"]}}]},
            self._leased(lease),
            return_document=ReturnDocument.AFTER,
        )
        return _state(found) if found else None

    async def renew_lock(self, lease: timedelta) -> None:
        await self._change(self._leased(lease))

    async def release_lock(self) -> None:
        """Give the lock back; nothing happens where it is not held."""
        await self._rows.update_one({"_id": _ID, "lock.holder": self.holder}, {"$unset": {"lock": ""}})

    async def set_building(self, names: Iterable[str]) -> None:
        """Write down which indexes are being made; none: they stand."""
        await self._change([{"$set": {"building": {"$literal": list(names)}}}, {"$unset": "failed"}])

    async def begin_migration(self, migration: Migration, absence: timedelta, *, resumed: bool) -> bool:
        """Write down that a migration is under way. False where older code that it must not run beside was seen lately.

        From here on a contract step's `compatible_from` holds.
        """
        old = {"$lt": [{"$toInt": "$$one.k"}, migration.min_code_version]}
        lately = {"$gt": ["$$one.v", {"$subtract": ["$$NOW", _milliseconds(absence)]}]}
        seen = {"$filter": {"input": {"$objectToArray": "$code"}, "as": "one", "cond": {"$and": [old, lately]}}}
        fields: Document = {"compatible_from": {"$max": ["$compatible_from", migration.compatible_from]}}
        if not resumed:
            fresh = {"number": migration.number, "name": migration.name, "documents": 0, "places": {"$literal": {}}}
            fields["running"] = {**fresh, "began": "$$NOW"}
        # $set of a pipeline merges into a document that is there: the one before is taken out first.
        change: list[Document] = [*([] if resumed else [{"$unset": "running"}]), {"$set": fields}, {"$unset": "failed"}]
        done = await self._rows.update_one(
            {"_id": _ID, "lock.holder": self.holder, "$expr": {"$eq": [seen, []]}}, change
        )
        if not done.matched_count and not await self._rows.find_one({"_id": _ID, "lock.holder": self.holder}):
            raise LockLost
        return bool(done.matched_count)

    async def record_progress(self, documents: int, places: Mapping[str, Any]) -> None:
        fields = {"running.documents": documents, "running.places": {"$literal": dict(places)}}
        await self._change([{"$unset": "running.places"}, {"$set": fields}])

    async def complete_migration(self, migration: Migration) -> None:
        """Write down that a migration is done."""
        done = {
            "name": migration.name,
            "began": "$running.began",
            "seconds": {"$divide": [{"$subtract": ["$$NOW", "$running.began"]}, 1000]},
            "documents": "$running.documents",
            "by": {"$literal": self.holder},
        }
        await self._change([{"$set": {f"applied.{migration.number}": done}}, {"$unset": ["running", "failed"]}])

    async def record_failure(self, sentence: str) -> None:
        """Write down what went wrong, for whoever waits. What was under way can be resumed."""
        await self._change([{"$set": {"failed": {"$literal": sentence}}}])

    def _leased(self, lease: timedelta) -> list[Document]:
        until = {"$add": ["$$NOW", _milliseconds(lease)]}
        return [{"$set": {"lock": {"holder": {"$literal": self.holder}, "until": until}}}]

    async def _change(self, change: list[Document]) -> None:
        done = await self._rows.update_one({"_id": _ID, "lock.holder": self.holder}, change)
        if not done.matched_count:
            raise LockLost

    async def _ensure(self) -> None:
        if await self._rows.find_one({"_id": _ID}, {"_id": 1}) is None:
            try:
                await self._rows.insert_one({"_id": _ID, "compatible_from": 0, "applied": {}, "code": {}})
            except DuplicateKeyError:
                return  # Another process was as quick.


def _milliseconds(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
