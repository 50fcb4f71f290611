"""The HTTP response of a stream: aiohttp-sse's, without its task per stream and its awaited writes."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp_sse import EventSourceResponse

from parley.common.errors import Unavailable
from parley.common.observability.logging import current_trace
from parley.notify.timeouts import STREAM_CLOSE_TIMEOUT_SECONDS, UNACKNOWLEDGED_DATA_TIMEOUT_SECONDS

_MAX_SEND_BUFFER_BYTES = 131_072
"""The kernel's send buffer. By default it grows to megabytes for a client that does not read."""


class SseResponse(EventSourceResponse):
    """Headers, Last-Event-ID and the TCP user timeout are aiohttp-sse's; events are written to the transport directly.

    aiohttp-sse pings from a task per stream and awaits each send. At thousands of streams that costs four times the
    CPU of a bare write, so the hub writes comments itself.
    """

    def __init__(self) -> None:
        super().__init__(send_timeout=UNACKNOWLEDGED_DATA_TIMEOUT_SECONDS)
        # The connection is not reused: a client resumes on a new one, on any replica.
        del self.headers[hdrs.CONNECTION]
        self.headers["X-Request-Id"] = current_trace().request_id
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the headers immediately, so that the client knows it is connected. Raises Unavailable if it has left."""
        if request.transport is None:
            raise Unavailable("The client has left.")
        self._set_tcp_user_timeout(request)
        raw_socket = request.transport.get_extra_info("socket")
        if raw_socket is not None and raw_socket.family in (socket.AF_INET, socket.AF_INET6):
            raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MAX_SEND_BUFFER_BYTES)
        writer = await web.StreamResponse.prepare(self, request)
        if writer is not None:
            writer.send_headers()
            # Not needed any more; with thousands of open streams they cost memory.
            self.headers.clear()
        return writer

    def get_transport(self, request: web.BaseRequest) -> asyncio.Transport:
        """Return the transport to write to. Raises Unavailable if the client has left."""
        if request.transport is None:
            raise Unavailable("The client has left.")
        return request.transport

    async def wait_drained(self, timeout_seconds: float) -> None:
        """Wait until the client has read most of what was sent. Raises TimeoutError, ConnectionError."""
        assert self._payload_writer is not None
        async with asyncio.timeout(timeout_seconds):
            await self._payload_writer.drain()

    async def finish(self, transport: asyncio.Transport) -> None:
        """End the body properly. Abort the connection if the client does not read even that."""
        asyncio.get_running_loop().call_later(STREAM_CLOSE_TIMEOUT_SECONDS, transport.abort)
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(STREAM_CLOSE_TIMEOUT_SECONDS):
                await self.write_eof()
