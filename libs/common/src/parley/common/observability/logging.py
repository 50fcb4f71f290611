"""Logging and trace context: JSON lines on standard output, each with the id of the request that caused it.

Log constant messages with fields; never a visitor's text, never a token. The trace context follows W3C Trace Context
(https://www.w3.org/TR/trace-context/); it comes from HTTP headers, and every event carries it.
"""

from __future__ import annotations

import logging
import random
import re
import sys
from contextvars import ContextVar, Token
from typing import Any, NamedTuple, TextIO, cast

import orjson

# structlog imports rich, if it is installed as here in development, for tracebacks in colour that no service shows: a
# tenth of the processor time until a service is ready.
_rich = sys.modules.get("rich")
sys.modules["rich"] = None  # type: ignore[assignment]
import structlog  # noqa: E402

if _rich is None:
    del sys.modules["rich"]
else:
    sys.modules["rich"] = _rich

_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


class TraceContext(NamedTuple):
    """Connects a request with everything it causes: the request id that clients see, and the W3C `traceparent`."""

    request_id: str
    traceparent: str


_current: ContextVar[TraceContext | None] = ContextVar("parley_trace", default=None)


def start_or_continue_trace(request_id: str | None, traceparent: str | None) -> TraceContext:
    """Continue the caller's trace if its values are valid, else start one, for the running task and its children."""
    # Ids are public: they must be unique, not secret. System calls for each request would cost more than its token.
    new_ids = random.randbytes(32).hex()  # noqa: S311
    if request_id is None or not _REQUEST_ID.match(request_id):
        request_id = new_ids[:16]
    match = _TRACEPARENT.match(traceparent) if traceparent else None
    trace_id = match[1] if match and int(match[1], 16) else new_ids[16:48]
    flags = match[3] if match else "00"
    trace = TraceContext(request_id, f"00-{trace_id}-{new_ids[48:]}-{flags}")
    _current.set(trace)
    return trace


def current_trace() -> TraceContext:
    """Return the trace of the running task; a new one for background work."""
    return _current.get() or start_or_continue_trace(None, None)


def attach_trace(trace: TraceContext) -> Token[TraceContext | None]:
    """Make this the running task's trace until `detach_trace` in the same task."""
    return _current.set(trace)


def detach_trace(token: Token[TraceContext | None]) -> None:
    """Restore the trace from before `attach_trace`."""
    _current.reset(token)


def parse_traceparent(text: str) -> tuple[str, str, int] | None:
    """Return trace id and span id in hexadecimal, and the flags; None for an invalid `traceparent`."""
    match = _TRACEPARENT.match(text)
    return (match[1], match[2], int(match[3], 16)) if match else None


def _add_trace(_logger: Any, _method: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    trace = _current.get()
    if trace is not None:
        fields.setdefault("request_id", trace.request_id)
        fields.setdefault("trace_id", trace.traceparent[3:35])
    return fields


def _dumps(fields: Any, **_: Any) -> str:
    return orjson.dumps(fields, default=repr).decode()


def configure_logging(service: str, level: str, stream: TextIO | None = None) -> None:
    """Log one JSON object per line to standard output, or to `stream`; includes the records of libraries."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_dumps),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("aio_pika", "aiormq", "pymongo"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    structlog.contextvars.bind_contextvars(service=service)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    return cast("structlog.stdlib.BoundLogger", structlog.get_logger(name))
