"""Spans: what took how long and what it caused, from the click to the push notification. Off without an exporter.

The context is that of `observability.logging`: entering a span makes it the running task's trace, and everything that
carries a `traceparent` (a request to a service, an event, an RPC) then names it. While tracing is off, or a trace is
not sampled, `span` returns one object that does nothing, and no OpenTelemetry library is loaded.

Names and attributes come from our own tables (routes, event types, collections): never a path, a query, a text, a token
or a visitor's id; of an exception only its class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING, Self

from parley.common.observability.logging import current_trace

if TYPE_CHECKING:
    from parley.common.observability.tracing.otel_tracer import OtelTracer
    from parley.common.runtime.settings import ServiceSettings

Attributes = Mapping[str, str | int | float | bool]


class SpanKind(Enum):
    """A span's role between processes, as OpenTelemetry defines it."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Span:
    """Work in progress. Enter it to make it the parent of what its task does; leaving it ends it.

    This base class is a span that is not recorded, and does nothing.
    """

    __slots__ = ()

    @property
    def traceparent(self) -> str:
        """Names this span as the parent, for another process."""
        return current_trace().traceparent

    def set_attribute(self, name: str, value: str | int | float | bool) -> None:
        """Set an attribute that was not known at the start."""

    def set_error(self, error_type: str) -> None:
        """Mark the span as failed, with the name of a class or a code; never a message."""

    def end(self) -> None:
        """End the span. Further calls do nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return


NOOP_SPAN = Span()
_tracer: OtelTracer | None = None


def configure(service: str, settings: ServiceSettings) -> None:
    """Record spans from now on, if the settings name an exporter. Call once per process, before other setup."""
    global _tracer  # noqa: PLW0603 - one for the process, like its logging
    if settings.tracing_enabled:
        # Imported only if enabled: ten megabytes, and a sixth of a second.
        from parley.common.observability.tracing.otel_tracer import OtelTracer  # noqa: PLC0415

        _tracer = OtelTracer(service)


def shutdown(timeout_seconds: float) -> None:
    """Stop recording, and export the pending spans for at most so long."""
    global _tracer
    tracer, _tracer = _tracer, None
    if tracer is not None:
        tracer.shutdown(timeout_seconds)


def enabled() -> bool:
    """Whether spans are recorded, for code that would prepare something for them."""
    return _tracer is not None


def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes | None = None,
    *,
    parent: str | None = None,
    links: Sequence[str] = (),
) -> Span:
    """Start a span under `parent` (a `traceparent`), or under the running task's trace.

    Servers and consumers ask the sampler, which usually follows the parent; within a process its decision holds.
    """
    if _tracer is None:
        return NOOP_SPAN
    return _tracer.start_span(name, kind, attributes, parent, links)


def root_span(name: str, kind: SpanKind, attributes: Attributes | None = None, *, links: Sequence[str] = ()) -> Span:
    """Start the first span of a trace: only the sampler decides whether it is recorded."""
    if _tracer is None:
        return NOOP_SPAN
    return _tracer.start_root_span(name, kind, attributes, links)
