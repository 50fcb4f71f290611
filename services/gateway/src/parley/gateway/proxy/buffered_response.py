"""An answer that is all at hand: its head and its body go out as one piece, and of the head most was made before.

aiohttp's way (a dictionary of headers, filled, completed, put into bytes) was measured at a quarter of a forwarded
request. Services answer with the same few heads over and over.
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

Lines = tuple[tuple[str, str], ...]

_POLICY = "default-src 'none'; frame-ancestors 'none'"
_BODILESS = frozenset({204, 205, 304})
_MOST_LINES = 6
"""More than that are seldom the same again."""


def complete(headers: CIMultiDict[str], origin: str | None) -> None:
    """Add what every answer has, whatever the request; `origin` is the one that has been allowed for it."""
    headers["Server"] = "parley"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    if "Content-Security-Policy" not in headers:
        headers["Content-Security-Policy"] = _POLICY
    if origin is not None:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = "X-Request-Id, Retry-After"
        headers["Vary"] = "Origin"


def fits(status: int, lines: Lines) -> bool:
    """Whether an answer may go out this way."""
    return status not in _BODILESS and len(lines) <= _MOST_LINES


class Whole(web.StreamResponse):
    """A service's answer. `origin` is set when it is dressed."""

    def __init__(self, status: int, lines: Lines, body: bytes) -> None:
        super().__init__(status=status)
        self.origin: str | None = None
        self._lines = lines
        self._whole = body
        self._stays = False
        self._writer: AbstractStreamWriter | None = None

    @property
    def keep_alive(self) -> bool:
        """Whether the connection carries another request."""
        return self._stays

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Make the bytes; they are sent by `write_eof`."""
        own = super().keep_alive
        self._stays = request.keep_alive if own is None else own
        old = request.version < (1, 1)
        connection = "" if self._stays != old else "keep-alive" if old else "close"
        head = _head("1.0" if old else "1.1", self.status, self._lines, self.origin, connection)
        rest = f"X-Request-Id: {current_trace().request_id}\r\nDate: {_date(int(time.time()))}\r\n"
        self._whole = b"%b%bContent-Length: %d\r\n\r\n%b" % (head, rest.encode(), len(self._whole), self._whole)
        self._writer = request.writer
        return self._writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Send all of it."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.write_eof(self._whole)


@lru_cache(1024)
def _head(version: str, status: int, lines: Lines, origin: str | None, connection: str) -> bytes:
    headers = CIMultiDict(lines)
    complete(headers, origin)
    if connection:
        headers["Connection"] = connection
    if any(mark in text for line in headers.items() for text in line for mark in "\r\n\0"):
        raise ValueError("a header of a service's cannot be sent")
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = ""
    text = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/{version} {status} {reason}\r\n{text}".encode("utf-8", "surrogateescape")


@lru_cache(2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
