"""Timeouts, delays and intervals of chat that are not settings, in seconds.

Five features have a `timeouts.py` of their own: `ai`, `assignment`, `identification`, `retrieval` and `triggers`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

# Other services.
TRANSLATION_TIMEOUT_SECONDS: Final = 2.0
"""How long an operator's message is held back for its translation."""
TEXT_TRANSLATION_TIMEOUT_SECONDS: Final = 40.0
"""How long a draft of a site's own text is waited for: less than the gateway waits; an engine may have to load."""
TEXT_TRANSLATION_RETRY_SECONDS: Final = 0.5
REACHABLE_TIMEOUT_SECONDS: Final = 1.0
"""How long the list of operators waits for notify to say whom a push would reach."""

ADDITION_LEASE: Final = timedelta(minutes=1)
"""How long an addition has room under a limit reserved, if its replica dies: longer than any write may take."""
TRANSCRIPT_REQUEST_RETENTION: Final = timedelta(days=3)
"""How long the address of a transcript is kept: longer than notify tries to send it."""

# Caches.
SITE_CACHE_TTL_SECONDS: Final = 30.0
REACHABILITY_CACHE_TTL_SECONDS: Final = 3.0
"""Limits the RPC calls that widgets cause. A new device counts after this time."""

# Conversations.
MAX_COMMIT_PAUSE_SECONDS: Final = 0.01
"""Between two batches of commits: bounds what a slow database adds to a message's time."""
OTHER_REPLICA_DELAY: Final = timedelta(seconds=2)
"""For what is overdue in a conversation: the replica that changed it last acts first, any other after this delay."""
REPLY_TIMEOUT_CHECK_SECONDS: Final = 1.0
"""Between two searches for operators who have not replied in time."""
SNOOZE_CHECK_SECONDS: Final = 1.0
VISITOR_SILENCE_CHECK_SECONDS: Final = 1.0
LABEL_REMOVAL_CHECK_SECONDS: Final = 2.0
"""Between two searches for conversations that have a deleted label."""
LABEL_REMOVAL_GRACE: Final = timedelta(minutes=1)
"""How long a deleted label is looked for at least: a request that was under way may still have given it."""
UNDO_WINDOW: Final = timedelta(minutes=1)
"""How long a bulk action can be undone."""
UNDO_KEPT_FOR: Final = timedelta(minutes=10)
"""How long what it changed is stored."""
MAX_SNOOZE: Final = timedelta(days=366)
SILENT_VISITOR_CHECK_SECONDS: Final = 60.0
ORPHAN_CHECK_SECONDS: Final = 60.0
"""Between two searches for what belonged to a deleted site or a removed operator."""
ERASURE_CHECK_SECONDS: Final = 5.0

# Search.
SEARCH_SEGMENT_CHECK_SECONDS: Final = 10.0
"""Between two looks whether enough documents wait for a segment of the search index."""
SEARCH_SEGMENT_LEASE: Final = timedelta(minutes=10)
"""After which a segment that is not finished is discarded. One is built within some seconds."""
VIEWING_LIFETIME_SECONDS: Final = 25
"""How long an operator counts as looking at a conversation after saying so. Panels repeat it every ten seconds."""

# Reports.
REPORT_DELAY: Final = timedelta(seconds=2)
"""After a change, until the tables of its day are built: further changes are built with it."""
REPORT_PAUSE_SHARE: Final = 20
"""The pause before a day is built again, as a multiple of the time that it took."""
REPORT_LEASE: Final = timedelta(seconds=30)
"""After which another replica builds a day that one has begun to build."""
REPORT_CHECK_SECONDS: Final = 1.0
DELETED_SITE_CHECK_SECONDS: Final = 60.0

# Logins.
MAX_LOGIN_DELAY_SECONDS: Final = 60
FIRST_OWNER_RETRY_DELAY_SECONDS: Final = 1.0

# Images.
SANITIZE_TIMEOUT_SECONDS: Final = 30.0
"""For one image. The slowest within the limits, an animation, takes about ten seconds."""
IMAGE_PROCESS_IDLE_SECONDS: Final = 60.0
"""After which the process that reads images ends."""
UNSENT_IMAGE_CHECK_SECONDS: Final = 60.0
UPLOAD_RETRY_AFTER_SECONDS: Final = 5
S3_CONNECT_TIMEOUT_SECONDS: Final = 3
S3_READ_TIMEOUT_SECONDS: Final = 15
STORAGE_CHECK_INTERVAL_SECONDS: Final = 30.0

