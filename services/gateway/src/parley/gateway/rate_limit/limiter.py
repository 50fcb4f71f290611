"""The rate limiter: token buckets in the memory of each gateway, which report to each other what they took.

A bucket is stored as one number, the time at which it is full again (the generic cell rate algorithm, which counts
exactly like a token bucket). What the other gateways took from a bucket moves that time as well. Each gateway
reports a sixteenth of a bucket at a time. A limit may be exceeded by what was taken and is not reported yet.

Dividing each limit by the number of gateways would need less, but a client may reach one gateway alone, over one
connection, and would then have a fraction of its limit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cachetools import LRUCache

from parley.common.errors import TooManyRequests
from parley.gateway import metrics
from parley.gateway.rate_limit.limits import RateLimit, RateLimitScope

_MAX_BUCKETS = 100_000
_ROUNDING = 1e-9
_REPORT_SHARE = 16
"""Usage is reported once it reaches this part of a bucket: a sixteenth."""


class BucketKey(NamedTuple):
    """Names a bucket, for every gateway alike."""

    scope: RateLimitScope
    rate_class: str
    key: str


class Usage(NamedTuple):
    """Tokens that a gateway took from a bucket."""

    bucket: BucketKey
    tokens: int


@dataclass(slots=True)
class _Bucket:
    full_at: float
    unreported: int = 0


class RateLimiter:
    """All buckets of this gateway. At most `max_buckets` are kept; the least recently used is dropped first."""

    def __init__(
        self,
        limits: Mapping[RateLimitScope, Mapping[str, RateLimit]],
        monotonic: Callable[[], float] = time.monotonic,
        max_buckets: int = _MAX_BUCKETS,
    ) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self.on_usage: Callable[[Usage], None] = lambda _usage: None
        """Called with what this gateway took, for the other gateways."""
        self._buckets: LRUCache[BucketKey, _Bucket] = LRUCache(max_buckets)

    def acquire(self, scope: RateLimitScope, rate_class: str, key: str) -> None:
        """Take one token from the bucket of `key`. Raises TooManyRequests if it is empty; then nothing is taken."""
        limit = self._limits[scope].get(rate_class)
        if limit is None:
            return
        bucket_key = BucketKey(scope, rate_class, key)
        now = self._monotonic()
        bucket = self._get_bucket(bucket_key, now)
        full_at = max(now, bucket.full_at) + 1 / limit.per_second
        wait_seconds = full_at - now - limit.burst / limit.per_second
        if wait_seconds > _ROUNDING:
            metrics.RATE_LIMITED.labels(scope, rate_class).inc()
            raise TooManyRequests(math.ceil(wait_seconds))
        bucket.full_at = full_at
        bucket.unreported += 1
        if bucket.unreported * _REPORT_SHARE >= limit.burst:
            self.on_usage(Usage(bucket_key, bucket.unreported))
            bucket.unreported = 0

    def add_usage(self, usage: Usage) -> None:
        """Subtract what another gateway took, even if the bucket is empty already."""
        limit = self._limits[usage.bucket.scope].get(usage.bucket.rate_class)
        if limit is None:
            return
        now = self._monotonic()
        bucket = self._get_bucket(usage.bucket, now)
        bucket.full_at = max(now, bucket.full_at) + usage.tokens / limit.per_second

    def _get_bucket(self, bucket_key: BucketKey, now: float) -> _Bucket:
        bucket = self._buckets.get(bucket_key)
        if bucket is None:
            bucket = self._buckets[bucket_key] = _Bucket(now)
        return bucket
