"""The way out: a bounded queue and a thread that empties it. A collector that is away or slow costs spans, not time."""

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

log = get_logger(__name__)

_QUEUE = 2048
_LOG_SECONDS = 300.0

_EXPORTED, _FAILED, _DROPPED = (metrics.TRACE_SPANS.labels(outcome) for outcome in ("exported", "failed", "dropped"))


class CountingExporter(SpanExporter):
    """The exporter, with its outcomes counted, and a failure told now and then."""

    def __init__(self) -> None:
        # It logs every try, with the address; what matters of that is said here, once in a while.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self.taken = 0
        self._inner = OTLPSpanExporter()
        self._quiet_until = 0.0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.taken += len(spans)
        try:
            result = self._inner.export(spans)
        except Exception as exc:
            self._tell(len(spans), type(exc).__name__)
            return SpanExportResult.FAILURE
        if result is SpanExportResult.SUCCESS:
            _EXPORTED.inc(len(spans))
        else:
            self._tell(len(spans), "not taken")
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()  # type: ignore[no-untyped-call]

    def _tell(self, spans: int, problem: str) -> None:
        _FAILED.inc(spans)
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + _LOG_SECONDS
            log.warning("traces_not_exported", spans=spans, error=problem)


class BoundedSpanProcessor(SpanProcessor):
    """The SDK's batches, behind a bound that counts what it turns away."""

    def __init__(self, exporter: CountingExporter) -> None:
        self._exporter = exporter
        self._most = int(os.environ.get("OTEL_BSP_MAX_QUEUE_SIZE") or _QUEUE)
        self._given = 0
        self._batches = BatchSpanProcessor(exporter, max_queue_size=self._most)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        return

    def on_end(self, span: ReadableSpan) -> None:
        # Never fewer than are waiting, so that the queue within, which would drop without a count, does not overflow.
        if self._given - self._exporter.taken >= self._most:
            _DROPPED.inc()
            return
        if span.context is not None and span.context.trace_flags.sampled:
            self._given += 1
            self._batches.on_end(span)

    def shutdown(self) -> None:
        self._batches.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._batches.force_flush(timeout_millis)


class SpanPipeline:
    """Takes spans that have ended. `processor` is what the SDK gives them to."""

    def __init__(self) -> None:
        self.processor = BoundedSpanProcessor(CountingExporter())

    def stop(self, seconds: float) -> None:
        """Send what is waiting, and let go of it after so many seconds."""
        # A thread that dies with the process: the SDK itself waits for as long as the collector lets it.
        last = threading.Thread(target=self.processor.shutdown, name="traces-flush", daemon=True)
        last.start()
        last.join(seconds)
