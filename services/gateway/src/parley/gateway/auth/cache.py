"""The staleness rule of what the gateway caches from other services."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

from parley.common.caching import InvalidatingCache
from parley.common.errors import NotFound
from parley.gateway import metrics
from parley.gateway.timeouts import CACHE_TTL_SECONDS, NEGATIVE_CACHE_TTL_SECONDS

ENTRY_BYTES = 1024
"""An entry and its key, whose length is bounded: see `MAX_ORIGIN_LENGTH` and the schemas of credentials."""

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


def build_cache(
    name: str,
    load: Callable[[KeyT], Awaitable[ValueT]],
    is_connected: Callable[[], bool],
    max_bytes: int,
    size_of: Callable[[ValueT], int],
    monotonic: Callable[[], float] = time.monotonic,
) -> InvalidatingCache[KeyT, ValueT | None]:
    """Build a cache that also stores an absence, as None, when `load` raises NotFound.

    `name` is the label of its metric. `size_of` estimates the bytes of a value besides `ENTRY_BYTES`: strangers choose
    the keys, and tenants the size of the values. Values expire after 30 s, absences after 5 s, and both after 2 s while
    invalidating events are not received.
    """
    hits = metrics.CACHE_LOOKUPS.labels(name, "hit")
    misses = metrics.CACHE_LOOKUPS.labels(name, "miss")

    async def load_or_none(key: KeyT) -> ValueT | None:
        try:
            return await load(key)
        except NotFound:
            return None

    return InvalidatingCache(
        load_or_none,
        is_connected=is_connected,
        ttl_seconds=CACHE_TTL_SECONDS,
        max_size=max_bytes,
        size_of=lambda value: ENTRY_BYTES + (0 if value is None else size_of(value)),
        ttl_for=lambda value: NEGATIVE_CACHE_TTL_SECONDS if value is None else CACHE_TTL_SECONDS,
        on_lookup=lambda is_hit: (hits if is_hit else misses).inc(),
        monotonic=monotonic,
    )
