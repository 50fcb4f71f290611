"""Everything presence's database must have."""

from __future__ import annotations

from parley.common.mongodb import MongoIdempotency, Outbox, Schema
from parley.presence.operators import repository as operators
from parley.presence.visitors import repository as visitors

OUTBOX_COLLECTIONS = (operators.COLLECTION, visitors.COLLECTION)

SCHEMA = Schema(
    indexes=(
        *operators.INDEXES,
        *visitors.INDEXES,
        *MongoIdempotency.indexes,
        *Outbox.indexes_of(OUTBOX_COLLECTIONS),
    )
)
