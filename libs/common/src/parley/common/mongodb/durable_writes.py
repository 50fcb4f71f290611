"""Collections whose bulk writes tell "not known to be durable" from "not written".

Of a bulk write, pymongo raises BulkWriteError for both. Here the first is a WriteConcernError, as it is of every other
write: what was written may be rolled back, and the caller has to try again, whatever else the error says.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, WriteConcernError
from pymongo.results import BulkWriteResult, InsertManyResult

from parley.common.mongodb.schema import Document


class DurableCollection(AsyncCollection[Document]):
    """A collection whose bulk writes raise WriteConcernError if they are not known to be durable."""

    async def bulk_write(self, *args: Any, **kwargs: Any) -> BulkWriteResult:
        with _concern_errors():
            return await super().bulk_write(*args, **kwargs)

    async def insert_many(self, *args: Any, **kwargs: Any) -> InsertManyResult:
        with _concern_errors():
            return await super().insert_many(*args, **kwargs)


class DurableDatabase(AsyncDatabase[Document]):
    """A database of such collections."""

    def __getitem__(self, name: str) -> DurableCollection:
        return DurableCollection(self, name)


@contextmanager
def _concern_errors() -> Iterator[None]:
    try:
        yield
    except BulkWriteError as exc:
        errors = exc.details.get("writeConcernErrors")
        if not errors:
            raise
        first = errors[0]
        raise WriteConcernError(first.get("errmsg", "not durable"), first.get("code"), first) from exc
