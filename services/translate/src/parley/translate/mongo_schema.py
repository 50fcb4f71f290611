"""The indexes of translate's database."""

from __future__ import annotations

from parley.common.mongodb import DatabaseSchema, MongoIdempotencyStore, outbox_indexes
from parley.translate.conversations import repository as conversations
from parley.translate.engines import quota_repository as quota
from parley.translate.messages import repository as messages
from parley.translate.preferences import repository as preferences
from parley.translate.translations import repository as translations

OUTBOX_COLLECTIONS = (preferences.COLLECTION, messages.COLLECTION)

SCHEMA = DatabaseSchema(
    indexes=(
        *conversations.INDEXES,
        *preferences.INDEXES,
        *translations.INDEXES,
        *messages.INDEXES,
        *quota.INDEXES,
        *MongoIdempotencyStore.indexes,
        *outbox_indexes(OUTBOX_COLLECTIONS),
    )
)
