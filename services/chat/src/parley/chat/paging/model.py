"""One page of a list, as services and repositories pass it on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
RowT = TypeVar("RowT")

Position = Sequence[Any]
"""The sort key of a row: its time in milliseconds since 1970, and its id. Opaque to services."""

MAX_POSITION_MILLISECONDS = 253_370_764_800_000
"""9999-01-01: the sort key of rows that have no time of their own, behind all others."""


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """The rows of a page. `next_position` is the position of its last row, None if there are no more rows."""

    rows: Sequence[T]
    next_position: Position | None = None
    total: int | None = None
    """Rows in the whole list; None where a list does not count them."""

    def map(self, convert: Callable[[T], RowT]) -> list[RowT]:
        return [convert(row) for row in self.rows]
