"""The services behind the gateway: their replicas in turn, and the connections to each kept for the next request."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
import time
from collections import deque
from collections.abc import Sequence
from urllib.parse import urlsplit

from parley.common.errors import Failed, Late, Unavailable
from parley.common.observability.logging import logger
from parley.gateway import metrics
from parley.gateway.proxy.http1_connection import Head, Wire, WireBroken

log = logger(__name__)

CONNECT_SECONDS = 3.0
_IDLE_SECONDS = 30.0
_OLDEST_SECONDS = 90.0
_MOST_IDLE = 256
_DOWN_SECONDS = 1.0
_MOST_AT_ONCE = 20_000
_MOST_OPENING = 512


class Replica:
    """One base URL of a service. Behind a balancing name it is several: so connections are renewed now and then."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if not parts.hostname:
            raise ValueError(f"{url} has no host")
        self.url = url.rstrip("/")
        self.down_until = 0.0
        self._host = parts.hostname
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self.host_line = b"Host: " + parts.netloc.encode("ascii") + b"\r\n"
        self._idle: deque[tuple[float, Wire]] = deque()

    def idle(self) -> Wire | None:
        """The connection that was used last and can be used again."""
        now = time.monotonic()
        while self._idle:
            since, wire = self._idle.pop()
            if wire.usable and now - since < _IDLE_SECONDS:
                return wire
            wire.close()
        return None

    async def open(self) -> Wire:
        """A new connection. Raises OSError, TimeoutError."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_SECONDS):
            _, wire = await loop.create_connection(Wire, self._host, self._port, ssl=self._tls)
        return wire

    def keep(self, wire: Wire) -> None:
        """Keep a connection for the next request, unless it has served its time."""
        now = time.monotonic()
        age = now - wire.opened_at
        if not wire.reusable or age > _OLDEST_SECONDS * random.uniform(0.8, 1.2):  # noqa: S311 - spreads renewals
            wire.close()
            return
        self._idle.append((now, wire))
        while len(self._idle) > _MOST_IDLE:
            self._idle.popleft()[1].close()

    def close(self) -> None:
        """Close what is kept."""
        while self._idle:
            self._idle.pop()[1].close()


class Exchange:
    """One request under way. Close it whatever happens: `async with`."""

    def __init__(self, upstream: Upstream, replica: Replica, wire: Wire) -> None:
        self.wire = wire
        self._upstream = upstream
        self._replica = replica

    def begin(self, head: tuple[bytes, bytes], *, whole: bool = True) -> None:
        """Send the request, or what there is of it; `head` goes around the line that names the host."""
        self.wire.begin(head[0] + self._replica.host_line + head[1], whole=whole)

    async def rest(self, largest: int, seconds: float) -> bytes:
        """The body to its end. Raises Failed where it breaks off or is larger than `largest` bytes, Late."""
        wire = self.wire
        if wire.ended:
            return wire.take()
        parts = bytearray()
        try:
            async with asyncio.timeout(seconds):
                while part := await wire.read():
                    parts += part
                    if len(parts) > largest:
                        raise Failed
        except WireBroken as exc:
            raise Failed from exc
        except TimeoutError as exc:
            raise Late from exc
        return bytes(parts)

    async def __aenter__(self) -> Exchange:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._upstream.under_way -= 1
        if self.wire.reusable:
            self._replica.keep(self.wire)
        else:
            self.wire.close()


class Upstream:
    """A service, by its replicas."""

    def __init__(self, name: str, urls: Sequence[str]) -> None:
        self.name = name
        self.replicas = [Replica(url) for url in urls]
        self.under_way = 0
        self._seconds = metrics.UPSTREAM_SECONDS.labels(name)
        self._turn = random.randrange(len(self.replicas))  # noqa: S311 - replicas of the gateway start apart
        self._opening = asyncio.Semaphore(_MOST_OPENING)

    async def ask(self, head: tuple[bytes, bytes], seconds: float, *, replayable: bool) -> tuple[Exchange, Head]:
        """Send a whole request, and wait for how its answer begins. `head` goes around the line that names the host.

        Another replica is tried where a connection cannot be opened, and for a request that may be repeated also
        where it broke before any answer. Raises Unavailable, Failed, Late.
        """
        started = time.perf_counter()
        for attempt in range(len(self.replicas) + 1):
            exchange = await self._connected(fresh=attempt > 0)
            try:
                exchange.begin(head)
                answer = await exchange.wire.head(seconds)
            except WireBroken as exc:
                await exchange.__aexit__()
                metrics.UPSTREAM_FAILURES.labels(self.name, "broken").inc()
                if replayable and not exc.answered and attempt < len(self.replicas):
                    continue
                raise Failed from exc
            except TimeoutError as exc:
                await exchange.__aexit__()
                metrics.UPSTREAM_FAILURES.labels(self.name, "late").inc()
                raise Late from exc
            except BaseException:
                await exchange.__aexit__()
                raise
            self._seconds.observe(time.perf_counter() - started)
            return exchange, answer
        raise Failed

    async def open(self, head: tuple[bytes, bytes]) -> Exchange:
        """Begin a request whose body follows in parts, on a connection of its own. Raises Unavailable."""
        exchange = await self._connected(fresh=True)
        exchange.begin(head, whole=False)
        return exchange

    async def ask_each(self, head: tuple[bytes, bytes], seconds: float) -> list[int | None]:
        """The status that each replica answers to the same question; None where it does not."""
        return list(await asyncio.gather(*(self._status(replica, head, seconds) for replica in self.replicas)))

    def close(self) -> None:
        """Close the connections that are kept."""
        for replica in self.replicas:
            replica.close()

    async def _status(self, replica: Replica, head: tuple[bytes, bytes], seconds: float) -> int | None:
        wire: Wire | None = None
        with contextlib.suppress(OSError, TimeoutError, ConnectionError):
            async with asyncio.timeout(seconds):
                wire = await replica.open()
                wire.begin(head[0] + replica.host_line + head[1])
                status = (await wire.head()).status
                wire.close()
                return status
        if wire is not None:
            wire.close()
        return None

    async def _connected(self, *, fresh: bool) -> Exchange:
        """A connection to the replica whose turn it is, or to the next that takes one."""
        if self.under_way >= _MOST_AT_ONCE:
            raise Unavailable
        self.under_way += 1
        try:
            for replica in self._in_turn():
                wire = None if fresh else replica.idle()
                if wire is None:
                    wire = await self._opened(replica)
                if wire is not None:
                    return Exchange(self, replica, wire)
        except BaseException:
            self.under_way -= 1
            raise
        self.under_way -= 1
        raise Unavailable

    async def _opened(self, replica: Replica) -> Wire | None:
        try:
            async with self._opening:
                wire = await replica.open()
        except (OSError, TimeoutError) as exc:
            if replica.down_until < time.monotonic() - 10 * _DOWN_SECONDS:
                log.warning("service_unreachable", upstream=self.name, error=repr(exc)[:200])
            metrics.UPSTREAM_FAILURES.labels(self.name, "unreachable").inc()
            replica.down_until = time.monotonic() + _DOWN_SECONDS
            return None
        replica.down_until = 0.0
        return wire

    def _in_turn(self) -> list[Replica]:
        """Every replica once: the next in turn first, those that were just found down last."""
        replicas = self.replicas
        if len(replicas) == 1:
            return replicas
        self._turn = (self._turn + 1) % len(replicas)
        turned = replicas[self._turn :] + replicas[: self._turn]
        now = time.monotonic()
        return sorted(turned, key=lambda replica: replica.down_until > now)
