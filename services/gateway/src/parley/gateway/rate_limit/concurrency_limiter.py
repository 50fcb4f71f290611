"""A limit on what may be open at the same time for one key: connections, or requests in flight."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator

from parley.common.errors import TooManyRequests
from parley.gateway import metrics
from parley.gateway.timeouts import CONNECTION_RETRY_AFTER_SECONDS


class ConcurrencyLimiter:
    """Counts by key. `rate` is the label of what is counted in the metric of rejections."""

    def __init__(self, max_per_key: int, rate: str) -> None:
        self._max_per_key = max_per_key
        self._rejections = metrics.RATE_LIMITED.labels("address", rate)
        self._counts: Counter[str] = Counter()

    def try_acquire(self, key: str) -> bool:
        """Occupy one of the slots of a key; False if all are in use."""
        if self._counts[key] >= self._max_per_key:
            self._rejections.inc()
            return False
        self._counts[key] += 1
        return True

    def release(self, key: str) -> None:
        """Give a slot back."""
        self._counts[key] -= 1
        if not self._counts[key]:
            del self._counts[key]

    @contextlib.contextmanager
    def slot(self, key: str) -> Iterator[None]:
        """Occupy a slot within the context. Raises TooManyRequests if all are in use."""
        if not self.try_acquire(key):
            raise TooManyRequests(CONNECTION_RETRY_AFTER_SECONDS, "Too many requests are open from this address.")
        try:
            yield
        finally:
            self.release(key)
