"""The exceptions that mean "the database cannot be used now": pymongo's, and those about the schema."""

from __future__ import annotations

from pymongo.errors import (
    ConnectionFailure,
    CursorNotFound,
    ExecutionTimeout,
    NetworkTimeout,
    PyMongoError,
    WriteConcernError,
)

from parley.common.runtime.tasks import NotReadyYet


class SchemaNotReady(PyMongoError, NotReadyYet):
    """The database does not have, or no longer has, the schema that this code needs; the message says both.

    A PyMongoError, so that code that handles an unavailable database handles this too. The service itself logs it.
    """


class SchemaError(SchemaNotReady):
    """Waiting does not help: a migration failed, an index has another definition, or this code is too old."""


TRANSIENT_ERRORS: tuple[type[Exception], ...] = (
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    # A majority has not confirmed the write: too slow, or the primary stepped down meanwhile.
    WriteConcernError,
    # The server was restarted while a list was read.
    CursorNotFound,
    SchemaNotReady,
)
"""Raised while the database is unavailable, elects a primary or is not ready: answered with 503, retried by sweeps."""
