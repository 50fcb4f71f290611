"""The exceptions that mean "the database cannot be used now": pymongo's, and those about the schema."""

from __future__ import annotations

from pymongo.errors import ConnectionFailure, ExecutionTimeout, NetworkTimeout, PyMongoError, WTimeoutError


class SchemaNotReady(PyMongoError):
    """The database does not have, or no longer has, the schema that this code needs; the message says both.

    A PyMongoError, so that code that handles an unavailable database handles this too.
    """


class SchemaError(SchemaNotReady):
    """Waiting does not help: a migration failed, an index has another definition, or this code is too old."""


TRANSIENT_ERRORS: tuple[type[Exception], ...] = (
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    WTimeoutError,
    SchemaNotReady,
)
"""Raised while the database is unavailable, elects a primary or is not ready: answered with 503, retried by sweeps."""
