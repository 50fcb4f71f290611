"""Prometheus metrics of presence."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

HEARTBEATS = Counter("parley_presence_heartbeats_total", "Heartbeats accepted.", ["kind"])
TRANSITIONS = Counter("parley_presence_transitions_total", "Transitions written by this replica.", ["kind"])
OFFLINE_DELAY = Histogram(
    "parley_presence_offline_late_seconds",
    "Seconds between the expiry of a heartbeat and the transition to offline.",
    ["kind"],
    buckets=(0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 15.0, 60.0),
)
ONLINE = Gauge("parley_presence_online", "Operators or visitors online at the last count.", ["kind"])
BATCH_SIZE = Histogram(
    "parley_presence_batch_heartbeats",
    "Visitor heartbeats per bulk write.",
    buckets=(1, 3, 10, 30, 100, 300, 1000, 3000, 10_000),
)
PENDING_HEARTBEATS = Gauge("parley_presence_heartbeats_waiting", "Visitors whose heartbeats are not written yet.")
