"""A service and its replicas: round robin, retries, and reuse of connections."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence

from parley.common.errors import BadGateway, GatewayTimeout, Unavailable
from parley.common.observability.logging import get_logger
from parley.gateway import metrics
from parley.gateway.timeouts import REPLICA_RETRY_DELAY_SECONDS
from parley.gateway.upstream.http1_connection import Http1Connection, ResponseHead, UpstreamDisconnected
from parley.gateway.upstream.replica import Replica
from parley.gateway.upstream.request_head import RequestHead

log = get_logger(__name__)

_MAX_IN_FLIGHT = 20_000
_MAX_CONCURRENT_CONNECTS = 512


class UpstreamRequest:
    """A request in flight. Use it as an async context manager: on exit the connection is released or closed."""

    def __init__(self, upstream: Upstream, replica: Replica, connection: Http1Connection) -> None:
        self.connection = connection
        self._upstream = upstream
        self._replica = replica

    def send(self, head: RequestHead, *, is_complete: bool = True) -> None:
        """Send the head, and the body if it contains one. Unless `is_complete`, the rest of the body follows."""
        data = head.before_host + self._replica.host_header + head.after_host
        self.connection.send_request(data, is_complete=is_complete)

    async def read_all(self, max_bytes: int, timeout_seconds: float) -> bytes:
        """Return the whole body. Raises BadGateway if it is truncated or too large, GatewayTimeout."""
        connection = self.connection
        if connection.is_complete:
            return connection.read_available()
        body = bytearray()
        try:
            async with asyncio.timeout(timeout_seconds):
                while part := await connection.read():
                    body += part
                    if len(body) > max_bytes:
                        raise BadGateway
        except UpstreamDisconnected as exc:
            raise BadGateway from exc
        except TimeoutError as exc:
            raise GatewayTimeout from exc
        return bytes(body)

    async def __aenter__(self) -> UpstreamRequest:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._upstream.in_flight -= 1
        if self.connection.is_reusable:
            self._replica.release(self.connection)
        else:
            self.connection.close()


class Upstream:
    """A service. Limits the number of requests in flight, and of connections being opened."""

    def __init__(self, name: str, urls: Sequence[str]) -> None:
        self.name = name
        self.in_flight = 0
        self._replicas = [Replica(url) for url in urls]
        self._latency = metrics.UPSTREAM_SECONDS.labels(name)
        # A random start: otherwise all replicas of the gateway would send their first request to the same one.
        self._next_replica = random.randrange(len(self._replicas))  # noqa: S311
        self._connect_slots = asyncio.Semaphore(_MAX_CONCURRENT_CONNECTS)

    async def request(
        self, head: RequestHead, timeout_seconds: float, *, is_retryable: bool
    ) -> tuple[UpstreamRequest, ResponseHead]:
        """Send a complete request and return it with its response head.

        A replica that refuses the connection is skipped. A request that `is_retryable` is sent again, on a new
        connection, if the connection breaks before the response head. `timeout_seconds` is for one response head.
        Raises Unavailable (no replica accepts a connection), BadGateway, GatewayTimeout.
        """
        started_at = time.perf_counter()
        for attempt in range(len(self._replicas) + 1):
            request = await self._connect(reuse=attempt == 0)
            try:
                request.send(head)
                response_head = await request.connection.read_head(timeout_seconds)
            except UpstreamDisconnected as exc:
                await request.__aexit__()
                metrics.UPSTREAM_FAILURES.labels(self.name, "broken").inc()
                if is_retryable and not exc.response_started and attempt < len(self._replicas):
                    continue
                raise BadGateway from exc
            except TimeoutError as exc:
                await request.__aexit__()
                metrics.UPSTREAM_FAILURES.labels(self.name, "late").inc()
                raise GatewayTimeout from exc
            except BaseException:
                await request.__aexit__()
                raise
            self._latency.observe(time.perf_counter() - started_at)
            return request, response_head
        raise BadGateway

    async def start_request(self, head: RequestHead) -> UpstreamRequest:
        """Send the head of a request whose body follows, on a new connection. Raises Unavailable."""
        request = await self._connect(reuse=False)
        request.send(head, is_complete=False)
        return request

    async def request_all_replicas(self, head: RequestHead, timeout_seconds: float) -> list[int | None]:
        """Send a request to every replica; return the status of each, None for one that does not respond."""
        return list(await asyncio.gather(*(_get_status(replica, head, timeout_seconds) for replica in self._replicas)))

    def close(self) -> None:
        """Close the idle connections."""
        for replica in self._replicas:
            replica.close()

    async def _connect(self, *, reuse: bool) -> UpstreamRequest:
        if self.in_flight >= _MAX_IN_FLIGHT:
            raise Unavailable
        self.in_flight += 1
        try:
            for replica in self._round_robin():
                connection = replica.take_idle() if reuse else None
                if connection is None:
                    connection = await self._try_connect(replica)
                if connection is not None:
                    return UpstreamRequest(self, replica, connection)
        except BaseException:
            self.in_flight -= 1
            raise
        self.in_flight -= 1
        raise Unavailable

    async def _try_connect(self, replica: Replica) -> Http1Connection | None:
        try:
            async with self._connect_slots:
                connection = await replica.connect()
        except (OSError, TimeoutError) as exc:
            # Logged once for an outage, not for every request during it.
            if replica.unreachable_until < time.monotonic() - 10 * REPLICA_RETRY_DELAY_SECONDS:
                log.warning("service_unreachable", upstream=self.name, error=repr(exc)[:200])
            metrics.UPSTREAM_FAILURES.labels(self.name, "unreachable").inc()
            replica.unreachable_until = time.monotonic() + REPLICA_RETRY_DELAY_SECONDS
            return None
        replica.unreachable_until = 0.0
        return connection

    def _round_robin(self) -> list[Replica]:
        """Return all replicas, the next one first, those that were just unreachable last."""
        replicas = self._replicas
        if len(replicas) == 1:
            return replicas
        self._next_replica = (self._next_replica + 1) % len(replicas)
        rotated = replicas[self._next_replica :] + replicas[: self._next_replica]
        now = time.monotonic()
        return sorted(rotated, key=lambda replica: replica.unreachable_until > now)


async def _get_status(replica: Replica, head: RequestHead, timeout_seconds: float) -> int | None:
    connection: Http1Connection | None = None
    try:
        async with asyncio.timeout(timeout_seconds):
            connection = await replica.connect()
            connection.send_request(head.before_host + replica.host_header + head.after_host)
            return (await connection.read_head()).status
    except (OSError, TimeoutError):
        return None
    finally:
        if connection is not None:
            connection.close()
