"""One connection to a service, HTTP/1.1 spoken directly: a request is one write, an answer often one read.

A general client (`aiohttp.ClientSession`) was measured at three times the processor time for a forwarded request. What
stands behind is our own and only ours, so this speaks just what our services speak: a length, chunks, or to the end.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from functools import lru_cache
from typing import NamedTuple, cast

_HIGH_WATER = 256 * 1024
_LOW_WATER = 64 * 1024
_LARGEST_HEAD = 64 * 1024

# Hop by hop (RFC 9110, 7.6.1), what the gateway says for itself, and what services have no business saying.
_NOT_FORWARDED = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade content-length "
    b"server date x-request-id traceparent set-cookie".split()
)


_READ = frozenset(b"content-length transfer-encoding connection".split())
"""Not forwarded either, but read."""


@lru_cache(512)
def _named(raw: bytes) -> str:
    """A header's name as it is written; nothing for one that is not to be seen."""
    name = raw.lower()
    if name not in _READ and (name in _NOT_FORWARDED or name.startswith((b"x-parley-", b"access-control-"))):
        return ""
    return name.decode("ascii").title()


class WireBroken(ConnectionError):
    """The service closed the connection, or said what nobody can read. `answered`: after it had begun to answer."""

    def __init__(self, sentence: str, *, answered: bool) -> None:
        super().__init__(sentence)
        self.answered = answered


class Head(NamedTuple):
    """How a service's answer begins. `length` is None where only the end of the body tells."""

    status: int
    headers: list[tuple[str, str]]
    length: int | None
    media: str


