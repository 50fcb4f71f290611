"""A bounded in-process cache of what another service or the database answers, invalidated by events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cachetools import LRUCache

from parley.common.errors import Unavailable

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")

_MAX_LOADS = 5
"""Per `get`, for a value that is invalidated again and again while it loads."""


@dataclass(frozen=True, slots=True)
class _Entry(Generic[ValueT]):
    loaded_at: float
    value: ValueT


@dataclass(slots=True)
class _Load(Generic[ValueT]):
    task: asyncio.Task[ValueT]
    invalidated: bool = False


class InvalidatingCache(Generic[KeyT, ValueT]):
    """Caches what `load` returns for a key, least recently used first out.

    One staleness rule for every use: events invalidate entries. As events can be missed, an entry also expires:
    `ttl_seconds` after its load began while the subscription runs (`is_connected`), `disconnected_ttl_seconds` after
    it while the subscription is down. Call `clear` when the subscription starts again (`on_gap`).

    Each key has at most one load in flight. An exception raised by `load` is raised to all who wait and is not
    cached; to cache an absence, let `load` return a value for it and give that value its own `ttl_for`.
    An invalidation during a load discards the loaded value, which may be older than the event: it is loaded again.
    """

    def __init__(
        self,
        load: Callable[[KeyT], Awaitable[ValueT]],
        *,
        is_connected: Callable[[], bool],
        ttl_seconds: float,
        disconnected_ttl_seconds: float = 2.0,
        max_size: int = 10_000,
        size_of: Callable[[ValueT], int] | None = None,
        ttl_for: Callable[[ValueT], float] | None = None,
        on_lookup: Callable[[bool], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`ttl_for` gives the seconds of a value instead of `ttl_seconds`; `on_lookup` learns each hit (True) or
        miss (False), for metrics. `max_size` counts entries, or with `size_of` the sum of what it says of each value;
        a value that is larger than all may be together is not cached."""
        self._load = load
        self._is_connected = is_connected
        self._ttl_seconds = ttl_seconds
        self._disconnected_ttl_seconds = disconnected_ttl_seconds
        self._ttl_for = ttl_for
        self._on_lookup = on_lookup
        self._monotonic = monotonic
        self._size_of = size_of
        self._max_size = max_size
        self._entries: LRUCache[KeyT, _Entry[ValueT]] = LRUCache(max_size, self._get_size)
        self._loads: dict[KeyT, _Load[ValueT]] = {}
        self._tasks: set[asyncio.Task[ValueT]] = set()

    def peek(self, key: KeyT) -> ValueT | None:
        """Return the cached value, or None if there is none that is fresh; never loads."""
        entry = self._get_fresh(key)
        return None if entry is None else entry.value

    async def get(self, key: KeyT) -> ValueT:
        """Return the cached value, or load it.

        Raises what `load` raises, and Unavailable when each of several loads was overtaken by an invalidation.
        """
        entry = self._get_fresh(key)
        if self._on_lookup is not None:
            self._on_lookup(entry is not None)
        for _ in range(_MAX_LOADS):
            if entry is not None:
                return entry.value
            load = self._loads.get(key) or self._start_load(key)
            # Shielded: a caller that is cancelled must not end the load that others wait for.
            value = await asyncio.shield(load.task)
            if not load.invalidated:
                return value
            entry = self._get_fresh(key)
        raise Unavailable

    def invalidate(self, key: KeyT) -> None:
        """Discard the value of `key`, also one that is loading."""
        self._entries.pop(key, None)
        load = self._loads.pop(key, None)
        if load is not None:
            load.invalidated = True

    def invalidate_where(self, predicate: Callable[[KeyT, ValueT], bool]) -> None:
        """Discard the values for which `predicate` is true, and all that are loading, since theirs are not known."""
        self._invalidate_loads()
        for key in [key for key, entry in self._entries.items() if predicate(key, entry.value)]:
            del self._entries[key]

    def clear(self) -> None:
        """Discard every value: events may have been missed."""
        self._invalidate_loads()
        self._entries.clear()

    async def stop(self) -> None:
        """Cancel the loads in flight."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _get_fresh(self, key: KeyT) -> _Entry[ValueT] | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        ttl_seconds = self._ttl_seconds if self._ttl_for is None else self._ttl_for(entry.value)
        if not self._is_connected():
            ttl_seconds = min(ttl_seconds, self._disconnected_ttl_seconds)
        return entry if self._monotonic() - entry.loaded_at < ttl_seconds else None

    def _get_size(self, entry: _Entry[ValueT]) -> int:
        return 1 if self._size_of is None else self._size_of(entry.value)

    def _invalidate_loads(self) -> None:
        for load in self._loads.values():
            load.invalidated = True
        self._loads.clear()

    def _start_load(self, key: KeyT) -> _Load[ValueT]:
        task = asyncio.create_task(self._run_load(key), name="cache_load")
        load = self._loads[key] = _Load(task)
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._end_load(key, load))
        return load

    async def _run_load(self, key: KeyT) -> ValueT:
        loaded_at = self._monotonic()
        value = await self._load(key)
        load = self._loads.get(key)
        if load is not None and load.task is asyncio.current_task():
            entry = _Entry(loaded_at, value)
            if self._get_size(entry) <= self._max_size:
                self._entries[key] = entry
        return value

    def _end_load(self, key: KeyT, load: _Load[ValueT]) -> None:
        self._tasks.discard(load.task)
        if self._loads.get(key) is load:
            del self._loads[key]
        if not load.task.cancelled():
            load.task.exception()  # Marks it as retrieved, in case every caller was cancelled.
