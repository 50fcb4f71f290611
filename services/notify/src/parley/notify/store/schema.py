"""Everything notify's database must have."""

from __future__ import annotations

from parley.common.mongo import MongoIdempotency, Schema
from parley.notify.store import deliveries, seen, tickets, tokens

SCHEMA = Schema(
    indexes=(
        *tickets.INDEXES,
        *tokens.INDEXES,
        *deliveries.INDEXES,
        *seen.INDEXES,
        *MongoIdempotency.indexes,
    )
)
