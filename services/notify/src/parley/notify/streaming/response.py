"""The HTTP side of a stream: aiohttp-sse's response, without its task and its waiting writes."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp_sse import EventSourceResponse

from parley.common.errors import Unavailable
from parley.common.observability.logging import current_trace

_UNREAD_SECONDS = 20.0
"""For which the kernel keeps bytes that a client does not take, before it gives the connection up."""
_KERNEL_BYTES = 131_072
"""What the kernel may hold for a client. By itself it would grow to megabytes for one that does not read."""
_FINISH_SECONDS = 5.0


class EventStream(EventSourceResponse):
    """Headers, Last-Event-ID and the kernel's own time limit are aiohttp-sse's; writes go straight to the transport.

    aiohttp-sse pings from a task per stream and awaits each send; at thousands of streams that costs four times the
    CPU of a bare write, so the hub writes comments itself.
    """

    def __init__(self) -> None:
        super().__init__(send_timeout=_UNREAD_SECONDS)
        # Whoever streamed does not come back on the same connection: it is resumed on a new one, on any replica.
        del self.headers[hdrs.CONNECTION]
        self.headers["X-Request-Id"] = current_trace().request_id
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the headers now, so that the client knows it is connected. Raises Unavailable when it has left."""
        if request.transport is None:
            raise Unavailable("The client has left.")
        self._set_tcp_user_timeout(request)
        held = request.transport.get_extra_info("socket")
        if held is not None and held.family in (socket.AF_INET, socket.AF_INET6):
            held.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BYTES)
        writer = await web.StreamResponse.prepare(self, request)
        if writer is not None:
            writer.send_headers()
            # Nobody asks for them again, and thousands of streams are open.
            self.headers.clear()
        return writer

    def opened(self, request: web.BaseRequest) -> asyncio.Transport:
        """The socket to write to. Raises Unavailable when the client has left."""
        if request.transport is None:
            raise Unavailable("The client has left.")
        return request.transport

    async def drained(self, seconds: float) -> None:
        """Wait until the client has read most of what it was sent. Raises TimeoutError, ConnectionError."""
        assert self._payload_writer is not None
        async with asyncio.timeout(seconds):
            await self._payload_writer.drain()

    async def finish(self, transport: asyncio.Transport) -> None:
        """End the body as HTTP wants it; a client that does not even read that is let go."""
        asyncio.get_running_loop().call_later(_FINISH_SECONDS, transport.abort)
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_FINISH_SECONDS):
                await self.write_eof()
