"""A TCP proxy that tests can disconnect, to simulate a network failure between a service and a server."""

from __future__ import annotations

import asyncio
import contextlib


class TcpProxy:
    """Forwards connections to `host:port` while it is connected; to the first of `ports` that takes them."""

    def __init__(self, host: str, *ports: int) -> None:
        self._host, self._ports = host, ports
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._forbidden: bytes | None = None
        self.disconnected = asyncio.Event()
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def disconnect(self) -> None:
        """Abort every connection and accept no new one."""
        self.disconnected.set()
        for writer in self._writers:
            writer.transport.abort()

    def disconnect_before(self, data: bytes) -> None:
        """Disconnect instead of forwarding a part that contains this."""
        self._forbidden = data

    def reconnect(self) -> None:
        self.disconnected.clear()

    async def stop(self) -> None:
        self.disconnect()
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.disconnected.is_set():
            writer.transport.abort()
            return
        # Known from here on: if it is aborted before the other connection is open, that one is aborted too, below.
        self._writers.add(writer)
        far = await self._connect()
        if far is None:
            writer.transport.abort()
            self._writers.discard(writer)
            return
        far_reader, far_writer = far
        self._writers.add(far_writer)
        for source, target in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._forward(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for port in self._ports:
            with contextlib.suppress(ConnectionError):
                return await asyncio.open_connection(self._host, port)
        return None

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65_536):
                if self._forbidden is not None and self._forbidden in data:
                    self.disconnect()
                    break
                target.write(data)
                await target.drain()
        target.transport.abort()
        self._writers.discard(target)
