"""Everything chat's database must have: the indexes that its queries walk, and its migrations."""

from __future__ import annotations

from parley.chat.accounts import login_throttling_repository
from parley.chat.accounts import repository as accounts
from parley.chat.ai import usage
from parley.chat.api_keys import repository as api_keys
from parley.chat.audit import repository as audit
from parley.chat.clients import presence
from parley.chat.conversations import query_repository
from parley.chat.conversations import repository as conversations
from parley.chat.invitations import repository as invitations
from parley.chat.knowledge import repository as knowledge
from parley.chat.messages import repository as messages
from parley.chat.migrations import MIGRATIONS
from parley.chat.privacy import repository as personal_data
from parley.chat.sessions import repository as sessions
from parley.chat.sites import repository as sites
from parley.chat.team import repository as team
from parley.chat.visitors import repository as visitors
from parley.common.mongodb import MongoIdempotency, Outbox, Schema

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
        *query_repository.INDEXES,
        *messages.INDEXES,
        *visitors.INDEXES,
        *presence.INDEXES,
        *usage.INDEXES,
        *accounts.INDEXES,
        *api_keys.INDEXES,
        *audit.INDEXES,
        *login_throttling_repository.INDEXES,
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
