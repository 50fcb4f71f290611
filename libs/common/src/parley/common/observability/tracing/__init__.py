"""Spans: what took how long and what it caused, from the click to the push. Off unless an exporter is named.

The context is `telemetry`'s own: a span that is entered puts itself into the running task's trace, and whatever writes
a `traceparent` (a request to a service, an event, a question) then names it. While tracing is off, or a trace is not
sampled, `span` gives back one object that does nothing, and no library of OpenTelemetry's is loaded.

Names and attributes are what our own tables say (routes, event types, collections): never a path, a query, a text, a
token, or an id of a visitor; of an exception, its class alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING, Self

from parley.common.observability.logging import current_trace

if TYPE_CHECKING:
    from parley.common.observability.tracing.recorder import OtelTracer
    from parley.common.runtime.settings import ServiceSettings

Attributes = Mapping[str, str | int | float | bool]


class SpanKind(Enum):
    """A span's part in a conversation between processes."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Span:
    """Work under way. Enter it to make it the parent of what its task does; leaving it ends it.

    This one is of what is not recorded, and does nothing.
    """

    __slots__ = ()

    @property
    def traceparent(self) -> str:
        """What names this span as the parent, to another process."""
        return current_trace().traceparent

    def set_attribute(self, name: str, value: str | int | float | bool) -> None:
        """An attribute that was not known at the beginning."""

    def set_error(self, what: str) -> None:
        """It did not go well: a class's name, a code; never a message."""

    def end(self) -> None:
        """It is over; also before it is left. Twice does no harm."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


NOOP_SPAN = Span()
_recorder: OtelTracer | None = None


def configure(service: str, settings: ServiceSettings) -> None:
    """Record from now on, if the settings name an exporter. Once per process, before anything else is made."""
    global _recorder  # noqa: PLW0603 - one for the process, like its logs
    if settings.tracing_enabled:
        # Loaded only where it is used: ten megabytes and a sixth of a second.
        from parley.common.observability.tracing.recorder import OtelTracer  # noqa: PLC0415

        _recorder = OtelTracer(service)


def shutdown(seconds: float) -> None:
    """Send what is waiting, for at most so many seconds, and record no more."""
    global _recorder
    recorder, _recorder = _recorder, None
    if recorder is not None:
        recorder.stop(seconds)


def enabled() -> bool:
    """Whether anything is recorded: for what would cost something to prepare."""
    return _recorder is not None


def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes | None = None,
    *,
    parent: str | None = None,
    links: Sequence[str] = (),
) -> Span:
    """A span under `parent` (a `traceparent`), or under what the task is doing. Begins now.

    Servers and consumers ask the sampler, which as a rule follows the parent; within a process its answer holds.
    """
    if _recorder is None:
        return NOOP_SPAN
    return _recorder.open(name, kind, attributes, parent, links)


def root_span(name: str, kind: SpanKind, attributes: Attributes | None = None, *, links: Sequence[str] = ()) -> Span:
    """The first span of a trace: the sampler alone decides whether it is recorded."""
    if _recorder is None:
        return NOOP_SPAN
    return _recorder.begin(name, kind, attributes, links)
