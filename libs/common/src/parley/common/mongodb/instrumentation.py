"""MongoDB's commands as spans: what was done to which collection, never with what."""

from __future__ import annotations

from contextvars import ContextVar

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from parley.common.observability import tracing
from parley.common.observability.tracing import Span, SpanKind

_under_way: ContextVar[tuple[int, Span] | None] = ContextVar("parley_mongo_span", default=None)
"""The command that the running task waits for, and the driver's number of it. A task waits for one at a time; one
that is cancelled meanwhile is never ended, and so never sent."""


class MongoCommandTracer(CommandListener):
    """Listens to the driver: it calls these in the task that waits for the answer."""

    def started(self, event: CommandStartedEvent) -> None:
        name = event.command_name
        target = event.command.get("collection" if name == "getMore" else name)
        collection = target if isinstance(target, str) else ""
        attributes = {"db.system.name": "mongodb", "db.namespace": event.database_name, "db.operation.name": name}
        if collection:
            attributes["db.collection.name"] = collection
        span = tracing.span(f"{name} {collection}".rstrip(), SpanKind.CLIENT, attributes)
        if span is not tracing.NOOP_SPAN:
            _under_way.set((event.request_id, span))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        span = _ended(event.request_id)
        if span is not None:
            span.end()

    def failed(self, event: CommandFailedEvent) -> None:
        span = _ended(event.request_id)
        if span is not None:
            code = event.failure.get("code")
            span.set_error(str(code) if code is not None else "connection")
            span.end()


def _ended(request_id: int) -> Span | None:
    found = _under_way.get()
    if found is None or found[0] != request_id:
        return None
    _under_way.set(None)
    return found[1]
