"""A connection to a service: HTTP/1.1 over a plain asyncio protocol, with responses parsed by httptools.

`aiohttp.ClientSession` took three times the processor time for a forwarded request. The services are our own, so the
features of a general client (redirects, cookies, compression, pipelining) are not needed.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from functools import lru_cache
from typing import NamedTuple, cast

import httptools

_PAUSE_READING_BYTES = 256 * 1024
_MAX_HEAD_BYTES = 64 * 1024

_DROPPED_HEADERS = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization te trailer upgrade "
    b"server date x-request-id traceparent set-cookie".split()
)
"""Hop-by-hop headers (RFC 9110, 7.6.1), headers that the gateway sets, and those that services may not set.

Content-Length and Transfer-Encoding are not forwarded either, but read in `on_header`.
"""


@lru_cache(512)
def _forwarded_name(name: bytes) -> str:
    """Return a response header's name in canonical case; an empty string for one that is not forwarded."""
    lower = name.lower()
    if lower in _DROPPED_HEADERS or lower.startswith((b"x-parley-", b"access-control-")):
        return ""
    return lower.decode("ascii").title()


class UpstreamDisconnected(ConnectionError):
    """The service closed the connection or sent something that is not HTTP.

    `response_started` says whether the response head had arrived.
    """

    def __init__(self, message: str, *, response_started: bool) -> None:
        super().__init__(message)
        self.response_started = response_started


class ResponseHead(NamedTuple):
    """Status and forwarded headers of a response. `length` is None unless the service sent a Content-Length."""

    status: int
    headers: list[tuple[str, str]]
    length: int | None
    media_type: str


class Http1Connection(asyncio.Protocol):
    """A connection that carries one request at a time. `is_complete` is true between requests."""

    def __init__(self) -> None:
        self.opened_at = 0.0
        self.is_complete = True
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._error: UpstreamDisconnected | None = None
        self._request_sent = True
        self._reset()

    def _reset(self) -> None:
        self._head: ResponseHead | None = None
        self._head_overdue = False
        self._head_size = 0
        self._headers: list[tuple[str, str]] = []
        self._length: int | None = None
        self._is_chunked = False
        self._media_type = ""
        self._keep_alive = False
        self._body_parts: deque[bytes] = deque()
        self._buffered_bytes = 0
        self._reading_paused = False
        self._reader: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None

    # Callbacks of the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class is not a subclass of it.
        self.opened_at = time.monotonic()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        has_delimiter = self._is_chunked or self._length is not None
        if self._head is not None and not self.is_complete and not has_delimiter and exc is None:
            self._complete()
        else:
            self._fail("the service closed the connection")

    def eof_received(self) -> None:
        return None

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self.is_complete:
            self.close()
            return
        try:
            self._parser.feed_data(data)
            if self._head is None:
                self._head_size += len(data)
                if self._head_size > _MAX_HEAD_BYTES:
                    raise ValueError("head too large")
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, ValueError):
            self._fail("the service sent a malformed response")
            self.close()
            return
        if self._buffered_bytes > _PAUSE_READING_BYTES and not self._reading_paused and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()
        self._wake_reader()

    # Callbacks of the parser.

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise ValueError("data after the response")

    def on_header(self, name: bytes, value: bytes) -> None:
        forwarded_name = _forwarded_name(name)
        if not forwarded_name:
            return
        if forwarded_name == "Content-Length":
            self._length = int(value)
        elif forwarded_name == "Transfer-Encoding":
            self._is_chunked = True
        else:
            text = value.decode("utf-8", "surrogateescape")
            self._headers.append((forwarded_name, text))
            if forwarded_name == "Content-Type":
                self._media_type = text.partition(";")[0].strip().lower()

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            self._headers = []  # An interim response, such as 100 Continue; the final one follows.
            return
        self._head = ResponseHead(status, self._headers, self._length, self._media_type)

    def on_body(self, part: bytes) -> None:
        self._body_parts.append(part)
        self._buffered_bytes += len(part)

    def on_message_complete(self) -> None:
        if self._head is not None:
            self._keep_alive = self._parser.should_keep_alive()
            self._complete()

    # The interface for requests.

    @property
    def is_usable(self) -> bool:
        """Whether the connection is open and carries no request."""
        return (
            self._transport is not None
            and not self._transport.is_closing()
            and self.is_complete
            and self._error is None
        )

    @property
    def is_reusable(self) -> bool:
        """Whether it may carry another request.

        The request has left, the response was read to its end, and the service keeps the connection open. A response
        may be complete and not read: then its bytes wait here, and reading from the transport may still be paused.
        """
        return (
            self.is_usable
            and self._keep_alive
            and self._request_sent
            and not self._body_parts
            and not self._reading_paused
            and self._transport is not None
            and not self._transport.get_write_buffer_size()
        )

    def send_request(self, data: bytes, *, is_complete: bool = True) -> None:
        """Send a head, and a body if it is at hand. Unless `is_complete`, `write_body` and `finish_body` follow."""
        assert self._transport is not None
        self._reset()
        self.is_complete = False
        self._request_sent = is_complete
        self._transport.write(data)

    async def write_body(self, data: bytes) -> None:
        """Send a part of the body; waits while the service does not read. Raises UpstreamDisconnected."""
        if self._error is not None or self._transport is None:
            raise self._error or UpstreamDisconnected("the service closed the connection", response_started=False)
        self._transport.write(data)
        if self._writable is not None:
            await self._writable
            if self._error is not None:
                raise self._error

    def finish_body(self) -> None:
        """Mark the request as completely sent."""
        self._request_sent = True

    async def read_head(self, timeout_seconds: float | None = None) -> ResponseHead:
        """Return the response head. Raises UpstreamDisconnected and TimeoutError."""
        timer = None
        if timeout_seconds is not None and self._head is None:
            # A third of the cost of asyncio.timeout.
            timer = self._loop.call_later(timeout_seconds, self._on_head_timeout)
        try:
            while self._head is None:
                if self._error is not None:
                    raise self._error
                if self._head_overdue:
                    raise TimeoutError
                await self._wait_for_data()
        finally:
            if timer is not None:
                timer.cancel()
        return self._head

    async def read(self) -> bytes:
        """Return the next bytes of the body; empty at its end. Raises UpstreamDisconnected if it is truncated."""
        while not self._body_parts:
            if self._error is not None:
                raise self._error
            if self.is_complete:
                return b""
            await self._wait_for_data()
        return self.read_available()

    def read_available(self) -> bytes:
        """Return the bytes of the body that have arrived, without waiting."""
        parts = self._body_parts
        if not parts:
            return b""
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        self._buffered_bytes = 0
        if self._reading_paused and self._transport is not None:
            self._reading_paused = False
            self._transport.resume_reading()
        return data

    def truncate(self) -> None:
        """End the body here as if it were complete; the connection is not used again."""
        self._keep_alive = False
        self._complete()

    def close(self) -> None:
        """Close immediately, so that the service stops working on the response."""
        if self._transport is not None:
            self._transport.abort()

    def _complete(self) -> None:
        self.is_complete = True
        self._wake_reader()

    def _fail(self, message: str) -> None:
        if not self.is_complete:
            self._error = UpstreamDisconnected(message, response_started=self._head is not None)
        elif self._error is None:
            self._error = UpstreamDisconnected(message, response_started=False)
        self.resume_writing()
        self._wake_reader()

    async def _wait_for_data(self) -> None:
        self._reader = self._loop.create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    def _on_head_timeout(self) -> None:
        # The reader may have been woken by a part of the head in the same iteration of the event loop.
        self._head_overdue = True
        self._wake_reader()

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
