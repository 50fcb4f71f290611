"""The head of a request to a service. It contains only headers that are listed here or passed explicitly."""

from __future__ import annotations

from typing import NamedTuple

from parley.common.auth.identity import IDENTITY_HEADER
from parley.common.observability import tracing
from parley.common.observability.logging import current_trace
from parley.common.observability.tracing import Span, SpanKind


class RequestHead(NamedTuple):
    """The bytes before and after the Host header, which differs between replicas; a body follows the second part."""

    before_host: bytes
    after_host: bytes


def build_request_head(
    method: str, target: str, identity: str, headers: list[tuple[str, str]], body: bytes | None
) -> RequestHead:
    """Serialize a request of the current trace, with its body if there is one."""
    trace = current_trace()
    lines = [
        f"{IDENTITY_HEADER}: {identity}\r\nX-Request-Id: {trace.request_id}\r\ntraceparent: {trace.traceparent}\r\n"
    ]
    lines.extend(f"{name}: {value}\r\n" for name, value in headers)
    if body is not None:
        lines.append(f"Content-Length: {len(body)}\r\n")
    lines.append("\r\n")
    after_host = "".join(lines).encode("utf-8", "surrogateescape")
    return RequestHead(f"{method} {target} HTTP/1.1\r\n".encode("ascii"), after_host + body if body else after_host)


def client_span(service: str, method: str, route: str) -> Span:
    """Return the span of a request to a service until its response head. `route` is a template, never a path.

    Enter it before the head is built, so that the head names it as the parent of the service's span.
    """
    return tracing.span(
        f"{method} {route}",
        SpanKind.CLIENT,
        {"peer.service": f"parley-{service}", "http.request.method": method, "url.template": route},
    )
