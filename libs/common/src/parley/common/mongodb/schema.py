"""A service's database schema: its indexes, and the numbered migrations of its documents.

Versions of the code run side by side during an update, so every change is made in steps that the other running code
tolerates. The phase of a migration says which kind of step it is:

- expand: adds what the new code needs. Runs before the new code serves, while the old one still does.
- backfill: writes what older code did not write. Runs when no older code was seen for a minute, and again if older code
  ran since (a rollback); until then the code tolerates that it is missing.
- contract: removes what older code needs. Runs when a backfill would; from then on code below `compatible_from` is
  refused.

The version of the code is the number of its last migration; the database records which versions it has seen, and when.
A migration can be started again at any time: it inspects each document and changes only what is not yet migrated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pymongo import IndexModel, UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

Document = dict[str, Any]

_COMPARED_OPTIONS = ("unique", "sparse", "expireAfterSeconds", "partialFilterExpression", "collation")


@dataclass(frozen=True, slots=True)
class Index:
    """An index that a collection must have before its service is ready. `options` contains its name."""

    collection: str
    keys: Sequence[tuple[str, int | str]]
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Collection and name, for messages."""
        return f"{self.collection}.{self.options['name']}"

    @property
    def model(self) -> IndexModel:
        """The index as pymongo creates it."""
        return IndexModel(list(self.keys), **self.options)


class Phase(StrEnum):
    """The kind of a migration; see the module's docstring."""

    EXPAND = "expand"
    BACKFILL = "backfill"
    CONTRACT = "contract"


class MigrationContext(Protocol):
    """What a migration works with."""

    database: AsyncDatabase[Document]
    """The service's database: majority writes, and no timeout except the lock's lease."""

    async def update_in_batches(
        self,
        collection: str,
        change: Callable[[Document], UpdateOne | None],
        *,
        projection: Mapping[str, int] | None = None,
    ) -> None:
        """Call `change` with every document of a collection, in the order of `_id`, and write the updates in batches.

        The position is stored after each batch, so that the next process continues there. After each batch it sleeps
        as long as the batch took, to leave the database to requests. The ids of a collection must be of one type.
        """

    async def process_in_batches(
        self,
        collection: str,
        process: Callable[[Sequence[Document]], Awaitable[object]],
        *,
        projection: Mapping[str, int] | None = None,
    ) -> None:
        """Call `process` with all documents of a collection, in batches as `update_in_batches` reads them.

        A batch may be processed again after a crash.
        """


@dataclass(frozen=True, slots=True)
class Migration:
    """One step. Numbers count from 1 without gaps; a number or a name is never reused for something else."""

    number: int
    name: str
    apply: Callable[[MigrationContext], Awaitable[None]]
    phase: Phase = Phase.EXPAND
    compatible_from: int = 0
    """Of a contract step: the oldest version of the code that does not need what it removes."""

    @property
    def min_code_version(self) -> int:
        """Code of an older version must be gone before the migration runs."""
        return {Phase.EXPAND: 0, Phase.BACKFILL: self.number, Phase.CONTRACT: self.compatible_from}[self.phase]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


@dataclass(frozen=True, slots=True)
class DatabaseSchema:
    """The schema of one version of a service. Raises ValueError if it is inconsistent."""

    indexes: Sequence[Index] = ()
    migrations: Sequence[Migration] = ()

    def __post_init__(self) -> None:
        names = [index.name for index in self.indexes]
        if len(set(names)) < len(names):
            raise ValueError(f"indexes named twice: {sorted({name for name in names if names.count(name) > 1})}")
        if [migration.number for migration in self.migrations] != list(range(1, len(self.migrations) + 1)):
            raise ValueError("migrations are numbered from 1, without gaps")
        for migration in self.migrations:
            # An earlier version must have stopped using what a contract step removes.
            allowed = range(1, migration.number) if migration.phase is Phase.CONTRACT else range(1)
            if migration.compatible_from not in allowed:
                raise ValueError(f"migration {migration}: a contract step, and no other, names an earlier version")

    @property
    def version(self) -> int:
        """The version of the code that has this schema."""
        return len(self.migrations)


async def compare_indexes(
    database: AsyncDatabase[Document], indexes: Sequence[Index]
) -> tuple[list[Index], list[Index]]:
    """Return the indexes that are missing, and those that exist under their name with another definition."""
    missing, conflicting = [], []
    # A new database is asked once, not for each collection that it does not have yet.
    collections = set(await database.list_collection_names())
    for collection in dict.fromkeys(index.collection for index in indexes):
        existing: Mapping[str, Mapping[str, Any]] = {}
        if collection in collections:
            existing = {entry["name"]: entry async for entry in await database[collection].list_indexes()}
        for index in indexes:
            if index.collection != collection:
                continue
            entry = existing.get(index.options["name"])
            if entry is None:
                missing.append(index)
            elif _normalize(entry) != _normalize(index.model.document):
                conflicting.append(index)
    return missing, conflicting


def _normalize(index: Mapping[str, Any]) -> Document:
    """Reduce an index's definition to what identifies it, whichever way the server stores it (text indexes differ)."""
    keys = dict(index["key"])
    text_weights = {name: 1 for name, kind in keys.items() if kind == "text" and name != "_fts"}
    definition: Document = {name: index[name] for name in _COMPARED_OPTIONS if index.get(name) not in (None, False)}
    definition["keys"] = [(name, kind) for name, kind in keys.items() if kind != "text" and name != "_ftsx"]
    definition["words"] = {**text_weights, **index.get("weights", {})}
    if definition["words"]:
        definition["language"] = index.get("default_language", "english")
    return definition
