"""The public door: connections that send no whole request head in time are closed, unreadable ones told so plainly.

aiohttp's server waits for a head as long as the connection lasts, and answers what it cannot parse in its own words,
with what it was sent in the log. Here it is ten seconds, the envelope, and no word of what was sent.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from parley.common.errors import Malformed
from parley.common.http import error_responses
from parley.common.observability.logging import continue_trace

HEAD_SECONDS = 10.0


class _Connection(RequestHandler):
    __slots__ = ("_head_timer",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        heads, request = self._request_count, self._current_request
        between = not self._messages and (request is None or request.content.is_eof())
        super().data_received(data)
        if self._request_count != heads:
            self._stop_waiting()
        elif between and self._head_timer is None:
            # The beginning of another head on a connection that was kept, also while the last answer is under way.
            self._await_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("An answer has begun; another cannot be sent.")
        trace = continue_trace(None, None)
        response = error_responses.failure(Malformed()) if status < 500 else error_responses.internal_failure()
        response.headers["X-Request-Id"] = trace.request_id
        response.headers["Server"] = "parley"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.force_close()
        return response

    def _await_head(self) -> None:
        self._head_timer = self._loop.call_later(HEAD_SECONDS, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        if self._request_in_progress or self._messages:
            self._await_head()  # Not amid an answer.
        else:
            self._head_timer = None
            self.force_close()


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class Door(web.AppRunner):
    """Runs the application behind such connections."""

    async def _make_server(self) -> web.Server:
        plain = await super()._make_server()
        return _Server(
            plain.request_handler,
            request_factory=plain.request_factory,
            handler_cancellation=True,
            **{name: value for name, value in plain._kwargs.items() if name != "handler_cancellation"},
        )
