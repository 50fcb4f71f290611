"""Prometheus metrics of notify: streams, the event log, push notifications."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

STREAMS = Gauge("parley_notify_streams", "Streams open now.", ["kind"])
FRAMES_WRITTEN = Counter("parley_notify_frames_written_total", "Events and comments written to streams.", ["kind"])
STREAMS_ENDED = Counter("parley_notify_streams_ended_total", "Streams that ended, by reason.", ["reason"])
RESUMES = Counter("parley_notify_resumes_total", "Streams opened, by how they started.", ["outcome"])
LOG_POSITION = Gauge("parley_notify_log_position", "Newest position read from the event log.")
LOG_BEHIND = Gauge("parley_notify_log_behind_seconds", "Age of the newest event when it was read from the event log.")
LOG_FAULTS = Counter("parley_notify_log_faults_total", "Events of the log that could not be shown.")
WINDOW_EVENTS = Gauge("parley_notify_window_events", "Events in the replay buffer.")
WINDOW_BYTES = Gauge("parley_notify_window_bytes", "Size of the replay buffer in bytes.")
PUSHES = Counter("parley_notify_pushes_total", "Push notifications by outcome.", ["outcome"])
PUSH_AGE = Histogram(
    "parley_notify_push_age_seconds",
    "From the event to the provider's acceptance of its push.",
    buckets=(1, 2, 5, 6, 7.5, 10, 15, 30, 60, 300, 900, 3600),
)
PUSH_TRIGGERS_DROPPED = Counter(
    "parley_notify_push_notes_dropped_total", "Push triggers and seen marks dropped at a bound."
)
