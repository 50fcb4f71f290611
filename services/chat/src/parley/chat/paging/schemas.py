"""Paging over HTTP: query parameters, cursors, and the `pagination` object of numbered pages."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from parley.chat.paging.model import MAX_POSITION_MILLISECONDS, Position
from parley.common.errors import ValidationFailed
from parley.common.events.schemas import Schema
from parley.common.http import PageSize, Query, decode_cursor, encode_cursor

Cursor = Annotated[str, StringConstraints(max_length=300)]

_MAX_INT64 = 2**63


class PageQuery(Query):
    """`cursor` is the `next_cursor` of the page before; without it, the list starts at its first row."""

    limit: PageSize = 50
    cursor: Cursor | None = None


class NumberedPageQuery(PageQuery):
    """A page by number. With a cursor, the page number is ignored."""

    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    per_page: PageSize | None = None

    @property
    def size(self) -> int:
        return self.per_page or self.limit

    @property
    def skip(self) -> int:
        return 0 if self.cursor else (self.page - 1) * self.size


class Pagination(Schema):
    """Which page of a list of numbered pages this is."""

    total: int
    page: int
    per_page: int
    pages: int


def build_pagination(total: int | None, query: NumberedPageQuery) -> Pagination:
    total = total or 0
    return Pagination(total=total, page=query.page, per_page=query.size, pages=-(-total // query.size))


def decode_position(cursor: str | None, tiebreaker: type = int) -> Position | None:
    """The position that a cursor holds: milliseconds, and a tiebreaker of the given type. Raises ValidationFailed."""
    if cursor is None:
        return None
    position = decode_cursor(cursor, int, tiebreaker)
    if not 0 <= position[0] <= MAX_POSITION_MILLISECONDS or (tiebreaker is int and not 0 <= position[1] < _MAX_INT64):
        raise ValidationFailed({"cursor": "is not a cursor of this list"})
    return position


def encode_position(position: Position | None) -> str | None:
    return None if position is None else encode_cursor(*position)


def decode_id(cursor: str | None) -> int:
    """The last id of the page before, in a list sorted by id; 0 without a cursor. Raises ValidationFailed."""
    if cursor is None:
        return 0
    last: int = decode_cursor(cursor, int)[0]
    return last


def encode_id(ids: list[int], limit: int) -> str | None:
    """The cursor after the first `limit` of these ids; None if there are not more than `limit`."""
    return encode_cursor(ids[limit - 1]) if len(ids) > limit else None
