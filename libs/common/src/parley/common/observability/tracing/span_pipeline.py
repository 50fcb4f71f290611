"""Exports spans from a bounded queue in a thread. An unavailable or slow collector loses spans and delays nothing."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from parley.common.observability import metrics
from parley.common.observability.logging import get_logger
from parley.common.observability.timeouts import DROPPED_SPANS_LOG_INTERVAL_SECONDS

log = get_logger(__name__)

_DEFAULT_QUEUE_SIZE = 2048

_EXPORTED, _FAILED, _DROPPED = (metrics.TRACE_SPANS.labels(outcome) for outcome in ("exported", "failed", "dropped"))


class CountingExporter(SpanExporter):
    """An OTLP exporter that counts outcomes, and logs failures at most every five minutes."""

    def __init__(self) -> None:
        # The exporter logs every attempt, with the collector's address.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self.received = 0
        self._exporter = OTLPSpanExporter()
        self._next_log_at = 0.0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.received += len(spans)
        try:
            result = self._exporter.export(spans)
        except Exception as exc:
            self._record_failure(len(spans), type(exc).__name__)
            return SpanExportResult.FAILURE
        if result is SpanExportResult.SUCCESS:
            _EXPORTED.inc(len(spans))
        else:
            self._record_failure(len(spans), "rejected")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _record_failure(self, spans: int, reason: str) -> None:
        _FAILED.inc(spans)
        if time.monotonic() >= self._next_log_at:
            self._next_log_at = time.monotonic() + DROPPED_SPANS_LOG_INTERVAL_SECONDS
            log.warning("traces_not_exported", spans=spans, error=reason)


class BoundedSpanProcessor(SpanProcessor):
    """The SDK's batch processor, behind a bound that counts the spans it drops."""

    def __init__(self, exporter: CountingExporter) -> None:
        self._exporter = exporter
        self._max_queue_size = int(os.environ.get("OTEL_BSP_MAX_QUEUE_SIZE") or _DEFAULT_QUEUE_SIZE)
        self._accepted = 0
        self._batch_processor = BatchSpanProcessor(exporter, max_queue_size=self._max_queue_size)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        return

    def on_end(self, span: ReadableSpan) -> None:
        # An upper bound of the inner queue's length, which drops without counting when it overflows.
        if self._accepted - self._exporter.received >= self._max_queue_size:
            _DROPPED.inc()
            return
        if span.context is not None and span.context.trace_flags.sampled:
            self._accepted += 1
            self._batch_processor.on_end(span)

    def shutdown(self) -> None:
        self._batch_processor.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._batch_processor.force_flush(timeout_millis)


class SpanPipeline:
    """Takes ended spans and exports them. `processor` is what the SDK calls."""

    def __init__(self) -> None:
        self.processor = BoundedSpanProcessor(CountingExporter())

    def shutdown(self, timeout_seconds: float) -> None:
        """Export the pending spans, and give up after the timeout."""
        # In a daemon thread: the SDK itself waits as long as the collector makes it wait.
        flush = threading.Thread(target=self.processor.shutdown, name="traces-flush", daemon=True)
        flush.start()
        flush.join(timeout_seconds)
