"""Keyset paging in MongoDB: a list sorted by a time, ties broken by `_id`, continued after the last row's sort key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from parley.chat.paging.model import MAX_POSITION_MILLISECONDS, ListPage, Position
from parley.common.mongodb import Document, Mongo

T = TypeVar("T")
_MAX_TIME = datetime(9999, 1, 1, tzinfo=UTC)


async def fetch_page(
    mongo: Mongo,
    collection: str,
    query: Document,
    sort_field: str,
    direction: int,
    convert: Callable[[Document], T],
    *,
    after: Position | None,
    limit: int,
    skip: int = 0,
    until: datetime | None = None,
    hint: str | None = None,
) -> ListPage[T]:
    """Read one page of a list, in ascending (`direction` 1) or descending (-1) order of `sort_field`.

    An ascending list ends with `until`. One row more than `limit` is read, to know whether a next page exists.
    """
    end: Document = {} if until is None else {"$lte": until}
    if after is not None:
        operator = "$gt" if direction == 1 else "$lt"
        query = {"$and": [query, _after_position(sort_field, after, operator, end)]}
    elif end:
        query = {**query, sort_field: end}
    sort = [(sort_field, direction), ("_id", direction)]
    cursor = mongo[collection].find(query, {"outbox": 0}, hint=hint).sort(sort).skip(skip).limit(limit + 1)
    documents = [document async for document in cursor]
    has_more = len(documents) > limit
    documents = documents[:limit]
    last = documents[-1] if has_more else None
    position = None if last is None else [_to_milliseconds(last[sort_field]), last["_id"]]
    return ListPage([convert(document) for document in documents], position)


def _after_position(field: str, position: Position, operator: str, end: Document) -> Document:
    # The end is within the alternatives, so that each of them is a range of the index.
    milliseconds, last_id = position
    has_time = milliseconds < MAX_POSITION_MILLISECONDS
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC) if has_time else _MAX_TIME
    return {"$or": [{field: {operator: moment, **end}}, {field: moment, "_id": {operator: last_id}}]}


def _to_milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
