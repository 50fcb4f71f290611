"""An aiohttp server that closes connections without a complete request head in time.

aiohttp's own server waits for a head as long as the connection lasts, and its response to a malformed request repeats
what it received. Here the head has a timeout, and the response is the error envelope without any part of the request.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from parley.common.errors import BadRequest
from parley.common.http import error_responses
from parley.common.observability.logging import start_or_continue_trace
from parley.gateway.timeouts import REQUEST_HEAD_TIMEOUT_SECONDS


class HeaderTimeoutHandler(RequestHandler):
    """The protocol of one client connection."""

    __slots__ = ("_header_timer",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
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
        super().connection_lost(exc)

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


class _HeaderTimeoutServer(web.Server):
    def __call__(self) -> RequestHandler:
        return HeaderTimeoutHandler(self, loop=self._loop, **self._kwargs)


class HeaderTimeoutRunner(web.AppRunner):
    """Runs an application whose connections use `HeaderTimeoutHandler`."""

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        return _HeaderTimeoutServer(
            server.request_handler,
            request_factory=server.request_factory,
            handler_cancellation=True,
            **{name: value for name, value in server._kwargs.items() if name != "handler_cancellation"},
        )
