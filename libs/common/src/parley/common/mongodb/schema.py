"""What a service's database must be: its indexes, and the numbered migrations that brought its documents there.

Versions of the code run side by side during an update, so every change is made in steps that the code beside it can
bear. A migration says which kind of step it is:

- expand: adds what the new code needs. Done before the new code serves, while the old one still does.
- fill: writes what older code did not write. Done when no older code has been seen for a minute, and again where older
  code has been at work since (a rollback); until then the code bears that it is missing.
- contract: removes what older code needs. Done like a fill; from then on code below `compatible_from` is refused.

The version of the code is the number of its last migration; the database remembers which versions it has seen, and
when. Each migration can be begun anew at any time: it looks at a document and changes what is not yet as it should be.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pymongo import IndexModel, UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

Document = dict[str, Any]

_OPTIONS = ("unique", "sparse", "expireAfterSeconds", "partialFilterExpression", "collation")


@dataclass(frozen=True, slots=True)
class Index:
    """An index that a collection must have before its service is ready. Its options name it."""

    collection: str
    keys: Sequence[tuple[str, int | str]]
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Collection and name, as people read them."""
        return f"{self.collection}.{self.options['name']}"

    @property
    def model(self) -> IndexModel:
        """The index as pymongo creates it."""
        return IndexModel(list(self.keys), **self.options)


class Phase(StrEnum):
    """The kind of a step; see the top of this file."""

    EXPAND = "expand"
    BACKFILL = "fill"
    CONTRACT = "contract"


class MigrationContext(Protocol):
    """What a migration works with."""

    database: AsyncDatabase[Document]
    """Its service's database: majority writes, and no deadline but that of the lock."""

    async def update_in_batches(
        self,
        collection: str,
        change: Callable[[Document], UpdateOne | None],
        *,
        projection: Mapping[str, int] | None = None,
    ) -> None:
        """Offer every document of a collection to `change`, in the order of `_id`, and write what it wants, in batches.

        Where it got to is kept after each batch, so that whoever takes over goes on from there. It rests as long as it
        works, to leave the database to those who serve. The ids of a collection must be of one type.
        """


@dataclass(frozen=True, slots=True)
class Migration:
    """One step. Numbers count from 1, without gaps; neither a number nor a name ever changes its meaning."""

    number: int
    name: str
    apply: Callable[[MigrationContext], Awaitable[None]]
    phase: Phase = Phase.EXPAND
    compatible_from: int = 0
    """Of a contract step: the oldest version of the code that can do without what it removes."""

    @property
    def min_code_version(self) -> int:
        """Code older than this must be gone before the step is done."""
        return {Phase.EXPAND: 0, Phase.BACKFILL: self.number, Phase.CONTRACT: self.compatible_from}[self.phase]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


@dataclass(frozen=True, slots=True)
class Schema:
    """All that a version of a service knows of its database. Raises ValueError where it contradicts itself."""

    indexes: Sequence[Index] = ()
    migrations: Sequence[Migration] = ()

    def __post_init__(self) -> None:
        names = [index.name for index in self.indexes]
        if len(set(names)) < len(names):
            raise ValueError(f"indexes named twice: {sorted({name for name in names if names.count(name) > 1})}")
        if [migration.number for migration in self.migrations] != list(range(1, len(self.migrations) + 1)):
            raise ValueError("migrations are numbered from 1, without gaps")
        for migration in self.migrations:
            # What a contract step removes was given up by a version before it.
            earlier = range(1, migration.number) if migration.phase is Phase.CONTRACT else range(1)
            if migration.compatible_from not in earlier:
                raise ValueError(f"migration {migration}: a contract step, and no other, names an earlier version")

    @property
    def version(self) -> int:
        """The version of the code that brings this."""
        return len(self.migrations)


async def compare_indexes(
    database: AsyncDatabase[Document], wanted: Sequence[Index]
) -> tuple[list[Index], list[Index]]:
    """The indexes that are missing, and those that are there by name but defined otherwise."""
    missing, otherwise = [], []
    for collection in dict.fromkeys(index.collection for index in wanted):
        there = {found["name"]: found async for found in await database[collection].list_indexes()}
        for index in wanted:
            if index.collection != collection:
                continue
            found = there.get(index.options["name"])
            if found is None:
                missing.append(index)
            elif _definition(found) != _definition(index.model.document):
                otherwise.append(index)
    return missing, otherwise


def _definition(index: Mapping[str, Any]) -> Document:
    """What two definitions of one index must have in common, in whichever way the server keeps it."""
    keys = dict(index["key"])
    words = {name: 1 for name, kind in keys.items() if kind == "text" and name != "_fts"}
    found: Document = {name: index[name] for name in _OPTIONS if index.get(name) not in (None, False)}
    found["keys"] = [(name, kind) for name, kind in keys.items() if kind != "text" and name != "_ftsx"]
    found["words"] = {**words, **index.get("weights", {})}
    if found["words"]:
        found["language"] = index.get("default_language", "english")
    return found
