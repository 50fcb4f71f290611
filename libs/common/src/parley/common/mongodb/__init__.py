"""MongoDB: one client per process, its schema and migrations, the outbox, idempotency keys."""

from parley.common.mongodb.client import Mongo
from parley.common.mongodb.errors import TRANSIENT_ERRORS, SchemaError, SchemaNotReady
from parley.common.mongodb.idempotency import MongoIdempotencyStore
from parley.common.mongodb.outbox import Outbox, OutboxInsert, outbox_indexes, to_outbox_entry
from parley.common.mongodb.schema import DatabaseSchema, Document, Index, Migration, MigrationContext, Phase

__all__ = [
    "TRANSIENT_ERRORS",
    "DatabaseSchema",
    "Document",
    "Index",
    "Migration",
    "MigrationContext",
    "Mongo",
    "MongoIdempotencyStore",
    "Outbox",
    "OutboxInsert",
    "Phase",
    "SchemaError",
    "SchemaNotReady",
    "outbox_indexes",
    "to_outbox_entry",
]
