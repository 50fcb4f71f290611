"""The schema of chat's database: the indexes of all features, the collections with an outbox, and the migrations."""

from __future__ import annotations

from parley.chat import mongo_limits
from parley.chat.accounts import login_throttling_repository
from parley.chat.accounts import repository as accounts
from parley.chat.ai import usage_repository
from parley.chat.answer_tests import repository as answer_tests
from parley.chat.answer_tests import run_repository as answer_test_runs
from parley.chat.api_keys import repository as api_keys
from parley.chat.assignment import repository as assignment
from parley.chat.audit import repository as audit
from parley.chat.bulk_actions import repository as bulk_actions
from parley.chat.canned_replies import repository as canned_replies
from parley.chat.conversations import query_repository
from parley.chat.conversations import repository as conversations
from parley.chat.corrections import repository as corrections
from parley.chat.files import repository as files
from parley.chat.identification import repository as identification
from parley.chat.knowledge import repository as knowledge
from parley.chat.knowledge_gaps import repository as knowledge_gaps
from parley.chat.knowledge_sources import document_repository as knowledge_documents
from parley.chat.knowledge_sources import repository as knowledge_sources
from parley.chat.knowledge_sources import server_turns
from parley.chat.labels import repository as labels
from parley.chat.mcp_servers import repository as mcp_servers
from parley.chat.messages import repository as messages
from parley.chat.migrations import MIGRATIONS
from parley.chat.presence import repository as presence
from parley.chat.privacy import repository as personal_data
from parley.chat.reports import repository as reports
from parley.chat.retrieval import repository as retrieval
from parley.chat.search import index as search_index
from parley.chat.sessions import repository as sessions
from parley.chat.sites import repository as sites
from parley.chat.team import repository as team
from parley.chat.teams import repository as teams
from parley.chat.tools import repository as tools
from parley.chat.transcripts import repository as transcripts
from parley.chat.triggers import repository as triggers
from parley.chat.uploads import repository as uploads
from parley.chat.views import repository as views
from parley.chat.visitors import repository as visitors
from parley.common.mongodb import DatabaseSchema, MongoIdempotencyStore, outbox_indexes

OUTBOX_COLLECTIONS = (
    conversations.COLLECTION,
    accounts.OPERATORS,
    sites.COLLECTION,
    sessions.COLLECTION,
    personal_data.COLLECTION,
    teams.COLLECTION,
    identification.COLLECTION,
    transcripts.COLLECTION,
)

SCHEMA = DatabaseSchema(
    indexes=(
        *conversations.INDEXES,
        *query_repository.INDEXES,
        *messages.INDEXES,
        *visitors.INDEXES,
        *uploads.INDEXES,
        *files.INDEXES,
        *identification.INDEXES,
        *presence.INDEXES,
        *usage_repository.INDEXES,
        *accounts.INDEXES,
        *answer_tests.INDEXES,
        *answer_test_runs.INDEXES,
        *api_keys.INDEXES,
        *audit.INDEXES,
        *login_throttling_repository.INDEXES,
        *bulk_actions.INDEXES,
        *canned_replies.INDEXES,
        *corrections.INDEXES,
        *knowledge.INDEXES,
        *knowledge_gaps.INDEXES,
        *knowledge_sources.INDEXES,
        *knowledge_documents.INDEXES,
        *server_turns.INDEXES,
        *retrieval.INDEXES,
        *search_index.INDEXES,
        *labels.INDEXES,
        *views.INDEXES,
        *reports.INDEXES,
        *sessions.INDEXES,
        *sites.INDEXES,
        *team.INDEXES,
        *teams.INDEXES,
        *mcp_servers.INDEXES,
        *mongo_limits.INDEXES,
        *tools.INDEXES,
        *transcripts.INDEXES,
        *triggers.INDEXES,
        *assignment.INDEXES,
        *personal_data.INDEXES,
        *MongoIdempotencyStore.indexes,
        *outbox_indexes(OUTBOX_COLLECTIONS),
    ),
    migrations=MIGRATIONS,
)
