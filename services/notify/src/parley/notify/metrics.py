"""What notify tells Prometheus of: streams, the log, pushes."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

STREAMS = Gauge("parley_notify_streams", "Streams open now.", ["kind"])
FRAMES_WRITTEN = Counter("parley_notify_frames_written_total", "Events and comments written to streams.", ["kind"])
STREAMS_ENDED = Counter("parley_notify_streams_ended_total", "Streams that ended, by why.", ["reason"])
RESUMES = Counter("parley_notify_resumes_total", "Streams opened, by how they began.", ["outcome"])
LOG_POSITION = Gauge("parley_notify_log_position", "The newest position taken from the log.")
LOG_BEHIND = Gauge("parley_notify_log_behind_seconds", "From an event's happening to its being taken from the log.")
LOG_FAULTS = Counter("parley_notify_log_faults_total", "Records of the log that could not be shown.")
WINDOW_EVENTS = Gauge("parley_notify_window_events", "Events that can be replayed.")
WINDOW_BYTES = Gauge("parley_notify_window_bytes", "Bytes of their frames.")
PUSHES = Counter("parley_notify_pushes_total", "Pushes by what came of them.", ["outcome"])
PUSH_AGE = Histogram(
    "parley_notify_push_age_seconds",
    "From an event to the provider's taking its push.",
    buckets=(1, 2, 5, 6, 7.5, 10, 15, 30, 60, 300, 900, 3600),
)
PUSH_NOTES_DROPPED = Counter("parley_notify_push_notes_dropped_total", "Events let go because a bound was reached.")
