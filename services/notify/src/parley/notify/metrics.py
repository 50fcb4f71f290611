"""Prometheus metrics of notify: streams, the event log, push notifications, mail."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

STREAMS = Gauge("parley_notify_streams", "Streams open now.", ["kind"])
FRAMES_WRITTEN = Counter("parley_notify_frames_written_total", "Events and comments written to streams.", ["kind"])
STREAMS_ENDED = Counter("parley_notify_streams_ended_total", "Streams that ended, by reason.", ["reason"])
RESUMES = Counter("parley_notify_resumes_total", "Streams opened, by how they started.", ["outcome"])
PARTITIONS_FOLLOWED = Gauge("parley_notify_partitions_followed", "Partitions of the event log that are being read.")
LOG_POSITION = Gauge("parley_notify_log_position", "Newest position read from a partition.", ["partition"])
LOG_BEHIND = Gauge(
    "parley_notify_log_behind_seconds", "Age of a partition's newest event when it was read.", ["partition"]
)
LOG_CATCH_UP = Histogram(
    "parley_notify_catch_up_seconds",
    "From when a partition is needed until it is read up to its end.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 1.5, 3, 10),
)
LOG_FAULTS = Counter("parley_notify_log_faults_total", "Events of the log that could not be shown.")
WINDOW_EVENTS = Gauge("parley_notify_window_events", "Events in the replay buffers.")
WINDOW_BYTES = Gauge("parley_notify_window_bytes", "Size of the replay buffers in bytes.")
PUSH_PARTITIONS = Gauge(
    "parley_notify_push_partitions", "Partitions whose push notifications are planned by this replica."
)
PUSH_BACKLOG = Gauge(
    "parley_notify_push_backlog",
    "Deliveries that are due or being sent; each replica shows those of all.",
)
PUSH_LAG = Gauge("parley_notify_push_lag_seconds", "How long the oldest delivery has been due and not been claimed.")
PUSHES = Counter("parley_notify_pushes_total", "Push notifications by outcome.", ["outcome"])
PUSHES_CLOSED = Counter(
    "parley_notify_pushes_closed_total", "Pushes that close a shown notification, by outcome.", ["outcome"]
)
PUSH_AGE = Histogram(
    "parley_notify_push_age_seconds",
    "From the event to the provider's acceptance of its push.",
    buckets=(1, 2, 5, 6, 7.5, 10, 15, 30, 60, 300, 900, 3600),
)
MAILS = Counter("parley_notify_mails_total", "Mails by outcome.", ["outcome"])
MAIL_WAITING = Gauge(
    "parley_notify_mail_waiting_seconds",
    "Age of the oldest mail that waits to be sent; each replica shows that of all.",
)
PUSH_TRIGGERS_DROPPED = Counter(
    "parley_notify_push_notes_dropped_total", "Push triggers and seen marks dropped at a bound."
)