class Wire(asyncio.Protocol):
    """A connection that carries one request at a time."""

    def __init__(self) -> None:
        self.used = 0
        self.opened_at = 0.0
        self.ended = True
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._broken: WireBroken | None = None
        self._keeps = False
        self._sent = True
        self._clear()

    def _clear(self) -> None:
        self._head: Head | None = None
        self._in_head = True
        self._chunked = False
        self._left = 0
        """Bytes that the body, or the chunk under way, still lacks; -1 until the connection closes."""
        self._raw = b""
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._reading_paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._drain: asyncio.Future[None] | None = None
        self._no_body = False

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass of it.
        self.opened_at = time.monotonic()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.ended and self._left == -1 and not self._in_head and exc is None:
            self._end()
        else:
            self._break("the service closed the connection")

    def eof_received(self) -> None:
        return None

    def pause_writing(self) -> None:
        self._drain = self._loop.create_future()

    def resume_writing(self) -> None:
        drain, self._drain = self._drain, None
        if drain is not None and not drain.done():
            drain.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self.ended:
            self.close()
            return
        try:
            self._take(data)
        except (ValueError, IndexError):
            self._break("the service's answer cannot be read")
            self.close()
            return
        if self._size > _HIGH_WATER and not self._reading_paused and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()
        self._wake()

    # What the forwarder calls.

    @property
    def usable(self) -> bool:
        """Whether another request may go this way."""
        return self._transport is not None and not self._transport.is_closing() and self.ended and self._broken is None

    @property
    def reusable(self) -> bool:
        """Whether it may be kept for another request: the answer came whole, the request went whole."""
        return self.usable and self._keeps and self._sent

    def begin(self, head: bytes, *, is_head: bool = False, whole: bool = True) -> None:
        """Send a request's head, and its body with it where that is at hand; `whole`: nothing follows."""
        assert self._transport is not None
        self._clear()
        self.used += 1
        self.ended = False
        self._no_body = is_head
        self._sent = whole
        self._transport.write(head)

    async def send(self, data: bytes) -> None:
        """Send a part of the body; waits while the service does not take it. Raises WireBroken."""
        if self._broken is not None or self._transport is None:
            raise self._broken or WireBroken("the service closed the connection", answered=False)
        self._transport.write(data)
        if self._drain is not None:
            await self._drain
            if self._broken is not None:
                raise self._broken

    def sent_all(self) -> None:
        """The body has been sent to its end."""
        self._sent = True

    async def head(self, seconds: float | None = None) -> Head:
        """How the answer begins. Raises WireBroken, and TimeoutError where it has not begun after so many seconds."""
        timer = None
        if seconds is not None and self._head is None:
            # A third of what asyncio.timeout costs.
            timer = self._loop.call_later(seconds, self._late)
        try:
            while self._head is None:
                if self._broken is not None:
                    raise self._broken
                await self._wait()
        finally:
            if timer is not None:
                timer.cancel()
        return self._head

    async def read(self) -> bytes:
        """What has come of the body since; nothing at its end. Raises WireBroken when it breaks off."""
        while not self._chunks:
            if self._broken is not None:
                raise self._broken
            if self.ended:
                return b""
            await self._wait()
        return self.take()

    def take(self) -> bytes:
        """What has come of the body, without waiting."""
        chunks = self._chunks
        if not chunks:
            return b""
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self._size = 0
        if self._reading_paused and self._transport is not None:
            self._reading_paused = False
            self._transport.resume_reading()
        return data

    def cut(self) -> None:
        """Let whoever reads believe that this is the end; the connection is not used again."""
        self._keeps = False
        self._end()

    def close(self) -> None:
        """Close at once: the service learns that nobody wants the rest."""
        if self._transport is not None:
            self._transport.abort()

    # Reading an answer.

    def _take(self, data: bytes) -> None:
        if self._in_head:
            data = self._take_head(self._raw + data if self._raw else data)
        while data and not self.ended:
            data = self._take_chunked(data) if self._chunked else self._take_plain(data)
        if data:
            raise ValueError("bytes after the answer")

    def _take_head(self, raw: bytes) -> bytes:
        """What follows the head; keeps what there is while it is not whole."""
        end = raw.find(b"\r\n\r\n")
        if end < 0:
            if len(raw) > _LARGEST_HEAD:
                raise ValueError("head too large")
            self._raw = raw
            return b""
        self._raw = b""
        rest = raw[end + 4 :]
        status = int(raw[9:12])
        if 100 <= status < 200:
            return self._take_head(rest)
        self._head = self._read_head(status, raw[:end].split(b"\r\n"))
        self._in_head = False
        if self._no_body or status in (204, 304) or (self._left == 0 and not self._chunked):
            self._end()
        return rest

    def _read_head(self, status: int, lines: list[bytes]) -> Head:
        headers: list[tuple[str, str]] = []
        length: int | None = None
        keeps, media = lines[0].startswith(b"HTTP/1.1"), ""
        for line in lines[1:]:
            raw, _, value = line.partition(b":")
            name = _named(raw)
            if not name:
                continue
            value = value.strip()
            if name == "Content-Length":
                length = int(value)
            elif name == "Transfer-Encoding":
                self._chunked = value.lower() == b"chunked"
            elif name == "Connection":
                keeps = value.lower() != b"close"
            else:
                text = value.decode("utf-8", "surrogateescape")
                headers.append((name, text))
                if name == "Content-Type":
                    media = text.partition(";")[0].strip().lower()
        self._keeps = keeps and (length is not None or self._chunked or status in (204, 304))
        self._left = 0 if self._chunked else -1 if length is None else length
        return Head(status, headers, None if self._chunked else length, media)

    def _take_plain(self, data: bytes) -> bytes:
        if self._left == -1:
            self._give(data)
            return b""
        part, rest = (data, b"") if len(data) <= self._left else (data[: self._left], data[self._left :])
        self._left -= len(part)
        self._give(part)
        if self._left == 0:
            self._end()
        return rest

    def _take_chunked(self, data: bytes) -> bytes:
        if self._left > 2:
            part = data[: self._left - 2]
            self._give(part)
            self._left -= len(part)
            return data[len(part) :]
        if self._left:
            taken = min(self._left, len(data))  # The line break after a chunk.
            self._left -= taken
            return data[taken:]
        raw = self._raw + data if self._raw else data
        end = raw.find(b"\r\n")
        if end < 0:
            if len(raw) > 1024:
                raise ValueError("chunk head too large")
            self._raw = raw
            return b""
        self._raw = b""
        size = int(raw[:end].partition(b";")[0], 16)
        rest = raw[end + 2 :]
        if size:
            self._left = size + 2
            return rest
        return self._take_last(rest)

    def _take_last(self, rest: bytes) -> bytes:
        """After the last chunk: an empty line (our services send no trailers)."""
        if len(rest) < 2:
            self._raw = b"0\r\n" + rest
            return b""
        if rest[:2] != b"\r\n":
            raise ValueError("trailers")
        self._end()
        return rest[2:]

    def _give(self, part: bytes) -> None:
        if part:
            self._chunks.append(part)
            self._size += len(part)

    def _end(self) -> None:
        self.ended = True
        self._wake()

    def _break(self, sentence: str) -> None:
        if not self.ended:
            self._broken = WireBroken(sentence, answered=self._head is not None)
        else:
            self._broken = self._broken or WireBroken(sentence, answered=False)
        self.resume_writing()
        self._wake()

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _late(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(TimeoutError())

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
