"""A service and its replicas: retries, and reuse of connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence

from parley.common.errors import BadGateway, GatewayTimeout, Unavailable
from parley.gateway import metrics
from parley.gateway.timeouts import CONNECT_RETRY_SECONDS, CONNECT_TIMEOUT_SECONDS
from parley.gateway.upstream.host_resolver import AddressLookup
from parley.gateway.upstream.http1_connection import Http1Connection, ResponseHead, UpstreamDisconnected
from parley.gateway.upstream.replica import Replica
from parley.gateway.upstream.replica_directory import ReplicaDirectory
from parley.gateway.upstream.replica_selection import ANYWHERE, Placement, ReplicaSelector
from parley.gateway.upstream.request_head import RequestHead

_MAX_IN_FLIGHT = 20_000
_MAX_CONCURRENT_CONNECTS = 512
_MAX_ATTEMPTS = 4


class UpstreamRequest:
    """A request in flight. Use it as an async context manager: on exit the connection is released or closed."""

    def __init__(self, upstream: Upstream, replica: Replica, connection: Http1Connection, *, is_stream: bool) -> None:
        self.connection = connection
        self.replica = replica
        self._upstream = upstream
        self._is_stream = is_stream
        replica.begin(is_stream=is_stream)

    def send(self, head: RequestHead, *, is_complete: bool = True) -> None:
        """Send the head, and the body if it contains one. Unless `is_complete`, the rest of the body follows."""
        data = head.before_host + self.replica.host_header + head.after_host
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
        self.replica.end(is_stream=self._is_stream)
        if self.connection.is_reusable:
            self.replica.release(self.connection)
        else:
            self.connection.close()


class Upstream:
    """A service: a component that knows its replicas. Limits requests in flight, and connections being opened."""

    def __init__(self, service: str, urls: Sequence[str], lookup: AddressLookup) -> None:
        """Raises ValueError for a URL without a host."""
        self.name = f"upstream:{service}"
        self.in_flight = 0
        self._service = service
        self._selector: ReplicaSelector[Replica] = ReplicaSelector()
        self._directory = ReplicaDirectory(service, urls, lookup, self._selector)
        self._latency = metrics.UPSTREAM_SECONDS.labels(service)
        self._connect_slots = asyncio.Semaphore(_MAX_CONCURRENT_CONNECTS)

    async def start(self) -> None:
        await self._directory.start()

    async def stop(self) -> None:
        await self._directory.stop()

    def unready_reason(self) -> str | None:
        return None  # Another service's outage is not the gateway's: `/healthz` reports it.

    async def request(
        self,
        head: RequestHead,
        timeout_seconds: float,
        *,
        is_retryable: bool,
        placement: Placement = ANYWHERE,
    ) -> tuple[UpstreamRequest, ResponseHead]:
        """Send a complete request and return it with its response head.

        A replica that refuses the connection is skipped. A request that `is_retryable` is sent again, on a new
        connection and to another replica if there is one, if the connection breaks before the response head.
        `timeout_seconds` is for one response head. Raises Unavailable (no replica accepts a connection), BadGateway,
        GatewayTimeout.
        """
        started_at = time.perf_counter()
        tried: list[Replica] = []
        while True:
            request = await self._connect(placement, tried)
            try:
                request.send(head)
                response_head = await request.connection.read_head(timeout_seconds)
            except UpstreamDisconnected as exc:
                await request.__aexit__()
                self._directory.request_refresh()
                metrics.UPSTREAM_FAILURES.labels(self._service, "broken").inc()
                tried.append(request.replica)
                attempts = min(_MAX_ATTEMPTS, len(self._directory.replicas) + 1)
                if is_retryable and not exc.response_started and len(tried) < attempts:
                    continue
                raise BadGateway from exc
            except TimeoutError as exc:
                await request.__aexit__()
                metrics.UPSTREAM_FAILURES.labels(self._service, "late").inc()
                raise GatewayTimeout from exc
            except BaseException:
                await request.__aexit__()
                raise
            self._latency.observe(time.perf_counter() - started_at)
            return request, response_head

    async def start_request(self, head: RequestHead, placement: Placement = ANYWHERE) -> UpstreamRequest:
        """Send the head of a request whose body follows, on a new connection. Raises Unavailable."""
        request = await self._connect(placement, (), reuse=False)
        request.send(head, is_complete=False)
        return request

    async def request_all_replicas(self, head: RequestHead, timeout_seconds: float) -> list[int | None]:
        """Send a request to every replica; return the status of each, None for one that does not respond."""
        await self._require_known()
        replicas = self._directory.replicas
        return list(await asyncio.gather(*(_get_status(replica, head, timeout_seconds) for replica in replicas)))

    async def _connect(
        self, placement: Placement, tried: Collection[Replica], *, reuse: bool = True
    ) -> UpstreamRequest:
        """Connect to the preferred replica that accepts a connection, those `tried` last and on new connections."""
        if self.in_flight >= _MAX_IN_FLIGHT:
            raise Unavailable
        self.in_flight += 1
        try:
            await self._require_known()
            replicas = self._selector.order(placement)
            if tried:
                replicas = sorted(replicas, key=tried.__contains__)
            last = len(replicas) - 1
            for index, replica in enumerate(replicas):
                connection = replica.take_idle() if reuse and not tried else None
                if connection is None:
                    timeout_seconds = CONNECT_TIMEOUT_SECONDS if index == last else CONNECT_RETRY_SECONDS
                    connection = await self._try_connect(replica, timeout_seconds)
                if connection is not None:
                    is_stream = placement.stream_key is not None
                    return UpstreamRequest(self, replica, connection, is_stream=is_stream)
        except BaseException:
            self.in_flight -= 1
            raise
        self.in_flight -= 1
        raise Unavailable

    async def _require_known(self) -> None:
        """Wait for a lookup while no replica is known."""
        if not self._directory.replicas:
            await self._directory.refresh()

    async def _try_connect(self, replica: Replica, timeout_seconds: float) -> Http1Connection | None:
        try:
            async with self._connect_slots:
                connection = await replica.connect(timeout_seconds)
        except (OSError, TimeoutError) as exc:
            metrics.UPSTREAM_FAILURES.labels(self._service, "unreachable").inc()
            self._directory.on_unreachable(replica, exc)
            return None
        replica.reachable = True
        return connection


async def _get_status(replica: Replica, head: RequestHead, timeout_seconds: float) -> int | None:
    connection: Http1Connection | None = None
    try:
        async with asyncio.timeout(timeout_seconds):
            connection = await replica.connect(timeout_seconds)
            connection.send_request(head.before_host + replica.host_header + head.after_host)
            return (await connection.read_head()).status
    except (OSError, TimeoutError):
        return None
    finally:
        if connection is not None:
            connection.close()
