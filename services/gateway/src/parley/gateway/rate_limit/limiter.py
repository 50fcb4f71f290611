"""The rate limiter: token buckets in the memory of this replica.

Each replica counts for itself, so N replicas let through up to N times as much. A bucket is stored as one number, the
time at which it is full again (the generic cell rate algorithm, which counts exactly like a token bucket).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from cachetools import LRUCache

from parley.common.errors import TooManyRequests
from parley.gateway import metrics
from parley.gateway.rate_limit.limits import RateLimit, RateLimitScope

_MAX_BUCKETS = 100_000
_ROUNDING_SECONDS = 1e-9


class RateLimiter:
    """All buckets of this replica. At most `max_buckets` are kept; the least recently used is dropped first."""

    def __init__(
        self,
        limits: Mapping[RateLimitScope, Mapping[str, RateLimit]],
        monotonic: Callable[[], float] = time.monotonic,
        max_buckets: int = _MAX_BUCKETS,
    ) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._full_at: LRUCache[tuple[RateLimitScope, str, str], float] = LRUCache(max_buckets)

    def acquire(self, scope: RateLimitScope, rate_class: str, key: str) -> None:
        """Take one token from the bucket of `key`. Raises TooManyRequests if it is empty; then nothing is taken."""
        limit = self._limits[scope].get(rate_class)
        if limit is None:
            return
        bucket = (scope, rate_class, key)
        now = self._monotonic()
        full_at = max(now, self._full_at.get(bucket, now)) + 1 / limit.per_second
        wait_seconds = full_at - now - limit.burst / limit.per_second
        if wait_seconds > _ROUNDING_SECONDS:
            metrics.RATE_LIMITED.labels(scope, rate_class).inc()
            raise TooManyRequests(math.ceil(wait_seconds))
        self._full_at[bucket] = full_at
