"""Everything translate's database must have: what its queries and expiries need."""

from __future__ import annotations

from parley.common.mongo import MongoIdempotency, Outbox, Schema
from parley.translate.store import preferences, translations
from parley.translate.store.conversations import MongoConversations
from parley.translate.store.spending import MongoBudget
from parley.translate.store.translations import MongoCache, MongoDeliveries

OUTBOX_COLLECTIONS = (preferences.COLLECTION, translations.DELIVERIES)

SCHEMA = Schema(
    indexes=(
        *MongoConversations.indexes,
        *preferences.INDEXES,
        *MongoCache.indexes,
        *MongoDeliveries.indexes,
        *MongoBudget.indexes,
        *MongoIdempotency.indexes,
        *Outbox.indexes_of(OUTBOX_COLLECTIONS),
    )
)
