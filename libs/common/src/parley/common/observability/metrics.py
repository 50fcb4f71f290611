"""The Prometheus metrics of every service, and their text format.

Labels have few, fixed values: never an id, never a visitor's text.
"""

from __future__ import annotations

from functools import lru_cache

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

_SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

HTTP_REQUESTS = Counter("parley_http_requests_total", "Requests answered.", ["method", "route", "status"])
HTTP_SECONDS = Histogram(
    "parley_http_request_seconds",
    "Seconds to respond (to the first byte of a stream).",
    ["route"],
    buckets=_SECONDS_BUCKETS,
)
EVENTS_PUBLISHED = Counter("parley_events_published_total", "Events confirmed by the broker.", ["type"])
EVENTS_CONSUMED = Counter("parley_events_consumed_total", "Events taken from a queue.", ["queue", "outcome"])
OUTBOX_PENDING = Gauge("parley_outbox_pending", "Documents with events that wait for the broker, at the last sweep.")
OUTBOX_OLDEST = Gauge("parley_outbox_oldest_seconds", "Age of the oldest waiting event, at the last sweep.")
OUTBOX_SECONDS = Histogram(
    "parley_outbox_publish_seconds", "Seconds from an event's write to the broker's confirm.", buckets=_SECONDS_BUCKETS
)
TRACE_SPANS = Counter("parley_trace_spans_total", "Spans recorded, by outcome.", ["outcome"])
SCHEMA_WAITING = Gauge("parley_schema_waiting", "1 while this replica waits for its database's schema.")
SCHEMA_VERSION = Gauge("parley_schema_version", "The newest migration of this replica's database.")
SCHEMA_PENDING = Gauge("parley_schema_pending", "Migrations of this replica's version that have not run.")
SCHEMA_DOCUMENTS = Gauge("parley_schema_documents", "Documents that the running migration has processed.")
BROKER_CONNECTED = Gauge("parley_broker_connected", "1 while connected to RabbitMQ.")

BROKER_BLOCKED = Gauge("parley_broker_blocked", "1 while RabbitMQ accepts no events: it is short of memory or disk.")
TASK_FAILURES = Counter(
    "parley_task_failures_total", "Failures of background work, which is then tried again.", ["task"]
)
DEGRADED = Gauge("parley_degraded", "1 while something that requests do without does not work.", ["dependency"])


# The lookup of a metric by its labels takes longer than its increment.


@lru_cache(4096)
def http_requests(method: str, route: str, status: int) -> Counter:
    """Return the counter of these requests."""
    return HTTP_REQUESTS.labels(method, route, str(status))


@lru_cache(512)
def http_seconds(route: str) -> Histogram:
    """Return the histogram of a route's response times."""
    return HTTP_SECONDS.labels(route)


@lru_cache(512)
def events_published(event_type: str) -> Counter:
    """Return the counter of a type's events."""
    return EVENTS_PUBLISHED.labels(event_type)


def render() -> tuple[bytes, str]:
    """Return all metrics of this process as text, and the content type."""
    return generate_latest(), CONTENT_TYPE_LATEST
