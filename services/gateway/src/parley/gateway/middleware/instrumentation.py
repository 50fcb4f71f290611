"""A request's first span: where its trace begins, and who decides whether it is recorded."""

from __future__ import annotations

from aiohttp import web

from parley.common.http.instrumentation import attributes_of, keep
from parley.common.observability import tracing
from parley.common.observability.logging import continue_trace, current_trace, read_traceparent
from parley.common.observability.tracing import NOTHING, Kind, Span

_UNTRACED = frozenset({"/healthz"})
"""Asked every few seconds by whatever stands before the gateway, and each time it asks every service."""


def first_span(request: web.Request, method: str, route: str, *, trusted: bool) -> Span:
    """The span of the whole request, `method` and `route` being of our own words.

    A caller's trace is only linked to, unless it is `trusted`: anybody may call, and whoever says «sampled» would have
    every one of their requests recorded, under a trace id of their choosing.
    """
    if not tracing.on():
        return NOTHING
    if route in _UNTRACED:
        continue_trace(current_trace().request_id, None)
        return NOTHING
    theirs = request.headers.get("traceparent", "")
    known = read_traceparent(theirs) is not None
    name = f"{method} {route}"
    attributes = {**attributes_of(method, route), "parley.request_id": current_trace().request_id}
    if trusted and known:
        span = tracing.span(name, Kind.SERVER, attributes, parent=theirs)
    else:
        span = tracing.root(name, Kind.SERVER, attributes, links=[theirs] if known else [])
    keep(request, span)
    return span
