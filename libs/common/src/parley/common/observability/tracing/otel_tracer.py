"""Spans recorded with OpenTelemetry's SDK. Imported only while tracing is enabled."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextvars import Token
from types import TracebackType
from typing import Self

from opentelemetry import trace as otel
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
from parley.common.observability.tracing.span_pipeline import SpanPipeline

_OTEL_KINDS = {kind: otel.SpanKind[kind.name] for kind in SpanKind}
_ENTRY_KINDS = frozenset({SpanKind.SERVER, SpanKind.CONSUMER})
_SAMPLED_ENDINGS = frozenset("13579bdf")
"""Last characters of a sampled traceparent: the lowest bit of its flags is set."""


class OtelTracer:
    """Starts spans and exports them. What is not given here, the SDK reads from the environment (OTEL_*)."""

    def __init__(self, service: str) -> None:
        defaults = Resource.create(
            {
                "service.name": f"parley-{service}",
                "service.namespace": "parley",
                "service.instance.id": str(uuid.uuid4()),
            }
        )
        # Not the process's global provider: libraries with their own instrumentation would add attributes of their own.
        provider = TracerProvider(resource=defaults.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
        self._pipeline = SpanPipeline()
        provider.add_span_processor(self._pipeline.processor)
        self._tracer = provider.get_tracer("parley")
        self._sampler_follows_parent = isinstance(provider.sampler, ParentBased)

    def shutdown(self, timeout_seconds: float) -> None:
        """Export the pending spans, for at most so long."""
        self._pipeline.shutdown(timeout_seconds)

    def start_span(
        self, name: str, kind: SpanKind, attributes: Attributes | None, parent: str | None, links: Sequence[str]
    ) -> Span:
        """Start a span under a parent. A trace that is not sampled costs no more than this check."""
        parent_context = _to_span_context(parent) if parent is not None else None
        if parent_context is None:
            traceparent = current_trace().traceparent
            if not self._may_record(traceparent, kind):
                return NOOP_SPAN
            parent_context = _to_span_context(traceparent)
        elif not self._may_record(parent or "", kind):
            return NOOP_SPAN
        return self._start(name, kind, attributes, parent_context, links)

    def start_root_span(self, name: str, kind: SpanKind, attributes: Attributes | None, links: Sequence[str]) -> Span:
        """Start a span without a parent."""
        return self._start(name, kind, attributes, None, links)

    def _may_record(self, traceparent: str, kind: SpanKind) -> bool:
        # Only entries into the process ask the sampler: one that ignores parents would also record background work.
        return traceparent[-1:] in _SAMPLED_ENDINGS or (kind in _ENTRY_KINDS and not self._sampler_follows_parent)

    def _start(
        self,
        name: str,
        kind: SpanKind,
        attributes: Attributes | None,
        parent_context: otel.SpanContext | None,
        links: Sequence[str],
    ) -> Span:
        context = Context()
        if parent_context is not None:
            context = otel.set_span_in_context(otel.NonRecordingSpan(parent_context), context)
        span = self._tracer.start_span(
            name,
            context,
            _OTEL_KINDS[kind],
            attributes,
            [otel.Link(linked) for link in links if (linked := _to_span_context(link)) is not None],
        )
        return _OtelSpan(span)


class _OtelSpan(Span):
    """A span of the SDK behind our interface."""

    __slots__ = ("_ended", "_span", "_token", "_traceparent")

    def __init__(self, span: otel.Span) -> None:
        self._span = span
        self._ended = False
        self._token: Token[TraceContext | None] | None = None
        context = span.get_span_context()
        self._traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    @property
    def traceparent(self) -> str:
        return self._traceparent

    def set_attribute(self, name: str, value: str | int | float | bool) -> None:
        if not self._ended:
            self._span.set_attribute(name, value)

    def set_error(self, error_type: str) -> None:
        if not self._ended:
            self._span.set_attribute("error.type", error_type)
            self._span.set_status(otel.StatusCode.ERROR)

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self._span.end()

    def __enter__(self) -> Self:
        self._token = attach_trace(TraceContext(current_trace().request_id, self._traceparent))
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            detach_trace(self._token)
        # A CancelledError is no failure: the caller did not need the rest.
        if exc_type is not None and issubclass(exc_type, Exception):
            self.set_error(exc_type.__name__)
        self.end()


def _to_span_context(traceparent: str) -> otel.SpanContext | None:
    parsed = parse_traceparent(traceparent)
    if parsed is None:
        return None
    trace_id, span_id, flags = parsed
    return otel.SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=otel.TraceFlags(flags))
