"""The headers of every response, and a response that is sent as one write.

aiohttp builds and serializes a dictionary of headers for each response. That took a quarter of the processor time of a
forwarded request, although services send the same few heads again and again: here serialized heads are cached.
"""

from __future__ import annotations

import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

from parley.common.observability.logging import current_trace
from parley.gateway.server.request_keys import CORS_ORIGIN, HSTS

Headers = tuple[tuple[str, str], ...]

_CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'"
PERMISSIONS_POLICY = (
    "accelerometer=(), bluetooth=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), "
    "magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()"
)
"""Of what the panel does not use; its page may ask for the microphone."""
_BODILESS_STATUSES = frozenset({204, 205, 304})
_MAX_CACHEABLE_HEADERS = 6
"""Longer heads are seldom equal to an earlier one."""


def add_standard_headers(headers: CIMultiDict[str], allowed_origin: str | None, hsts: str | None) -> None:
    """Add the headers of every response. `allowed_origin` may read it; `hsts` is for a client that uses TLS."""
    headers["Server"] = "parley"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if "Permissions-Policy" not in headers:
        headers["Permissions-Policy"] = PERMISSIONS_POLICY
    if hsts is not None:
        headers["Strict-Transport-Security"] = hsts
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    if "Content-Security-Policy" not in headers:
        headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    if allowed_origin is not None:
        headers["Access-Control-Allow-Origin"] = allowed_origin
        headers["Access-Control-Expose-Headers"] = "X-Request-Id, Retry-After"
        headers["Vary"] = "Origin"


def has_cacheable_head(status: int, headers: Headers) -> bool:
    """Return whether a `BufferedResponse` can send this response."""
    return status not in _BODILESS_STATUSES and len(headers) <= _MAX_CACHEABLE_HEADERS


class BufferedResponse(web.StreamResponse):
    """A complete response of a service: head and body are sent as one write. It adds the standard headers itself."""

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        super().__init__(status=status)
        self._service_headers = headers
        self._buffer = body
        self._keeps_alive = False
        self._writer: AbstractStreamWriter | None = None

    @property
    def keep_alive(self) -> bool:
        """Whether the connection can carry another request."""
        return self._keeps_alive

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Serialize the response; `write_eof` sends it."""
        own = super().keep_alive
        self._keeps_alive = request.keep_alive if own is None else own
        is_http_1_0 = request.version < (1, 1)
        connection = "" if self._keeps_alive != is_http_1_0 else "keep-alive" if is_http_1_0 else "close"
        version = "1.0" if is_http_1_0 else "1.1"
        head = _serialize_head(
            version, self.status, self._service_headers, request.get(CORS_ORIGIN), request.get(HSTS), connection
        )
        rest = f"X-Request-Id: {current_trace().request_id}\r\nDate: {_format_date(int(time.time()))}\r\n"
        self._buffer = b"%b%bContent-Length: %d\r\n\r\n%b" % (head, rest.encode(), len(self._buffer), self._buffer)
        self._writer = request.writer
        return self._writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Send the response."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.write_eof(self._buffer)


def apply_response_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers of every response. Call it before the head is sent."""
    if not isinstance(response, BufferedResponse):
        response.headers["X-Request-Id"] = current_trace().request_id
        add_standard_headers(response.headers, request.get(CORS_ORIGIN), request.get(HSTS))
    if not request.content.is_eof():
        # The rest of the body is not read, so the connection cannot carry another request.
        response.force_close()


@lru_cache(1024)
def _serialize_head(
    version: str, status: int, service_headers: Headers, origin: str | None, hsts: str | None, connection: str
) -> bytes:
    headers = CIMultiDict(service_headers)
    add_standard_headers(headers, origin, hsts)
    if connection:
        headers["Connection"] = connection
    if any(mark in text for line in headers.items() for text in line for mark in "\r\n\0"):
        raise ValueError("a response header of a service contains a line break or NUL")
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = ""
    text = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/{version} {status} {reason}\r\n{text}".encode("utf-8", "surrogateescape")


@lru_cache(2)
def _format_date(unix_seconds: int) -> str:
    return formatdate(unix_seconds, usegmt=True)
