"""Load driver: prebuilt HTTP/1.1 requests over kept-alive connections, without an HTTP library.

A request costs the driver about 30 µs of processor time, so that one driver process saturates what two cores can serve.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

_OPEN_TIMEOUT_SECONDS = 30.0

COUNTER_PLACEHOLDER = b"#counted-here-and-padded-to-thirty-two#"
"""Is replaced in each request by a value that counts up, padded to the same length."""


@dataclass(frozen=True, slots=True)
class Response:
    """Status and body."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One kept-alive connection with one request in flight at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Response] | None = None
        self._buffer = bytearray()

    @classmethod
    async def open(cls, host: str, port: int) -> Connection:
        """Connect."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    async def request(self, request: bytes) -> Response:
        """Send a request and wait for its response. Raises ConnectionError when the connection ends first."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Close the connection."""
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
        length = _content_length(head)
        if length is None:
            # Chunked: complete when the last chunk is at the end of the buffer, for one response is in flight.
            if not self._buffer.endswith(b"\r\n0\r\n\r\n"):
                return
            length = len(self._buffer) - end - 4
        if len(self._buffer) < end + 4 + length:
            return
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        waiting, self._waiting = self._waiting, None
        waiting.set_result(Response(int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionResetError("connection closed by the server"))


def _content_length(head: bytes) -> int | None:
    """Read Content-Length; None for a chunked response. Raises ValueError when the response has neither."""
    lowered = head.lower()
    at = lowered.find(b"\r\ncontent-length:")
    if at < 0:
        if b"\r\ntransfer-encoding: chunked" in lowered:
            return None
        raise ValueError("a response without a length")
    end = head.find(b"\r\n", at + 17)
    return int(head[at + 17 : end if end >= 0 else len(head)])


class Stream(asyncio.Protocol):
    """One chunked event stream: calls `on_event` with the bytes of every event."""

    def __init__(self, on_event: Callable[[bytes], None]) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._on_event = on_event
        self._transport: asyncio.Transport | None = None
        self._raw = bytearray()
        self._text = bytearray()

    @classmethod
    async def open(cls, host: str, port: int, request: bytes, on_event: Callable[[bytes], None]) -> Stream:
        """Open the stream and wait for its response head. Raises ConnectionError and TimeoutError."""
        transport, stream = await asyncio.get_running_loop().create_connection(lambda: cls(on_event), host, port)
        transport.write(request)
        async with asyncio.timeout(_OPEN_TIMEOUT_SECONDS):
            await stream.opened
        return stream

    def close(self) -> None:
        """Close the stream."""
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
        self._decode_chunks()
        while (end := self._text.find(b"\n\n")) >= 0:
            event = bytes(self._text[:end])
            del self._text[: end + 2]
            self._on_event(event)

    def _decode_chunks(self) -> None:
        while (end := self._raw.find(b"\r\n")) >= 0:
            size = int(self._raw[:end], 16)
            if len(self._raw) < end + 4 + size:
                return
            self._text += self._raw[end + 2 : end + 2 + size]
            del self._raw[: end + 4 + size]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionResetError("connection closed by the server"))


def post(path: str, body: bytes, token: str | None = None, key: str | None = None) -> bytes:
    """Build a POST of a JSON body. `key`: the idempotency key."""
    lines = [f"POST {path} HTTP/1.1", "Host: parley", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if key is not None:
        lines.append(f"Idempotency-Key: {key}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def get(path: str, token: str | None = None) -> bytes:
    """Build a GET."""
    lines = [f"GET {path} HTTP/1.1", "Host: parley"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode()


@dataclass(slots=True)
class LoadResult:
    """Latencies and counts of one run."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    """Seconds, of every successful request."""
    rejected: int = 0

    @property
    def rate(self) -> float:
        """Successful requests per second."""
        return len(self.latencies) / self.seconds


@dataclass(frozen=True, slots=True)
class Worker:
    """The requests that one connection repeats."""

    requests: tuple[bytes, ...]


async def closed_loop(host: str, port: int, workers: Sequence[Worker], seconds: float, run_id: str) -> LoadResult:
    """Run each worker for this long; it sends its next request as soon as the last one was answered, and one at least.

    `run_id` makes the values that replace COUNTER_PLACEHOLDER unique to this call.
    """
    connections = [await Connection.open(host, port) for _ in workers]
    started = time.perf_counter()
    result = LoadResult(seconds)
    try:
        await asyncio.gather(
            *(
                _run_worker(connection, worker, f"{run_id}-{number}", started + seconds, result)
                for number, (connection, worker) in enumerate(zip(connections, workers, strict=True))
            )
        )
    finally:
        for connection in connections:
            connection.close()
    result.seconds = time.perf_counter() - started
    return result


async def _run_worker(connection: Connection, worker: Worker, prefix: str, deadline: float, result: LoadResult) -> None:
    number, now = 0, time.perf_counter()
    while number == 0 or now < deadline:
        request = worker.requests[number % len(worker.requests)]
        number += 1
        # Of constant length, so that Content-Length stays correct.
        counter = f"{prefix}-{number}".encode().ljust(len(COUNTER_PLACEHOLDER), b"_")
        response = await connection.request(request.replace(COUNTER_PLACEHOLDER, counter))
        before, now = now, time.perf_counter()
        if response.status == 200:
            result.latencies.append(now - before)
        else:
            result.rejected += 1
