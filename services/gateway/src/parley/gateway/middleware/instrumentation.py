"""The root span of a request, and the decision whether it is sampled."""

from __future__ import annotations

from aiohttp import web

from parley.common.http.instrumentation import attach_span, request_attributes
from parley.common.observability import tracing
from parley.common.observability.logging import current_trace, parse_traceparent, start_or_continue_trace
from parley.common.observability.tracing import NOOP_SPAN, Span, SpanKind

_UNTRACED_ROUTES = frozenset({"/healthz"})
"""Load balancers request it every few seconds, and each request calls every service."""


def start_request_span(request: web.Request, method: str, route: str, *, trusted: bool) -> Span:
    """Return the span of the whole request. `method` and `route` are values from fixed sets.

    Unless the caller is `trusted`, its trace is only linked to: anybody could set the sampled flag and have all of
    their requests recorded, with a trace id of their choice.
    """
    if not tracing.enabled():
        return NOOP_SPAN
    if route in _UNTRACED_ROUTES:
        start_or_continue_trace(current_trace().request_id, None)
        return NOOP_SPAN
    traceparent = request.headers.get("traceparent", "")
    is_valid = parse_traceparent(traceparent) is not None
    name = f"{method} {route}"
    attributes = {**request_attributes(method, route), "parley.request_id": current_trace().request_id}
    if trusted and is_valid:
        span = tracing.span(name, SpanKind.SERVER, attributes, parent=traceparent)
    else:
        span = tracing.root_span(name, SpanKind.SERVER, attributes, links=[traceparent] if is_valid else [])
    attach_span(request, span)
    return span
