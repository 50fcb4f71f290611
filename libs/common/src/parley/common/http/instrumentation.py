"""A request's span: named by its route, and over when its answer is; for a stream, when that begins."""

from __future__ import annotations

from aiohttp import web

from parley.common.observability import tracing
from parley.common.observability.tracing import Attributes, Span

_SPAN: web.RequestKey[Span] = web.RequestKey("span", Span)


def request_attributes(method: str, route: str) -> Attributes:
    """What may be told of a request: no path, no query, no header."""
    return {"http.request.method": method, "http.route": route}


def attach_span(request: web.Request, span: Span) -> None:
    """Let the span end with the first byte of a stream."""
    if span is not tracing.NOOP_SPAN:
        request[_SPAN] = span


def record_status(span: Span, status: int) -> None:
    """How it was answered. Only what is our own fault is a failure."""
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_error(str(status))


def end_spans_at_stream_start(app: web.Application) -> None:
    """Call once for an application, while tracing is on: a stream is open for hours, and nobody sees a span before
    its end."""

    async def begun(request: web.Request, response: web.StreamResponse) -> None:
        span = request.get(_SPAN)
        if span is not None and not isinstance(response, web.Response):
            record_status(span, response.status)
            span.end()

    app.on_response_prepare.append(begun)
