"""The indexes of presence's database."""

from __future__ import annotations

from parley.common.mongodb import MongoIdempotencyStore, Outbox, Schema
from parley.presence.operators import repository as operators
from parley.presence.visitors import repository as visitors

OUTBOX_COLLECTIONS = (operators.COLLECTION, visitors.COLLECTION)

SCHEMA = Schema(
    indexes=(
        *operators.INDEXES,
        *visitors.INDEXES,
        *MongoIdempotencyStore.indexes,
        *Outbox.indexes_for(OUTBOX_COLLECTIONS),
    )
)
