"""Logs and trace context: JSON lines on standard output, each with the request id that caused it.

Log constant messages with fields; never the text of visitors, never a token. Trace context follows W3C
Trace Context (https://www.w3.org/TR/trace-context/), is taken from HTTP headers and carried in every event.
"""

from __future__ import annotations

import logging
import random
import re
import sys
from contextvars import ContextVar, Token
from typing import Any, NamedTuple, TextIO, cast

import orjson
import structlog

_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


class TraceContext(NamedTuple):
    """What ties a click to everything it causes: the request id people quote, and the W3C trace."""

    request_id: str
    traceparent: str


_current: ContextVar[TraceContext | None] = ContextVar("parley_trace", default=None)
_chance = random.Random()  # noqa: S311 - ids are shown to everybody: they must be unlike, not secret
"""Seeded by the system once. Three calls to the system for each request cost more than checking its token."""


def start_or_continue_trace(request_id: str | None, traceparent: str | None) -> TraceContext:
    """Take up the caller's trace if it is sane, else begin one; it holds for the running task and its children."""
    fresh = _chance.randbytes(32).hex()
    if request_id is None or not _REQUEST_ID.match(request_id):
        request_id = fresh[:16]
    found = _TRACEPARENT.match(traceparent) if traceparent else None
    trace_id = found[1] if found and int(found[1], 16) else fresh[16:48]
    flags = found[3] if found else "00"
    trace = TraceContext(request_id, f"00-{trace_id}-{fresh[48:]}-{flags}")
    _current.set(trace)
    return trace


def current_trace() -> TraceContext:
    """The trace of the running task; a new one where the work began by itself (a sweep, a timer)."""
    return _current.get() or start_or_continue_trace(None, None)


def attach_trace(trace: TraceContext) -> Token[TraceContext | None]:
    """Let this be the running task's trace until `leave_trace`, in the same task."""
    return _current.set(trace)


def detach_trace(token: Token[TraceContext | None]) -> None:
    """Back to the trace before."""
    _current.reset(token)


def parse_traceparent(text: str) -> tuple[str, str, int] | None:
    """Trace id and span id in hexadecimal, and the flags; None for what is no `traceparent`."""
    found = _TRACEPARENT.match(text)
    return (found[1], found[2], int(found[3], 16)) if found else None


def _with_trace(_logger: Any, _method: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    trace = _current.get()
    if trace is not None:
        fields.setdefault("request_id", trace.request_id)
        fields.setdefault("trace_id", trace.traceparent[3:35])
    return fields


def _dumps(fields: Any, **_: Any) -> str:
    return orjson.dumps(fields, default=repr).decode()


def configure_logging(service: str, level: str, stream: TextIO | None = None) -> None:
    """One JSON object a line on standard output, or on `stream`, for our own records and for those of the libraries."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _with_trace,
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
    """The logger of a module."""
    return cast("structlog.stdlib.BoundLogger", structlog.get_logger(name))
