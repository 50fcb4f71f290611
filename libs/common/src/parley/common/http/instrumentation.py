"""The span of a request: named by its route, it ends with the response, or when a stream starts."""

from __future__ import annotations

from aiohttp import web

from parley.common.observability import tracing
from parley.common.observability.tracing import Attributes, Span

_SPAN: web.RequestKey[Span] = web.RequestKey("span", Span)


def request_attributes(method: str, route: str) -> Attributes:
    """Return a span's attributes of a request: no path, no query, no header."""
    return {"http.request.method": method, "http.route": route}


def attach_span(request: web.Request, span: Span) -> None:
    """Let the span end when a streamed response starts."""
    if span is not tracing.NOOP_SPAN:
        request[_SPAN] = span


def record_status(span: Span, status: int) -> None:
    """Record the status; only 5xx marks the span as failed."""
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_error(str(status))


def end_spans_at_stream_start(app: web.Application) -> None:
    """Install the end of streams' spans; call once per application while tracing is enabled.

    A stream is open for hours, and a span is exported only when it ends.
    """

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        span = request.get(_SPAN)
        if span is not None and not isinstance(response, web.Response):
            record_status(span, response.status)
            span.end()

    app.on_response_prepare.append(on_prepare)
