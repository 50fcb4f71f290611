"""The event streams that are open through this replica: so many per address, and ended apart when it stops."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Iterator

from parley.common.errors import TooMany
from parley.gateway import metrics

_RETRY_SECONDS = 10


class Streams:
    """Counts streams, and ends them when the gateway stops, spread so that clients do not come back all at once."""

    def __init__(self, per_address: int, spread_seconds: float) -> None:
        self._per_address = per_address
        self._spread = spread_seconds
        self._by_address: Counter[str] = Counter()
        self._open: set[Callable[[], None]] = set()
        self._ending = False

    @contextlib.contextmanager
    def place(self, address: str) -> Iterator[None]:
        """A place for one stream. Raises TooMany where the address has all of its own."""
        if self._by_address[address] >= self._per_address:
            metrics.RATE_LIMITED.labels("address", "streams").inc()
            raise TooMany(_RETRY_SECONDS, "Too many streams are open from this address.")
        self._by_address[address] += 1
        metrics.STREAMS.inc()
        try:
            yield
        finally:
            metrics.STREAMS.dec()
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    @contextlib.contextmanager
    def ended_by(self, cut: Callable[[], None]) -> Iterator[None]:
        """While it lasts, `cut` ends this stream when the gateway stops."""
        self._open.add(cut)
        if self._ending:
            self._later(cut)
        try:
            yield
        finally:
            self._open.discard(cut)

    def end_all(self) -> None:
        """Begin to end every stream, each at a moment of its own within the spread."""
        self._ending = True
        for cut in self._open:
            self._later(cut)

    def _later(self, cut: Callable[[], None]) -> None:
        moment = random.uniform(0, self._spread)  # noqa: S311 - spreads load, guards nothing
        asyncio.get_running_loop().call_later(moment, lambda: cut() if cut in self._open else None)
