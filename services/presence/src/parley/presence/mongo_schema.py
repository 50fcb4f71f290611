"""The indexes of presence's database."""

from __future__ import annotations

from parley.common.mongodb import DatabaseSchema, MongoIdempotencyStore, outbox_indexes
from parley.presence.operators import repository as operators
from parley.presence.visitors import repository as visitors

OUTBOX_COLLECTIONS = (operators.COLLECTION, visitors.COLLECTION)

SCHEMA = DatabaseSchema(
    indexes=(
        *operators.INDEXES,
        *visitors.INDEXES,
        *MongoIdempotencyStore.indexes,
        *outbox_indexes(OUTBOX_COLLECTIONS),
    )
)
