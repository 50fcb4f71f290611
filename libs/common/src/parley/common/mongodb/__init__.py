"""MongoDB: one client per process, its schema and migrations, the outbox, idempotency keys."""

from parley.common.mongodb.client import Mongo
from parley.common.mongodb.errors import TRANSIENT_ERRORS, SchemaError, SchemaNotReady
from parley.common.mongodb.idempotency import MongoIdempotencyStore
from parley.common.mongodb.outbox import Outbox, OutboxInsert, outbox_indexes, to_outbox_entry
from parley.common.mongodb.schema import Document, Index, Migration, MigrationContext, Phase, Schema

__all__ = [
    "TRANSIENT_ERRORS",
    "Document",
    "Index",
    "Migration",
    "MigrationContext",
    "Mongo",
    "MongoIdempotencyStore",
    "Outbox",
    "OutboxInsert",
    "Phase",
    "Schema",
    "SchemaError",
    "SchemaNotReady",
    "outbox_indexes",
    "to_outbox_entry",
]
