"""A pool of event-stream clients in one process: each counts the events it receives, some measure their delay.

The clients are as cheap as possible, so that the server and not the pool is what is measured.
"""

from __future__ import annotations

import asyncio
import re
import resource
import socket
import time
from collections.abc import Callable, Sequence
from typing import cast

_MARKER = b"~"
"""Occurs twice in every event and nowhere else. One byte, so that a chunk boundary cannot hide an event."""
_SENT_AT = re.compile(rb"~(\d+\.\d+)~")
_CONNECT_CONCURRENCY = 100


class SseClient(asyncio.Protocol):
    """One client. Calls `on_markers` with the markers per chunk, and `on_delay` with an event's delay in seconds."""

    def __init__(
        self, on_markers: Callable[[int], None], request: bytes, on_delay: Callable[[float], None] | None
    ) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None
        self._on_markers = on_markers
        self._request = request
        self._on_delay = on_delay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass of it.
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            if b"event: ready" in data:
                self.ready.set_result(None)
            elif not data.startswith(b"HTTP/1.1 200"):
                self.ready.set_exception(ConnectionError(data[:200].decode(errors="replace")))
            return
        count = data.count(_MARKER)
        if count:
            self._on_markers(count)
            if self._on_delay is not None:
                now = time.time()
                for sent_at in _SENT_AT.findall(data):
                    self._on_delay(now - float(sent_at))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionResetError("connection closed by the server"))


class SseClientPool:
    """All clients of one server. Every hundredth client measures delays."""

    def __init__(self, port: int, requests: Sequence[bytes]) -> None:
        self.delays: list[float] = []
        self.first = self.last = 0.0
        self._port = port
        self._requests = requests
        self._clients: list[SseClient] = []
        self._received = 0
        self._expected = 0
        self._awaited_markers = 0
        self._markers_received = asyncio.Event()

    async def open(self) -> None:
        """Open every stream. Raises ConnectionError."""
        loop = asyncio.get_running_loop()
        for start in range(0, len(self._requests), _CONNECT_CONCURRENCY):
            group = self._requests[start : start + _CONNECT_CONCURRENCY]
            clients = await asyncio.gather(
                *(self._connect(loop, request, start + n) for n, request in enumerate(group))
            )
            await asyncio.gather(*(client.ready for client in clients))
            self._clients += clients

    async def _connect(self, loop: asyncio.AbstractEventLoop, request: bytes, number: int) -> SseClient:
        on_delay = self.delays.append if number % 100 == 0 else None
        _, client = await loop.create_connection(
            lambda: SseClient(self._count, request, on_delay), "127.0.0.1", self._port
        )
        return client

    def expect(self, events: int) -> None:
        """Reset the counters; each client is to receive this many events from now on."""
        self._received, self._expected = 0, 2 * events * len(self._clients)
        self.first = self.last = 0.0
        self.delays.clear()

    async def wait_all_received(self, timeout_seconds: float) -> float:
        """Wait until every client has received everything; seconds from first to last event. Raises TimeoutError."""
        await self._wait_markers(self._expected, timeout_seconds)
        return self.last - self.first

    async def wait_received(self, events: int, timeout_seconds: float) -> None:
        """Wait until the clients have received this many events each, on average. Raises TimeoutError."""
        await self._wait_markers(2 * events * len(self._clients), timeout_seconds)

    async def _wait_markers(self, expected_markers: int, timeout_seconds: float) -> None:
        self._awaited_markers = expected_markers
        async with asyncio.timeout(timeout_seconds):
            while self._received < expected_markers:
                self._markers_received.clear()
                await self._markers_received.wait()

    def _count(self, markers: int) -> None:
        self.last = time.perf_counter()
        self.first = self.first or self.last
        self._received += markers
        if self._received >= self._awaited_markers:
            self._markers_received.set()

    def close(self) -> None:
        """Disconnect every client."""
        for client in self._clients:
            if client.transport is not None:
                client.transport.abort()


async def open_slow_client(port: int, request: bytes) -> socket.socket:
    """Open a stream whose client never reads: a socket with a small receive buffer."""
    loop = asyncio.get_running_loop()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    await loop.sock_connect(client, ("127.0.0.1", port))
    await loop.sock_sendall(client, request)
    return client


def raise_file_limit(pid: int = 0) -> None:
    """Raise the soft limit of open files of a process (0: this one) to its hard limit."""
    _, hard_limit = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
