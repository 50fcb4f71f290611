"""When the database cannot be used for now: what pymongo raises, and what its schema's not being there raises."""

from __future__ import annotations

from pymongo.errors import ConnectionFailure, ExecutionTimeout, NetworkTimeout, PyMongoError, WTimeoutError


class SchemaNotReady(PyMongoError):
    """The database is not what this code needs, yet or any more; the sentence says what is wanted and what is there.

    A PyMongoError, so that whoever is prepared for the database being away is prepared for this.
    """


class SchemaError(SchemaNotReady):
    """Waiting alone will not mend it: a migration failed, an index is defined otherwise, the code is too old."""


TRANSIENT_ERRORS: tuple[type[Exception], ...] = (
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    WTimeoutError,
    SchemaNotReady,
)
"""What is raised while the database is away, changes its primary or is not ready: 503 at the door, tried again in
sweeps."""
