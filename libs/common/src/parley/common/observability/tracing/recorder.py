"""Spans by OpenTelemetry's SDK. Imported only while tracing is on."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextvars import Token
from types import TracebackType
from typing import Self

from opentelemetry import trace as api
from opentelemetry.context import Context
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased

from parley.common.observability.logging import (
    TraceContext,
    attach_trace,
    current_trace,
    detach_trace,
    parse_traceparent,
)
from parley.common.observability.tracing import NOOP_SPAN, Attributes, Span, SpanKind
from parley.common.observability.tracing.export import SpanPipeline

_KINDS = {kind: api.SpanKind[kind.name] for kind in SpanKind}
_ENTRIES = frozenset({SpanKind.SERVER, SpanKind.CONSUMER})
_SAMPLED = frozenset("13579bdf")
"""How a sampled traceparent ends: the lowest bit of its flags."""


class OtelTracer:
    """Makes spans and sends them out; what it is not told here, the SDK reads from the environment (OTEL_*)."""

    def __init__(self, service: str) -> None:
        ours = Resource.create(
            {
                "service.name": f"parley-{service}",
                "service.namespace": "parley",
                "service.instance.id": str(uuid.uuid4()),
            }
        )
        # Not made the process's global provider: libraries with spans of their own would put there what they like.
        provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
        self._export = SpanPipeline()
        provider.add_span_processor(self._export.processor)
        self._tracer = provider.get_tracer("parley")
        self._follows = isinstance(provider.sampler, ParentBased)

    def stop(self, seconds: float) -> None:
        """Send what waits, at most so long."""
        self._export.stop(seconds)

    def open(
        self, name: str, kind: SpanKind, attributes: Attributes | None, parent: str | None, links: Sequence[str]
    ) -> Span:
        """A span under another one. What is not sampled costs no more than finding that out."""
        above = _context_of(parent) if parent is not None else None
        if above is None:
            traceparent = current_trace().traceparent
            if not self._recorded(traceparent, kind):
                return NOOP_SPAN
            above = _context_of(traceparent)
        elif not self._recorded(parent or "", kind):
            return NOOP_SPAN
        return self._made(name, kind, attributes, above, links)

    def begin(self, name: str, kind: SpanKind, attributes: Attributes | None, links: Sequence[str]) -> Span:
        """A span under none."""
        return self._made(name, kind, attributes, None, links)

    def _recorded(self, traceparent: str, kind: SpanKind) -> bool:
        # Only a process's entries ask the sampler: one that does not follow parents would else record sweeps as well.
        return traceparent[-1:] in _SAMPLED or (kind in _ENTRIES and not self._follows)

    def _made(
        self,
        name: str,
        kind: SpanKind,
        attributes: Attributes | None,
        above: api.SpanContext | None,
        links: Sequence[str],
    ) -> Span:
        context = Context()
        if above is not None:
            context = api.set_span_in_context(api.NonRecordingSpan(above), context)
        made = self._tracer.start_span(
            name,
            context,
            _KINDS[kind],
            attributes,
            [api.Link(found) for link in links if (found := _context_of(link)) is not None],
        )
        return _Recorded(made)


class _Recorded(Span):
    """A span of the SDK's as ours."""

    __slots__ = ("_ended", "_left", "_span", "_traceparent")

    def __init__(self, span: api.Span) -> None:
        self._span = span
        self._ended = False
        self._left: Token[TraceContext | None] | None = None
        found = span.get_span_context()
        self._traceparent = f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"

    @property
    def traceparent(self) -> str:
        return self._traceparent

    def set_attribute(self, name: str, value: str | int | float | bool) -> None:
        if not self._ended:
            self._span.set_attribute(name, value)

    def set_error(self, what: str) -> None:
        if not self._ended:
            self._span.set_attribute("error.type", what)
            self._span.set_status(api.StatusCode.ERROR)

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self._span.end()

    def __enter__(self) -> Self:
        self._left = attach_trace(TraceContext(current_trace().request_id, self._traceparent))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._left is not None:
            detach_trace(self._left)
        # A task that was cancelled has not failed: nobody wanted the rest.
        if kind is not None and issubclass(kind, Exception):
            self.set_error(kind.__name__)
        self.end()


def _context_of(traceparent: str) -> api.SpanContext | None:
    found = parse_traceparent(traceparent)
    if found is None:
        return None
    trace_id, span_id, flags = found
    return api.SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=api.TraceFlags(flags))