# Files.
EXPIRED_FILE_CHECK_SECONDS: Final = 60.0
SCANNER_CONNECT_TIMEOUT_SECONDS: Final = 3.0
SCANNER_TIMEOUT_SECONDS: Final = 30.0
"""For clamd to take a part of a file, and for its verdict."""

# Knowledge sources.
SOURCE_SYNC_CHECK_SECONDS: Final = 2.0
"""Between two looks whether a source is due."""
SYNC_LEASE: Final = timedelta(seconds=30)
"""After which another replica continues a sync whose replica does not renew it."""
SYNC_LEASE_RENEWAL_SECONDS: Final = 10.0
CRAWL_PAUSE: Final = timedelta(milliseconds=500)
"""Between two requests to a website whose robots.txt asks for no other."""
MAX_CRAWL_DELAY: Final = timedelta(seconds=30)
"""Up to which the pause that a robots.txt asks for is kept."""
PAGE_TIMEOUT_SECONDS: Final = 30.0
"""For the whole response of a website."""
PAGE_CONNECT_TIMEOUT_SECONDS: Final = 10.0
PAGE_READ_TIMEOUT_SECONDS: Final = 15.0
"""Between two parts of a response."""
BUSY_SERVER_DELAY_SECONDS: Final = 30.0
"""For a website that is busy and does not say for how long."""
MAX_BUSY_SERVER_WAIT_SECONDS: Final = 5.0
"""Up to which a sync waits for a website that is busy. For longer, it is put off, and its place is free for another."""
MIN_POSTPONED_SECONDS: Final = 1.0
SERVER_PAUSE_KEPT_SECONDS: Final = 600.0
SERVER_TURN_CHECK_SECONDS: Final = 0.25
"""While another request to the website is under way."""
EXTRACTION_TIMEOUT_SECONDS: Final = 30.0
"""For one document. A PDF file of hundreds of pages takes some seconds."""
EXTRACTION_PROCESS_IDLE_SECONDS: Final = 60.0
"""After which the process that reads documents ends."""
UPLOAD_ABANDONED_AFTER: Final = timedelta(hours=1)
"""After which an uploaded file that has no document is removed: its replica has ended meanwhile."""
DELETED_SOURCE_CHECK_SECONDS: Final = 60.0

# Tools.
TOOL_CONNECT_TIMEOUT_SECONDS: Final = 5.0
MAX_TOOL_TIMEOUT_SECONDS: Final = 20
"""Up to which a site may let its system take for an answer."""
MCP_TIMEOUT_SECONDS: Final = 20.0
"""For all that a call, or a check, of an MCP server takes: connecting, its session, the list of its tools."""
MCP_CLOSE_TIMEOUT_SECONDS: Final = 2.0
"""In which an MCP server may end a session. The result is there by then."""
CONSENT_LIFETIME: Final = timedelta(minutes=10)
"""How long a visitor can agree to what the AI has asked them about."""

# Knowledge gaps.
GAP_CHECK_SECONDS: Final = 3.0
"""Between two looks whether questions wait to be grouped."""
GAP_CLAIM: Final = timedelta(minutes=2)
"""After which another replica groups a site's questions if the one that had begun does not say that it is done."""

# Answer tests.
TEST_RUN_CHECK_SECONDS: Final = 2.0
"""Between two looks whether a run waits."""
TEST_RUN_LEASE: Final = timedelta(seconds=30)
"""After which another replica continues a run whose replica does not renew it."""
TEST_RUN_LEASE_RENEWAL_SECONDS: Final = 3.0
"""Also how soon a run that was cancelled ends."""
TEST_RUN_COMMAND_SECONDS: Final = 1800
"""For a run that a command waits for."""
TEST_RUN_COMMAND_POLL_SECONDS: Final = 1.0

# Commands.
STORAGE_COMMAND_CONNECT_TIMEOUT_SECONDS: Final = 3
STORAGE_COMMAND_READ_TIMEOUT_SECONDS: Final = 5
COMMAND_CONNECT_TIMEOUT_SECONDS: Final = 10.0
COMMAND_POLL_SECONDS: Final = 0.05
BACKUP_TIMEOUT_SECONDS: Final = 10
"""To reach the database, and to find out how far the event log has come."""
DEMO_REQUEST_TIMEOUT_SECONDS: Final = 30

# Filters of lists.
MAX_WAITING_SECONDS: Final = 366 * 24 * 3600
"""The longest wait by which a list can be filtered."""
