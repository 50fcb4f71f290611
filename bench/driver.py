"""Drives the gateway from a process of its own: prebuilt HTTP/1.1 requests over kept-alive connections, no library.

A request costs this side some thirty microseconds, so that one process drives what two cores can serve.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

_ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Response:
    """Status and body."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One kept-alive connection: one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Response] | None = None
        self._buffer = bytearray()

    @classmethod
    async def open(cls, host: str, port: int) -> Connection:
        """Connect."""
        _, made = await asyncio.get_running_loop().create_connection(cls, host, port)
        return made

    async def request(self, request: bytes) -> Response:
        """Send a request and wait for its answer. Raises ConnectionError where the connection ends first."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or self._waiting is None:
            return
        head = bytes(self._buffer[:end])
        length = _length_of(head)
        if length is None:
            # In chunks, of which the last says so. One answer at a time: it is the last that stands here.
            if not self._buffer.endswith(b"\r\n0\r\n\r\n"):
                return
            length = len(self._buffer) - end - 4
        if len(self._buffer) < end + 4 + length:
            return
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        waiting, self._waiting = self._waiting, None
        waiting.set_result(Response(int(head[9:12]), body))

    def connection_lost(self, problem: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(problem or ConnectionResetError("hung up"))


def _length_of(head: bytes) -> int | None:
    """None for an answer that comes in chunks."""
    lowered = head.lower()
    at = lowered.find(b"\r\ncontent-length:")
    if at < 0:
        if b"\r\ntransfer-encoding: chunked" in lowered:
            return None
        raise ValueError("an answer without a length")
    end = head.find(b"\r\n", at + 17)
    return int(head[at + 17 : end if end >= 0 else len(head)])


class Stream(asyncio.Protocol):
    """One event stream (chunked): calls back with every event's bytes as they come."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._take = take
        self._transport: asyncio.Transport | None = None
        self._raw = bytearray()
        self._text = bytearray()

    @classmethod
    async def open(cls, host: str, port: int, request: bytes, take: Callable[[bytes], None]) -> Stream:
        """Open the stream; returns when its first event came."""
        transport, made = await asyncio.get_running_loop().create_connection(lambda: cls(take), host, port)
        transport.write(request)
        async with asyncio.timeout(_ANSWER_SECONDS):
            await made.opened
        return made

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._raw += data
        if not self.opened.done():
            end = self._raw.find(b"\r\n\r\n")
            if end < 0:
                return
            if self._raw[9:12] != b"200":
                self.opened.set_exception(ConnectionError(bytes(self._raw[:200]).decode(errors="replace")))
                return
            del self._raw[: end + 4]
            self.opened.set_result(None)
        self._unchunk()
        while (end := self._text.find(b"\n\n")) >= 0:
            event = bytes(self._text[:end])
            del self._text[: end + 2]
            self._take(event)

    def _unchunk(self) -> None:
        while (end := self._raw.find(b"\r\n")) >= 0:
            size = int(self._raw[:end], 16)
            if len(self._raw) < end + 4 + size:
                return
            self._text += self._raw[end + 2 : end + 2 + size]
            del self._raw[: end + 4 + size]

    def connection_lost(self, problem: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(problem or ConnectionResetError("hung up"))


def post(path: str, body: bytes, token: str | None = None, key: str | None = None) -> bytes:
    """A POST of JSON, ready to be sent."""
    lines = [f"POST {path} HTTP/1.1", "Host: parley", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if key is not None:
        lines.append(f"Idempotency-Key: {key}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def get(path: str, token: str | None = None) -> bytes:
    """A GET, ready to be sent."""
    lines = [f"GET {path} HTTP/1.1", "Host: parley"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode()


@dataclass(slots=True)
class LoadResult:
    """What came of it."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    """Seconds, of every request answered well."""
    rejected: int = 0

    @property
    def rate(self) -> float:
        """Answered well, per second."""
        return len(self.latencies) / self.seconds


@dataclass(frozen=True, slots=True)
class Worker:
    """What one connection sends, over and over: `{n}` in a request counts up."""

    requests: tuple[bytes, ...]


async def closed_loop(host: str, port: int, workers: Sequence[Worker], seconds: float, mark: str) -> LoadResult:
    """Each lane sends as soon as it was answered, for so long. `mark` makes what is counted unique to this call."""
    connections = [await Connection.open(host, port) for _ in workers]
    began = time.perf_counter()
    driven = LoadResult(seconds)
    try:
        await asyncio.gather(
            *(
                _drive(connection, lane, f"{mark}-{number}", began + seconds, driven)
                for number, (connection, lane) in enumerate(zip(connections, workers, strict=True))
            )
        )
    finally:
        for connection in connections:
            connection.close()
    driven.seconds = time.perf_counter() - began
    return driven


async def _drive(connection: Connection, lane: Worker, mark: str, until: float, driven: LoadResult) -> None:
    number = 0
    while (now := time.perf_counter()) < until:
        request = lane.requests[number % len(lane.requests)]
        number += 1
        # Of one length always, so that Content-Length stays true.
        answer = await connection.request(
            request.replace(COUNTER_PLACEHOLDER, f"{mark}-{number}".encode().ljust(len(COUNTER_PLACEHOLDER), b"_"))
        )
        if answer.status == 200:
            driven.latencies.append(time.perf_counter() - now)
        else:
            driven.rejected += 1


COUNTER_PLACEHOLDER = b"#counted-here-and-padded-to-thirty-two#"
"""Stands in a request for what counts up."""
