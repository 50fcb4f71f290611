"""Everything chat's database must have: the indexes that its queries walk, and its migrations."""

from __future__ import annotations

from parley.chat.store import (
    accounts,
    api_keys,
    audit,
    conversations,
    failures,
    invitations,
    knowledge,
    lists,
    messages,
    personal_data,
    sessions,
    sites,
    spending,
    team,
    visitors,
    whereabouts,
)
from parley.chat.store.migrations import MIGRATIONS
from parley.common.mongo import MongoIdempotency, Outbox, Schema

OUTBOX_COLLECTIONS = (
    conversations.COLLECTION,
    accounts.OPERATORS,
    sites.COLLECTION,
    sessions.COLLECTION,
    personal_data.COLLECTION,
)

SCHEMA = Schema(
    indexes=(
        *conversations.INDEXES,
        *lists.INDEXES,
        *messages.INDEXES,
        *visitors.INDEXES,
        *whereabouts.INDEXES,
        *spending.INDEXES,
        *accounts.INDEXES,
        *api_keys.INDEXES,
        *audit.INDEXES,
        *failures.INDEXES,
        *invitations.INDEXES,
        *knowledge.INDEXES,
        *sessions.INDEXES,
        *sites.INDEXES,
        *team.INDEXES,
        *personal_data.INDEXES,
        *MongoIdempotency.indexes,
        *Outbox.indexes_of(OUTBOX_COLLECTIONS),
    ),
    migrations=MIGRATIONS,
)
