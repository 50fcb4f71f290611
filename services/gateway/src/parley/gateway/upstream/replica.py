"""One replica of a service: its address, and the idle connections to it."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections import deque
from urllib.parse import urlsplit

from parley.gateway.timeouts import CONNECT_TIMEOUT_SECONDS, IDLE_CONNECTION_SECONDS, MAX_CONNECTION_AGE_SECONDS
from parley.gateway.upstream.http1_connection import Http1Connection

_MAX_IDLE_CONNECTIONS = 256


class Replica:
    """A base URL of a service. If its host name stands for several replicas, connections reach any of them."""

    def __init__(self, url: str) -> None:
        """Raises ValueError for a URL without a host."""
        parts = urlsplit(url)
        if not parts.hostname:
            raise ValueError(f"{url} has no host")
        self.unreachable_until = 0.0
        self.host_header = b"Host: " + parts.netloc.encode("ascii") + b"\r\n"
        self._host = parts.hostname
        self._ssl_context = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._ssl_context else 80)
        self._idle: deque[tuple[float, Http1Connection]] = deque()

    def take_idle(self) -> Http1Connection | None:
        """Return the most recently used idle connection that is still usable."""
        now = time.monotonic()
        while self._idle:
            idle_since, connection = self._idle.pop()
            if connection.is_usable and now - idle_since < IDLE_CONNECTION_SECONDS:
                return connection
            connection.close()
        return None

    async def connect(self) -> Http1Connection:
        """Open a connection. Raises OSError, TimeoutError (3 s)."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            _, connection = await loop.create_connection(Http1Connection, self._host, self._port, ssl=self._ssl_context)
        return connection

    def release(self, connection: Http1Connection) -> None:
        """Keep a connection for the next request, or close it if it is not reusable or too old."""
        now = time.monotonic()
        # The jitter spreads the reconnects.
        max_age = MAX_CONNECTION_AGE_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311
        if not connection.is_reusable or now - connection.opened_at > max_age:
            connection.close()
            return
        self._idle.append((now, connection))
        while len(self._idle) > _MAX_IDLE_CONNECTIONS:
            self._idle.popleft()[1].close()

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop()[1].close()
