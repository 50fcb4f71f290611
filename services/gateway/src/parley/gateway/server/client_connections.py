"""The open connections of clients: how many an address may have, and an end for those that do not read.

aiohttp waits for a client to read its response as long as the connection lasts. A client that opens many connections,
requests large responses and reads none would occupy the memory of the gateway.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from parley.common.runtime.tasks import PeriodicTask
from parley.gateway import metrics
from parley.gateway.rate_limit.concurrency_limiter import ConcurrencyLimiter
from parley.gateway.server.client_ip import ClientIpResolver, rate_limit_key
from parley.gateway.timeouts import (
    CLIENT_READ_CHECK_SECONDS,
    CLIENT_READ_TIMEOUT_SECONDS,
    STALLED_CLIENT_SECONDS,
)

MAX_STALLED_BYTES_PER_ADDRESS = 16 * 1024 * 1024
"""What may wait at the same time for the clients of one address that have stopped reading."""


@dataclass(slots=True, eq=False)
class ClientConnection:
    """One connection. `address` is None for a trusted proxy, which carries the requests of many clients."""

    transport: asyncio.Transport
    address: str | None
    unread_bytes: int = 0
    drained: bool = False
    """Whether the client has read nearly everything since the last check, though more may have been written."""
    stalled_since: float = 0.0


class ClientConnections:
    """All connections of this replica."""

    def __init__(
        self,
        max_per_address: int,
        client_ips: ClientIpResolver,
        max_stalled_bytes: int = MAX_STALLED_BYTES_PER_ADDRESS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limiter = ConcurrencyLimiter(max_per_address, "connections")
        self._client_ips = client_ips
        self._max_stalled_bytes = max_stalled_bytes
        self._monotonic = monotonic
        self._open: set[ClientConnection] = set()

    def build_check(self) -> PeriodicTask:
        """Return the component that disconnects clients that do not read."""

        async def check() -> None:
            self.disconnect_stalled()

        return PeriodicTask(CLIENT_READ_CHECK_SECONDS, check, "client-connections")

    def open(self, transport: asyncio.Transport, peer_ip: str) -> ClientConnection | None:
        """Register a connection; None if its address has too many."""
        address = None if self._client_ips.is_trusted(peer_ip) else rate_limit_key(peer_ip)
        if address is not None and not self._limiter.try_acquire(address):
            return None
        connection = ClientConnection(transport, address)
        self._open.add(connection)
        return connection

    def close(self, connection: ClientConnection) -> None:
        """Forget a connection that was lost."""
        self._open.discard(connection)
        if connection.address is not None:
            self._limiter.release(connection.address)

    def disconnect_stalled(self) -> None:
        """Disconnect clients that have read nothing for 20 s, and the longest stalled of an address with too much."""
        now = self._monotonic()
        stalled: defaultdict[str, list[ClientConnection]] = defaultdict(list)
        for connection in tuple(self._open):
            seconds = _update(connection, now)
            if seconds >= CLIENT_READ_TIMEOUT_SECONDS:
                _disconnect(connection)
            elif seconds >= STALLED_CLIENT_SECONDS and connection.address is not None:
                stalled[connection.address].append(connection)
        for connections in stalled.values():
            total = sum(connection.unread_bytes for connection in connections)
            for connection in sorted(connections, key=lambda one: one.stalled_since):
                if total <= self._max_stalled_bytes:
                    break
                total -= connection.unread_bytes
                _disconnect(connection)


def _update(connection: ClientConnection, now: float) -> float:
    """Compare with the last check; return for how many seconds the client has not read what waits for it."""
    unread_bytes = connection.transport.get_write_buffer_size()
    if connection.drained or not connection.unread_bytes or unread_bytes < connection.unread_bytes:
        connection.stalled_since = now
    connection.unread_bytes = unread_bytes
    connection.drained = False
    return now - connection.stalled_since if unread_bytes else 0.0


def _disconnect(connection: ClientConnection) -> None:
    metrics.SLOW_CLIENTS.inc()
    client = connection.transport.get_extra_info("socket")
    if client is not None:
        # A reset: else the kernel would go on holding what it could not send yet.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.transport.abort()
