"""A request as it is written to a service: nothing of the client's goes in but what is listed here."""

from __future__ import annotations

from parley.common.auth.identity import HEADER
from parley.common.observability import tracing
from parley.common.observability.logging import Trace
from parley.common.observability.tracing import Kind, Span


def request_head(
    method: str, target: str, identity: str, trace: Trace, headers: list[tuple[str, str]], body: bytes | None
) -> tuple[bytes, bytes]:
    """The bytes before and after the line that names the host; a body at hand is part of them."""
    lines = [f"{HEADER}: {identity}\r\nX-Request-Id: {trace.request_id}\r\ntraceparent: {trace.traceparent}\r\n"]
    lines.extend(f"{name}: {value}\r\n" for name, value in headers)
    if body is not None:
        lines.append(f"Content-Length: {len(body)}\r\n")
    lines.append("\r\n")
    head = "".join(lines).encode("utf-8", "surrogateescape")
    return f"{method} {target} HTTP/1.1\r\n".encode("ascii"), head + body if body else head


def asking(service: str, method: str, template: str) -> Span:
    """The span of a request to a service, until its answer begins; `template` is a route's, never a path.

    Enter it before the head is made, which names it as the parent of what the service does.
    """
    return tracing.span(
        f"{method} {template}",
        Kind.CLIENT,
        {"peer.service": f"parley-{service}", "http.request.method": method, "url.template": template},
    )
