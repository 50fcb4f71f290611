"""A request's span: named by its route, and over when its answer is; for a stream, when that begins."""

from __future__ import annotations

from aiohttp import web

from parley.common.observability import tracing
from parley.common.observability.tracing import Attributes, Span

_SPAN: web.RequestKey[Span] = web.RequestKey("span", Span)


def attributes_of(method: str, route: str) -> Attributes:
    """What may be told of a request: no path, no query, no header."""
    return {"http.request.method": method, "http.route": route}


def keep(request: web.Request, span: Span) -> None:
    """Let the span end with the first byte of a stream."""
    if span is not tracing.NOTHING:
        request[_SPAN] = span


def note_status(span: Span, status: int) -> None:
    """How it was answered. Only what is our own fault is a failure."""
    span.note("http.response.status_code", status)
    if status >= 500:
        span.fail(str(status))


def end_where_streams_begin(app: web.Application) -> None:
    """Call once for an application, while tracing is on: a stream is open for hours, and nobody sees a span before
    its end."""

    async def begun(request: web.Request, response: web.StreamResponse) -> None:
        span = request.get(_SPAN)
        if span is not None and not isinstance(response, web.Response):
            note_status(span, response.status)
            span.end()

    app.on_response_prepare.append(begun)
