"""Prometheus metrics that every service has, and the page that shows them.

Labels are few and fixed: never an id, never anything a visitor wrote.
"""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

HTTP_REQUESTS = Counter("parley_http_requests_total", "Requests answered.", ["method", "route", "status"])
HTTP_SECONDS = Histogram(
    "parley_http_request_seconds", "Seconds to answer (to the first byte of a stream).", ["route"], buckets=_SECONDS
)
EVENTS_PUBLISHED = Counter("parley_events_published_total", "Events confirmed by the broker.", ["type"])
EVENTS_CONSUMED = Counter("parley_events_consumed_total", "Events taken from a queue.", ["queue", "outcome"])
OUTBOX_PENDING = Gauge("parley_outbox_pending", "Documents whose events wait for the broker, at the last sweep.")
OUTBOX_OLDEST = Gauge("parley_outbox_oldest_seconds", "Age of the oldest waiting event, at the last sweep.")
OUTBOX_SECONDS = Histogram(
    "parley_outbox_publish_seconds", "Seconds from an event's write to the broker's confirm.", buckets=_SECONDS
)
TRACE_SPANS = Counter("parley_trace_spans_total", "Spans recorded, by what became of them.", ["outcome"])
SCHEMA_WAITING = Gauge("parley_schema_waiting", "1 while this replica waits for its database's schema.")
SCHEMA_VERSION = Gauge("parley_schema_version", "The newest migration that this replica's database has seen.")
SCHEMA_PENDING = Gauge("parley_schema_pending", "Migrations of this replica's version that are not done yet.")
SCHEMA_DOCUMENTS = Gauge("parley_schema_documents", "Documents that the migration under way has gone through.")
BROKER_CONNECTED = Gauge("parley_broker_connected", "1 while connected to RabbitMQ.")


def render() -> tuple[bytes, str]:
    """All metrics of this process as text, and their content type."""
    return generate_latest(), CONTENT_TYPE_LATEST
