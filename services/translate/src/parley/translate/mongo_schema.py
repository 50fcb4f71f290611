"""Everything translate's database must have: what its queries and expiries need."""

from __future__ import annotations

from parley.common.mongodb import MongoIdempotency, Outbox, Schema
from parley.translate.conversations.repository import MongoConversations
from parley.translate.engines.character_quota import MongoBudget
from parley.translate.preferences import repository as preferences
from parley.translate.translations import repository as translations
from parley.translate.translations.repository import MongoCache, MongoDeliveries

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
