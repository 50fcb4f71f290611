"""Spans of MongoDB commands: the operation and the collection, never the documents."""

from __future__ import annotations

from contextvars import ContextVar

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from parley.common.observability import tracing
from parley.common.observability.tracing import Span, SpanKind

_in_flight: ContextVar[tuple[int, Span] | None] = ContextVar("parley_mongo_span", default=None)
"""The command that the running task awaits: the driver's request id and the span. A task awaits one at a time; the span
of a cancelled command never ends, and is not exported."""


class MongoCommandTracer(CommandListener):
    """Listens to the driver, which calls it in the task that awaits the command."""

    def started(self, event: CommandStartedEvent) -> None:
        name = event.command_name
        target = event.command.get("collection" if name == "getMore" else name)
        collection = target if isinstance(target, str) else ""
        attributes = {"db.system.name": "mongodb", "db.namespace": event.database_name, "db.operation.name": name}
        if collection:
            attributes["db.collection.name"] = collection
        span = tracing.span(f"{name} {collection}".rstrip(), SpanKind.CLIENT, attributes)
        if span is not tracing.NOOP_SPAN:
            _in_flight.set((event.request_id, span))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        span = _pop_span(event.request_id)
        if span is not None:
            span.end()

    def failed(self, event: CommandFailedEvent) -> None:
        span = _pop_span(event.request_id)
        if span is not None:
            code = event.failure.get("code")
            span.set_error(str(code) if code is not None else "connection")
            span.end()


def _pop_span(request_id: int) -> Span | None:
    in_flight = _in_flight.get()
    if in_flight is None or in_flight[0] != request_id:
        return None
    _in_flight.set(None)
    return in_flight[1]
