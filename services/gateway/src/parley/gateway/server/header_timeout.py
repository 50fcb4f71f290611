"""An aiohttp server that closes connections without a complete request head in time, and those of too busy addresses.

aiohttp's own server waits for a head as long as the connection lasts, and its response to a malformed request repeats
what it received. Here the head has a timeout, and the response is the error envelope without any part of the request.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from parley.common.errors import BadRequest, TooManyRequests
from parley.common.http import error_responses
from parley.common.observability.logging import start_or_continue_trace
from parley.gateway.server.client_connections import ClientConnection, ClientConnections
from parley.gateway.timeouts import CONNECTION_RETRY_AFTER_SECONDS, REQUEST_HEAD_TIMEOUT_SECONDS

_SEND_BUFFER_BYTES = 128 * 1024


class HeaderTimeoutHandler(RequestHandler):
    """The protocol of one client connection."""

    __slots__ = ("_client", "_connections", "_header_timer")

    def __init__(self, *args: Any, connections: ClientConnections, **options: Any) -> None:
        super().__init__(*args, **options)
        self._connections = connections
        self._client: ClientConnection | None = None
        self._header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        client = self._connections.open(cast("asyncio.Transport", transport), _peer_ip(transport))
        if client is None:
            self._reject(cast("asyncio.Transport", transport))
            return
        self._client = client
        super().connection_made(transport)
        _limit_send_buffer(transport)
        self._start_header_timer()

    def data_received(self, data: bytes) -> None:
        request_count, request = self._request_count, self._current_request
        is_between_requests = not self._messages and (request is None or request.content.is_eof())
        super().data_received(data)
        if self._request_count != request_count:
            self._stop_header_timer()
        elif is_between_requests and self._header_timer is None:
            # The first bytes of the next head on a kept connection, possibly while the last response is still sent.
            self._start_header_timer()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_header_timer()
        if self._client is None:
            return  # It was rejected.
        self._connections.close(self._client)
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        if self._client is not None:
            self._client.drained = True
        super().resume_writing()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("The response has started; an error response cannot be sent.")
        trace = start_or_continue_trace(None, None)
        if status < 500:
            response = error_responses.error_response(BadRequest())
        else:
            response = error_responses.internal_error_response()
        response.headers["X-Request-Id"] = trace.request_id
        response.headers["Server"] = "parley"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.force_close()
        return response

    def _reject(self, transport: asyncio.Transport) -> None:
        """Respond without a request: none is read from an address that has too many connections."""
        start_or_continue_trace(None, None)
        error = TooManyRequests(CONNECTION_RETRY_AFTER_SECONDS, "Too many connections are open from this address.")
        body = error_responses.error_response(error).body
        assert isinstance(body, bytes)
        self._force_close = True
        transport.write(
            b"HTTP/1.1 429 Too Many Requests\r\nServer: parley\r\nContent-Type: application/json\r\n"
            b"Retry-After: %d\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
            % (CONNECTION_RETRY_AFTER_SECONDS, len(body), body)
        )
        transport.close()

    def _start_header_timer(self) -> None:
        self._header_timer = self._loop.call_later(REQUEST_HEAD_TIMEOUT_SECONDS, self._on_header_timeout)

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _on_header_timeout(self) -> None:
        if self._request_in_progress or self._messages:
            self._start_header_timer()  # A response is in progress; closing now would truncate it.
        else:
            self._header_timer = None
            self.force_close()


def _peer_ip(transport: asyncio.BaseTransport) -> str:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""


def _limit_send_buffer(transport: asyncio.BaseTransport) -> None:
    """Bound what the kernel holds for a client that does not read; by itself it grows to megabytes."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)


class _HeaderTimeoutServer(web.Server):
    def __call__(self) -> RequestHandler:
        return HeaderTimeoutHandler(self, loop=self._loop, **self._kwargs)


class HeaderTimeoutRunner(web.AppRunner):
    """Runs an application whose connections use `HeaderTimeoutHandler`."""

    def __init__(self, app: web.Application, *, connections: ClientConnections, **options: Any) -> None:
        super().__init__(app, **options)
        self._connections = connections

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        return _HeaderTimeoutServer(
            server.request_handler,
            request_factory=server.request_factory,
            handler_cancellation=True,
            connections=self._connections,
            **{name: value for name, value in server._kwargs.items() if name != "handler_cancellation"},
        )
