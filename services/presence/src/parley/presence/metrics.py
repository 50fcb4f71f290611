"""What presence counts: heartbeats, transitions and how late they came, and who is online."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

HEARTBEATS = Counter("parley_presence_heartbeats_total", "Heartbeats taken.", ["kind"])
TRANSITIONS = Counter("parley_presence_transitions_total", "Transitions found by this replica.", ["kind"])
OFFLINE_LATE = Histogram(
    "parley_presence_offline_late_seconds",
    "Seconds from the end of somebody's time to their going offline.",
    ["kind"],
    buckets=(0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 15.0, 60.0),
)
ONLINE = Gauge("parley_presence_online", "Who was online at the last count, by kind.", ["kind"])
BATCH = Histogram(
    "parley_presence_batch_heartbeats",
    "Visitor heartbeats written together.",
    buckets=(1, 3, 10, 30, 100, 300, 1000, 3000, 10_000),
)
WAITING = Gauge("parley_presence_heartbeats_waiting", "Visitors whose heartbeats wait to be written.")
