"""MongoDB as the services use it: one client, its schema, ids in blocks, the outbox, idempotency keys."""

from parley.common.mongodb.client import Mongo
from parley.common.mongodb.errors import OUTAGES, SchemaFault, SchemaNotReady
from parley.common.mongodb.idempotency import MongoIdempotency
from parley.common.mongodb.ids import IdBlocks
from parley.common.mongodb.outbox import Outbox, Projection, entry_of
from parley.common.mongodb.schema import Document, Index, Migration, Phase, Schema, Work

__all__ = [
    "OUTAGES",
    "Document",
    "IdBlocks",
    "Index",
    "Migration",
    "Mongo",
    "MongoIdempotency",
    "Outbox",
    "Phase",
    "Projection",
    "Schema",
    "SchemaFault",
    "SchemaNotReady",
    "Work",
    "entry_of",
]
