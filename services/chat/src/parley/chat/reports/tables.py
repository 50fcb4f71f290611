"""A day's conversations as tables: one vector of counts for each quarter of an hour, operator, team and label.

A table is stored in columns, without zeros. All times of the stored tables are UTC. The offset of every time zone in
use is a multiple of a quarter of an hour, so that the quarters add up to the hours and days of any zone.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from parley.chat.reports.figures import Vector, fact_fields, new_vector
from parley.chat.reports.model import Fact

QUARTERS_PER_DAY = 96
QUARTERS_PER_HOUR = 4
NONE = 0
"""The key of conversations without an operator, team or label: ids count from 1."""
NO_ENGINE = ""
Key = int | str
"""A name for engines, a number for the others."""


class Dimension(StrEnum):
    """What the keys of a table are."""

    ALL = "all"
    """The table has one key: it holds the sums of the day."""
    QUARTER = "quarter"
    """The number of the quarter of an hour in the UTC day at which the conversation began."""
    HOUR = "hour"
    """The hour of the UTC day: half as many values, for the time zones whose offset is a whole number of hours."""
    OPERATOR = "operator"
    TEAM = "team"
    LABEL = "label"
    """A conversation counts for each of its labels."""
    ENGINE = "engine"
    """A conversation counts for each engine that was used for it, with what that was used for."""


@dataclass(frozen=True, slots=True)
class Table:
    """Vectors by key, without their zeros: `fields` and `values` from one end to the next belong to one key."""

    keys: tuple[Key, ...]
    ends: tuple[int, ...]
    fields: bytes
    values: tuple[int, ...]

    def rows(self) -> Iterator[tuple[Key, bytes, tuple[int, ...]]]:
        """Each key with the numbers of its fields and their values."""
        start = 0
        for key, end in zip(self.keys, self.ends, strict=True):
            yield key, self.fields[start:end], self.values[start:end]
            start = end


def quarter_of_day(moment: datetime) -> int:
    moment = moment.astimezone(UTC)
    return moment.hour * 4 + moment.minute // 15


_KEYS: Mapping[Dimension, Callable[[Fact], tuple[Key, ...]]] = {
    Dimension.ALL: lambda _: (NONE,),
    Dimension.QUARTER: lambda fact: (quarter_of_day(fact.began_at),),
    Dimension.HOUR: lambda fact: (fact.began_at.astimezone(UTC).hour,),
    Dimension.OPERATOR: lambda fact: (fact.operator_id or NONE,),
    Dimension.TEAM: lambda fact: (fact.team_id or NONE,),
    Dimension.LABEL: lambda fact: fact.label_ids or (NONE,),
    Dimension.ENGINE: lambda fact: tuple(one.engine for one in fact.usage or ()) or (NO_ENGINE,),
}


def fact_entries(
    fact: Fact, fields: list[tuple[int, int]], dimension: Dimension
) -> Iterator[tuple[Key, list[tuple[int, int]]]]:
    """The keys under which a conversation counts, and the fields that it adds to there. `fields`: to all of it."""
    for key in _KEYS[dimension](fact):
        yield key, fact_fields(fact, key) if isinstance(key, str) and key != NO_ENGINE else fields


class TableBuilder:
    """Builds the tables of facts that began on one UTC day."""

    def __init__(self) -> None:
        self._vectors: dict[Dimension, defaultdict[Key, Vector]] = {
            dimension: defaultdict(new_vector) for dimension in Dimension
        }

    def add(self, fact: Fact) -> None:
        fields = fact_fields(fact)
        for dimension, by_key in self._vectors.items():
            for key, added in fact_entries(fact, fields, dimension):
                add(by_key[key], added)

    def build(self) -> dict[Dimension, Table]:
        return {dimension: _to_table(by_key) for dimension, by_key in self._vectors.items()}


def add(vector: Vector, fields: Iterable[tuple[int, int]]) -> None:
    for number, value in fields:
        vector[number] += value


def pack(values: tuple[int, ...]) -> bytes:
    return struct.pack(f"<{len(values)}Q", *values)


def unpack(values: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(values) // 8}Q", values)


def split(table: Table, field: int) -> tuple[Table, Table]:
    """The same table with the fields before a number, and with those from it on, under the keys that have some."""
    before: dict[Key, Vector] = {}
    after: defaultdict[Key, Vector] = defaultdict(new_vector)
    for key, fields, values in table.rows():
        before[key] = new_vector()
        for number, value in zip(fields, values, strict=True):
            (before if number < field else after)[key][number] = value
    return _to_table(before), _to_table(after)


def _to_table(by_key: Mapping[Any, Vector]) -> Table:
    keys, ends, fields, values = [], [], bytearray(), []
    for key in sorted(by_key):
        for number, value in enumerate(by_key[key]):
            if value:
                fields.append(number)
                values.append(value)
        keys.append(key)
        ends.append(len(values))
    return Table(tuple(keys), tuple(ends), bytes(fields), tuple(values))
