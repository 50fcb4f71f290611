"""MongoDB as the services use it: one client, ids in blocks, indexes, the outbox, idempotency keys."""

from parley.common.mongo.client import OUTAGES, Document, Index, Mongo
from parley.common.mongo.idempotency import MongoIdempotency
from parley.common.mongo.ids import IdBlocks
from parley.common.mongo.outbox import Outbox, Projection, entry_of

__all__ = [
    "OUTAGES",
    "Document",
    "IdBlocks",
    "Index",
    "Mongo",
    "MongoIdempotency",
    "Outbox",
    "Projection",
    "entry_of",
]
