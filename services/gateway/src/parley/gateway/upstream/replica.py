"""One replica of a service: its address, the idle connections to it, and how much it is doing for this gateway."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections import deque
from typing import NamedTuple
from urllib.parse import urlsplit

from parley.gateway import metrics
from parley.gateway.timeouts import IDLE_CONNECTION_SECONDS, MAX_CONNECTION_AGE_SECONDS
from parley.gateway.upstream.http1_connection import Http1Connection

_MAX_IDLE_CONNECTIONS = 256


class Endpoint(NamedTuple):
    """A base URL of a service: a host, behind which there may be several replicas, and how to talk to them."""

    host: str
    port: int
    host_header: bytes
    ssl_context: ssl.SSLContext | None

    @classmethod
    def from_url(cls, url: str) -> Endpoint:
        """Raises ValueError for a URL without a host."""
        parts = urlsplit(url)
        if not parts.hostname:
            raise ValueError(f"{url} has no host")
        ssl_context = ssl.create_default_context() if parts.scheme == "https" else None
        port = parts.port or (443 if ssl_context else 80)
        return cls(parts.hostname, port, b"Host: " + parts.netloc.encode("ascii") + b"\r\n", ssl_context)

    def format_address(self, ip: str) -> str:
        """Return IP address and port of a replica."""
        return f"[{ip}]:{self.port}" if ":" in ip else f"{ip}:{self.port}"


class Replica:
    """An address of a service. Its idle connections are used again, the most recent one first."""

    def __init__(self, service: str, endpoint: Endpoint, ip: str) -> None:
        self.address = endpoint.format_address(ip)
        """Names the replica, for every gateway alike."""
        self.host_header = endpoint.host_header
        self.reachable = True
        """False from a failed connection until the next successful one."""
        self.requests = 0
        """In flight, without streams."""
        self.streams = 0
        self._service = service
        self._requests_total = metrics.REPLICA_REQUESTS.labels(service, self.address)
        metrics.REPLICA_IN_FLIGHT.labels(service, self.address).set_function(lambda: self.requests + self.streams)
        self._ip = ip
        self._endpoint = endpoint
        self._removed = False
        self._idle: deque[tuple[float, Http1Connection]] = deque()

    def begin(self, *, is_stream: bool) -> None:
        """Count a request that goes to this replica; `end` follows."""
        self._requests_total.inc()
        if is_stream:
            self.streams += 1
        else:
            self.requests += 1

    def end(self, *, is_stream: bool) -> None:
        """Count the end of a request."""
        if is_stream:
            self.streams -= 1
        else:
            self.requests -= 1

    def take_idle(self) -> Http1Connection | None:
        """Return the most recently used idle connection that is still usable."""
        now = time.monotonic()
        while self._idle:
            idle_since, connection = self._idle.pop()
            if connection.is_usable and now - idle_since < IDLE_CONNECTION_SECONDS:
                return connection
            connection.close()
        return None

    async def connect(self, timeout_seconds: float) -> Http1Connection:
        """Open a connection. Raises OSError, TimeoutError."""
        loop, endpoint = asyncio.get_running_loop(), self._endpoint
        server_hostname = endpoint.host if endpoint.ssl_context is not None else None
        async with asyncio.timeout(timeout_seconds):
            _, connection = await loop.create_connection(
                Http1Connection, self._ip, endpoint.port, ssl=endpoint.ssl_context, server_hostname=server_hostname
            )
        return connection

    def release(self, connection: Http1Connection) -> None:
        """Keep a connection for the next request, or close it if it is not reusable, too old, or of no use any more."""
        now = time.monotonic()
        # The jitter spreads the reconnects.
        max_age = MAX_CONNECTION_AGE_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311
        if self._removed or not connection.is_reusable or now - connection.opened_at > max_age:
            connection.close()
            return
        self._idle.append((now, connection))
        while len(self._idle) > _MAX_IDLE_CONNECTIONS:
            self._idle.popleft()[1].close()

    def remove(self) -> None:
        """Close the idle connections, and those in use when their request ends."""
        self._removed = True
        while self._idle:
            self._idle.pop()[1].close()
        for metric in (metrics.REPLICA_REQUESTS, metrics.REPLICA_IN_FLIGHT):
            metric.remove(self._service, self.address)
