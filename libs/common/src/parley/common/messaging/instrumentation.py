"""Spans of what travels by the broker, named by OpenTelemetry's conventions for messaging.

A message names its producer's span as the parent, and its consumers' spans are children of that: every event is handled
by itself, so one trace is the whole of what a click caused. Only work on several events at once needs links.
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
def publish_spans(keyed: Sequence[tuple[Event, Document]]) -> Iterator[Sequence[tuple[Event, Document]]]:
    """A producer's span for each event, under what caused it; the events as they then travel."""
    if not tracing.enabled():
        yield keyed
        return
    spans = [_produced(event) for event, _ in keyed]
    try:
        yield [
            pair if span is tracing.NOOP_SPAN else (pair[0], {**pair[1], "traceparent": span.traceparent})
            for pair, span in zip(keyed, spans, strict=True)
        ]
    except Exception as exc:
        for span in spans:
            span.set_error(type(exc).__name__)
        raise
    finally:
        for span in spans:
            span.end()


def consumer_span(event: Event, queue: str) -> Span:
    """A consumer's span for the event, under its producer's."""
    return tracing.span(
        f"process {event.type}", SpanKind.CONSUMER, _attributes(event, queue, "process"), parent=event.traceparent
    )


def rpc_client_span(service: str, question: str) -> Span:
    """The asker's span."""
    return tracing.span(f"ask {service} {question}", SpanKind.CLIENT, _rpc(service, question))


def rpc_server_span(service: str, question: str, parent: str | None) -> Span:
    """The span of whoever answers."""
    return tracing.span(f"answer {question}", SpanKind.SERVER, _rpc(service, question), parent=parent)


def _produced(event: Event) -> Span:
    return tracing.span(
        f"publish {event.type}",
        SpanKind.PRODUCER,
        _attributes(event, topology.EVENTS_EXCHANGE, "send"),
        parent=event.traceparent,
    )


def _attributes(event: Event, destination: str, operation: str) -> Attributes:
    # Not the event's id: where an event is made in the database, it has the visitor's in it.
    return {
        "messaging.system": "rabbitmq",
        "messaging.destination.name": destination,
        "messaging.operation.type": operation,
        "messaging.operation.name": "publish" if operation == "send" else operation,
        "parley.event.type": event.type,
    }


def _rpc(service: str, question: str) -> Attributes:
    return {"rpc.system": "amqp", "rpc.service": service, "rpc.method": question}
