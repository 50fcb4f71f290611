"""MongoDB as the services use it: one client, its schema, ids in blocks, the outbox, idempotency keys."""

from parley.common.mongodb.client import Mongo
from parley.common.mongodb.errors import TRANSIENT_ERRORS, SchemaError, SchemaNotReady
from parley.common.mongodb.idempotency import MongoIdempotencyStore
from parley.common.mongodb.ids import BlockIdGenerator
from parley.common.mongodb.outbox import Outbox, OutboxInsert, to_outbox_entry
from parley.common.mongodb.schema import Document, Index, Migration, MigrationContext, Phase, Schema

__all__ = [
    "TRANSIENT_ERRORS",
    "BlockIdGenerator",
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
    "to_outbox_entry",
]
