"""MongoDB as the services use it: one client, its schema, ids in blocks, the outbox, idempotency keys."""

from parley.common.mongo.client import Mongo
from parley.common.mongo.idempotency import MongoIdempotency
from parley.common.mongo.ids import IdBlocks
from parley.common.mongo.outages import OUTAGES, SchemaFault, SchemaNotReady
from parley.common.mongo.outbox import Outbox, Projection, entry_of
from parley.common.mongo.schema import Document, Index, Migration, Phase, Schema, Work

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
