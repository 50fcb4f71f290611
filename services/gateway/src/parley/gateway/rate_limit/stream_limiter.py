"""The open event streams of this replica: a limit per address, and their gradual end when the gateway stops."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator

from parley.common.errors import TooManyRequests
from parley.gateway import metrics
from parley.gateway.rate_limit.concurrency_limiter import ConcurrencyLimiter
from parley.gateway.timeouts import STREAM_RETRY_AFTER_SECONDS


class StreamLimiter:
    """Counts open streams. `drain` closes them spread over `drain_seconds`, so that clients reconnect gradually."""

    def __init__(self, max_per_address: int, drain_seconds: float) -> None:
        self._limiter = ConcurrencyLimiter(max_per_address, "streams")
        self._drain_seconds = drain_seconds
        self._close_callbacks: set[Callable[[], None]] = set()
        self._draining = False

    @contextlib.contextmanager
    def slot(self, address: str) -> Iterator[None]:
        """Occupy one of the slots of an address. Raises TooManyRequests if all are in use."""
        if not self._limiter.try_acquire(address):
            raise TooManyRequests(STREAM_RETRY_AFTER_SECONDS, "Too many streams are open from this address.")
        metrics.OPEN_STREAMS.inc()
        try:
            yield
        finally:
            metrics.OPEN_STREAMS.dec()
            self._limiter.release(address)

    @contextlib.contextmanager
    def register(self, close: Callable[[], None]) -> Iterator[None]:
        """Within the context, `drain` ends the stream by calling `close`."""
        self._close_callbacks.add(close)
        if self._draining:
            self._schedule(close)
        try:
            yield
        finally:
            self._close_callbacks.discard(close)

    def drain(self) -> None:
        """Close every stream at a random time within the drain period, also those that open from now on."""
        self._draining = True
        for close in self._close_callbacks:
            self._schedule(close)

    def _schedule(self, close: Callable[[], None]) -> None:
        delay = random.uniform(0, self._drain_seconds)  # noqa: S311 - spreads load
        asyncio.get_running_loop().call_later(delay, lambda: close() if close in self._close_callbacks else None)
