"""Chat's own Prometheus metrics, in addition to those of every service."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("parley_chat_messages_total", "Messages stored.", ["role"])
TRANSITIONS = Counter("parley_chat_transitions_total", "Changes of conversations, by event type.", ["event"])
AI_REPLIES = Counter("parley_chat_answers_total", "AI replies, by how they ended.", ["outcome"])
AI_EMPTY_REPLIES = Counter(
    "parley_chat_empty_answers_total", "AI replies that were no answer, by what the engine sent instead.", ["reason"]
)
AI_REMOVED_ADDRESSES = Counter(
    "parley_chat_removed_addresses_total",
    "Links, e-mail addresses and telephone numbers in AI replies that no source has named, and that were removed.",
)
UNANSWERED_QUESTIONS = Counter(
    "parley_chat_unanswered_questions_total",
    "Visitors' questions that the site's knowledge had no answer to: declined, or handed over to a person.",
    ["outcome"],
)
AI_CAPS_REACHED = Counter(
    "parley_chat_ai_caps_reached_total",
    "Replies to visitors that the AI did not give, or not to the end, by what was used up for the day.",
    ["cap"],
)
AI_FALLBACKS = Counter(
    "parley_chat_ai_fallbacks_total",
    "Failures of an engine of a site with several, by reason; breaker_open: the first one was left alone.",
    ["reason"],
)
AI_BREAKERS_OPENED = Counter(
    "parley_chat_ai_breakers_opened_total", "Engines of sites that are left alone as they kept failing."
)
AI_CHECKS = Counter(
    "parley_chat_ai_checks_total", "Checks of sites' AI endpoints, by the first failure: ok if none.", ["result"]
)
RETRIEVAL_SECONDS = Histogram(
    "parley_chat_retrieval_seconds",
    "Seconds to find the passages for a question, with waiting for the worker.",
    buckets=(0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.5, 1, 3, 10),
)
RETRIEVAL_PASSAGES = Histogram(
    "parley_chat_retrieval_passages",
    "Passages of a site when its index is built.",
    buckets=(10, 30, 100, 300, 1000, 3000, 10_000, 50_000),
)
RETRIEVAL_WORKER_FAILURES = Counter(
    "parley_chat_retrieval_worker_failures_total",
    "Requests that failed because the retrieval worker died or took too long; it is started again for the next one.",
)
TOOL_CALLS = Counter(
    "parley_chat_tool_calls_total",
    "Calls of sites' tools that the AI asked for, by where the tool comes from (http, mcp, none) and how they ended.",
    ["source", "outcome"],
)
TOOL_SECONDS = Histogram(
    "parley_chat_tool_seconds",
    "Seconds until a site's system answered a call of a tool, or the call failed, by where the tool comes from.",
    ["source"],
    buckets=(0.03, 0.1, 0.3, 1, 3, 10, 30),
)
COPILOT_TEXTS = Counter(
    "parley_chat_copilot_texts_total",
    "Drafts that operators asked the AI for, by task and how it ended.",
    ["task", "outcome"],
)
FORMS = Counter("parley_chat_forms_total", "Forms that visitors have answered, by form.", ["form"])
ANSWER_TEST_RUNS = Counter(
    "parley_chat_answer_test_runs_total", "Runs of answer tests that ended: done, or why not.", ["result"]
)
ANSWER_TESTS = Counter(
    "parley_chat_answer_tests_total", "Answer tests that were run, by how the tested settings answered.", ["verdict"]
)
WRITE_CONFLICTS = Counter(
    "parley_chat_write_conflicts_total", "Conversation writes retried because another write came first."
)
OPERATOR_TIMEOUTS = Counter(
    "parley_chat_operator_timeouts_total", "Conversations released because the operator did not reply in time.", ["to"]
)
RETURNED_CONVERSATIONS = Counter(
    "parley_chat_returned_conversations_total",
    "Conversations returned to the queue because their operator was removed, suspended or lost the permission to chat.",
)
ASSIGNMENTS = Counter(
    "parley_chat_assignments_total",
    "Attempts to assign waiting conversations, by result: assigned, lost to another writer, or no_candidate.",
    ["result"],
)
ASSIGNMENT_SECONDS = Histogram(
    "parley_chat_assignment_seconds",
    "Seconds that visitors waited in the queue until their conversation was assigned.",
    buckets=(0.1, 0.3, 1, 3, 10, 30, 60, 180, 600, 1800),
)
CLOSED_FOR_SILENCE = Counter(
    "parley_chat_closed_for_silence_total", "Conversations closed because the visitor did not answer in time."
)
IDENTIFICATIONS = Counter(
    "parley_chat_identifications_total",
    "Tokens by which sites identify visitors: identified, not_configured, or why the token was refused.",
    ["outcome"],
)
TRIGGERS = Counter(
    "parley_chat_triggers_total", "Triggers that visitors were shown, opened the chat at, and answered.", ["step"]
)
LOGIN_BLOCKS = Counter("parley_chat_login_blocks_total", "Blocks of logins after too many wrong passwords.")
IMAGE_SECONDS = Histogram(
    "parley_chat_image_seconds",
    "Seconds to re-encode an image, without waiting for its turn.",
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
)
IMAGE_WORKER_FAILURES = Counter(
    "parley_chat_image_worker_failures_total", "Images refused because their worker process died or took too long."
)
IMAGES_WAITING = Gauge("parley_chat_images_waiting", "Images that are re-encoded or wait for it.")
STORAGE_FAILURES = Counter(
    "parley_chat_storage_failures_total", "Failed operations on stored images.", ["operation", "cause"]
)
REPORT_FACT_LAG = Histogram(
    "parley_chat_report_fact_lag_seconds",
    "Seconds from a change of a conversation until its fact for the reports is stored.",
    buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000),
)
REPORT_DAY_SECONDS = Histogram(
    "parley_chat_report_day_seconds",
    "Seconds to build the report tables of one day of a site.",
    buckets=(0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
)
UPLOADS = Counter("parley_chat_uploads_total", "Images uploaded.", ["outcome"])
FILE_UPLOADS = Counter(
    "parley_chat_file_uploads_total", "Files uploaded, by kind (none if refused) and result.", ["kind", "result"]
)
FILE_BYTES = Counter("parley_chat_file_bytes_total", "Bytes of the files that were stored.", ["kind"])
FILES_EXPIRED = Counter("parley_chat_files_expired_total", "Files deleted after their time, by why.", ["reason"])
SEARCH_SECONDS = Histogram(
    "parley_chat_search_seconds",
    "Seconds to answer a search.",
    buckets=(0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.2, 0.5, 1, 3),
)
SEARCH_LAG_SECONDS = Histogram(
    "parley_chat_search_lag_seconds",
    "Seconds from when a message or note was written until searches find it.",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30, 300),
)
SEARCH_OPEN_DOCUMENTS = Gauge(
    "parley_chat_search_open_documents", "Documents of the search index that wait for a segment, as last counted."
)
KNOWLEDGE_SYNC_SECONDS = Histogram(
    "parley_chat_knowledge_sync_seconds",
    "Seconds that a replica worked at a sync of a knowledge source, by the source's kind.",
    ["kind"],
    buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000),
)
KNOWLEDGE_SYNC_FAILURES = Counter(
    "parley_chat_knowledge_sync_failures_total",
    "Syncs of knowledge sources that failed as a whole, by why.",
    ["reason"],
)
KNOWLEDGE_DOCUMENTS = Counter(
    "parley_chat_knowledge_documents_total",
    "Documents of knowledge sources that were looked at: read, unchanged, or why they were not read.",
    ["result"],
)
KNOWLEDGE_FETCH_SECONDS = Histogram(
    "parley_chat_knowledge_fetch_seconds",
    "Seconds until a website's page was fetched, or the request failed.",
    buckets=(0.03, 0.1, 0.3, 1, 3, 10, 30),
)
EXTRACTION_WORKER_FAILURES = Counter(
    "parley_chat_extraction_worker_failures_total",
    "Documents refused because the process that reads them died or took too long.",
)
