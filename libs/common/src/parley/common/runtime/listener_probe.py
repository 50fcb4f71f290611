"""Requests to a process's own public listener, so that its liveness probe sees one that answers nothing."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import time
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from parley.common.runtime import timeouts
from parley.common.runtime.tasks import PeriodicTask

_PROBE_HEADER: Final = "X-Parley-Probe"
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - listens on all, connects to itself


class ListenerProbe:
    """Sends a request to the listener every few seconds. Any response will do; the application does not see it."""

    def __init__(
        self,
        *,
        interval_seconds: float = timeouts.PROBE_INTERVAL_SECONDS,
        timeout_seconds: float = timeouts.PROBE_TIMEOUT_SECONDS,
        stuck_seconds: float = timeouts.PROBE_STUCK_SECONDS,
    ) -> None:
        self._host, self._port = "", 0
        self._timeout_seconds = timeout_seconds
        self._stuck_seconds = stuck_seconds
        self._secret = secrets.token_hex(16)
        self._answered_at = time.monotonic()
        self._task = PeriodicTask(interval_seconds, self._probe, "listener-probe")

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer the probe's own requests before they are logged, counted or limited."""
        if secrets.compare_digest(request.headers.get(_PROBE_HEADER, "").encode(), self._secret.encode()):
            return web.Response(status=204)
        return await handler(request)

    async def start(self, host: str, port: int) -> None:
        """Begin to send requests to a listener that is open."""
        self._host, self._port = _LOOPBACK.get(host, host), port
        self._answered_at = time.monotonic()
        await self._task.start()

    async def stop(self) -> None:
        await self._task.stop()

    def stuck_reason(self) -> str | None:
        """Why only a restart helps; None if the listener has answered lately."""
        seconds = time.monotonic() - self._answered_at
        return f"the public port has not answered for {seconds:.0f} s" if seconds > self._stuck_seconds else None

    async def _probe(self) -> None:
        async with asyncio.timeout(self._timeout_seconds):
            reader, writer = await asyncio.open_connection(self._host, self._port)
            try:
                writer.write(self._request())
                if await reader.readexactly(5) == b"HTTP/":
                    self._answered_at = time.monotonic()
            finally:
                writer.close()

    def _request(self) -> bytes:
        host = f"[{self._host}]" if _is_ipv6(self._host) else self._host
        lines = ("GET / HTTP/1.1", f"Host: {host}", f"{_PROBE_HEADER}: {self._secret}", "Connection: close", "", "")
        return "\r\n".join(lines).encode()


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False
