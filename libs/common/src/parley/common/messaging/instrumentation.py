"""Spans of events and RPC, named by OpenTelemetry's conventions for messaging.

A message carries its producer's span as the parent of its consumers' spans: each event is handled by itself, so one
trace shows everything that a click caused. Only work on several events together needs links.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from parley.common.events import Event
from parley.common.messaging import topology
from parley.common.observability import tracing
from parley.common.observability.tracing import Attributes, Span, SpanKind

Document = dict[str, Any]


@contextmanager
def publish_spans(events: Sequence[tuple[Event, Document]]) -> Iterator[Sequence[tuple[Event, Document]]]:
    """Open a producer span for each event; yield the events with their documents carrying these spans."""
    if not tracing.enabled():
        yield events
        return
    spans = [_producer_span(event) for event, _ in events]
    try:
        yield [
            pair if span is tracing.NOOP_SPAN else (pair[0], {**pair[1], "traceparent": span.traceparent})
            for pair, span in zip(events, spans, strict=True)
        ]
    except Exception as exc:
        for span in spans:
            span.set_error(type(exc).__name__)
        raise
    finally:
        for span in spans:
            span.end()


def consumer_span(event: Event, queue: str) -> Span:
    """Open a span for handling an event, under its producer's."""
    return tracing.span(
        f"process {event.type}", SpanKind.CONSUMER, _attributes(event, queue, "process"), parent=event.traceparent
    )


def rpc_client_span(service: str, method: str) -> Span:
    """Open a span for calling a method."""
    return tracing.span(f"{service}/{method}", SpanKind.CLIENT, _rpc_attributes(service, method))


def rpc_server_span(service: str, method: str, parent: str | None) -> Span:
    """Open a span for serving a call, under the client's."""
    return tracing.span(f"{service}/{method}", SpanKind.SERVER, _rpc_attributes(service, method), parent=parent)


def _producer_span(event: Event) -> Span:
    return tracing.span(
        f"publish {event.type}",
        SpanKind.PRODUCER,
        _attributes(event, topology.EVENTS_EXCHANGE, "send"),
        parent=event.traceparent,
    )


def _attributes(event: Event, destination: str, operation: str) -> Attributes:
    # Not the event's id: ids of events made in the database contain the visitor's.
    return {
        "messaging.system": "rabbitmq",
        "messaging.destination.name": destination,
        "messaging.operation.type": operation,
        "messaging.operation.name": "publish" if operation == "send" else operation,
        "parley.event.type": event.type,
    }


def _rpc_attributes(service: str, method: str) -> Attributes:
    return {"rpc.system": "amqp", "rpc.service": service, "rpc.method": method}
