"""The database schema of notify: every collection's indexes, and the migrations."""

from __future__ import annotations

from parley.common.mongodb import DatabaseSchema, MongoIdempotencyStore
from parley.notify.mail import delivery_repository as mail_deliveries
from parley.notify.migrations import MIGRATIONS
from parley.notify.push import cursor_repository, delivery_repository, seen_repository, token_repository
from parley.notify.tickets import repository as tickets

SCHEMA = DatabaseSchema(
    indexes=(
        *tickets.INDEXES,
        *token_repository.INDEXES,
        *delivery_repository.INDEXES,
        *cursor_repository.INDEXES,
        *seen_repository.INDEXES,
        *mail_deliveries.INDEXES,
        *MongoIdempotencyStore.indexes,
    ),
    migrations=MIGRATIONS,
)
