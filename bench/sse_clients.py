"""Thousands of clients of event streams in one process: each counts the events it was given, some look at the time.

They are cheap on purpose: what is measured must not be they.
"""

from __future__ import annotations

import asyncio
import re
import resource
import socket
import time
from collections.abc import Callable, Sequence
from typing import cast

_MARK = b"~"
"""Stands twice in every event and nowhere else: one byte, so that no event is missed that comes in two pieces."""
_SENT = re.compile(rb"~(\d+\.\d+)~")
_OPENED_AT_ONCE = 100


class SseClient(asyncio.Protocol):
    """One client. `late` is given the seconds that an event took, where this one looks."""

    def __init__(self, heard: Callable[[int], None], request: bytes, late: Callable[[float], None] | None) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None
        self._heard = heard
        self._request = request
        self._late = late

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
        count = data.count(_MARK)
        if count:
            self._heard(count)
            if self._late is not None:
                now = time.time()
                for sent in _SENT.findall(data):
                    self._late(now - float(sent))

    def connection_lost(self, problem: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(problem or ConnectionResetError("hung up"))


class SseClientPool:
    """All clients of one server. Every hundredth of them looks at the time."""

    def __init__(self, port: int, requests: Sequence[bytes]) -> None:
        self.delays: list[float] = []
        self.first = self.last = 0.0
        self._port = port
        self._requests = requests
        self._ears: list[SseClient] = []
        self._heard = 0
        self._expected = 0
        self._goal = 0
        self._there = asyncio.Event()

    async def open(self) -> None:
        """Open every stream. Raises ConnectionError."""
        loop = asyncio.get_running_loop()
        for start in range(0, len(self._requests), _OPENED_AT_ONCE):
            group = self._requests[start : start + _OPENED_AT_ONCE]
            made = await asyncio.gather(*(self._connect(loop, request, start + n) for n, request in enumerate(group)))
            await asyncio.gather(*(ear.ready for ear in made))
            self._ears += made

    async def _connect(self, loop: asyncio.AbstractEventLoop, request: bytes, number: int) -> SseClient:
        late = self.delays.append if number % 100 == 0 else None
        _, ear = await loop.create_connection(lambda: SseClient(self._count, request, late), "127.0.0.1", self._port)
        return ear

    def expect(self, events: int) -> None:
        """Begin to count: so many events for each."""
        self._heard, self._expected = 0, 2 * events * len(self._ears)
        self.first = self.last = 0.0
        self.delays.clear()

    async def wait_all_received(self, within: float) -> float:
        """Wait until everybody was given everything; seconds from the first to the last. Raises TimeoutError."""
        await self._reached(self._expected, within)
        return self.last - self.first

    async def wait_received(self, events: int, within: float) -> None:
        """Wait until they were given so many events each, on average. Raises TimeoutError."""
        await self._reached(2 * events * len(self._ears), within)

    async def _reached(self, goal: int, within: float) -> None:
        self._goal = goal
        async with asyncio.timeout(within):
            while self._heard < goal:
                self._there.clear()
                await self._there.wait()

    def _count(self, marks: int) -> None:
        self.last = time.perf_counter()
        self.first = self.first or self.last
        self._heard += marks
        if self._heard >= self._goal:
            self._there.set()

    def close(self) -> None:
        """Everybody leaves."""
        for ear in self._ears:
            if ear.transport is not None:
                ear.transport.abort()


async def open_slow_client(port: int, request: bytes) -> socket.socket:
    """A client that takes nothing after its request."""
    loop = asyncio.get_running_loop()
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.setblocking(False)
    await loop.sock_connect(narrow, ("127.0.0.1", port))
    await loop.sock_sendall(narrow, request)
    return narrow


def raise_file_limit(pid: int = 0) -> None:
    """Let a process (this one) have as many sockets as it may."""
    _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))
