"""Answers of other services, remembered for a little while: one question at a time for each key, dropped at once.

A question under way when a drop arrives may bring what was true before it: its answer is neither kept nor
believed, but asked for anew.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from parley.common.errors import NotFound, Unavailable
from parley.gateway import metrics

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_ABSENT_SECONDS = 5.0
_TRIES = 5


@dataclass(frozen=True, slots=True)
class _Known(Generic[V]):
    asked_at: float
    value: V | None


class Lookups(Generic[K, V]):
    """A bounded memory of `look_up`. `seconds` says how long an answer may be believed, now."""

    def __init__(
        self,
        name: str,
        look_up: Callable[[K], Awaitable[V]],
        seconds: Callable[[], float],
        size: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._look_up = look_up
        self._seconds = seconds
        self._size = size
        self._now = now
        self._known: OrderedDict[K, _Known[V]] = OrderedDict()
        self._asking: dict[K, asyncio.Task[V | None]] = {}
        self._tasks: set[asyncio.Task[V | None]] = set()
        self._drops = 0
        self._hits = metrics.LOOKUPS.labels(name, "hit")
        self._misses = metrics.LOOKUPS.labels(name, "miss")

    def peek(self, key: K) -> V | None:
        """What is remembered and still good; never asks."""
        known = self._known.get(key)
        if known is None or self._now() - known.asked_at >= self._good_for(known):
            return None
        return known.value

    async def get(self, key: K) -> V:
        """The answer. Raises NotFound where there is no such thing, Unavailable where nobody can say."""
        for tries in range(_TRIES):
            known = self._known.get(key)
            if known is not None and self._now() - known.asked_at < self._good_for(known):
                (self._misses if tries else self._hits).inc()
                return _there(known.value)
            drops = self._drops
            value = await asyncio.shield(self._asking.get(key) or self._begin(key))
            if drops == self._drops:
                self._misses.inc()
                return _there(value)
        raise Unavailable

    def drop(self, stale: Callable[[K, V | None], bool]) -> None:
        """Forget every answer for which `stale` is true, and what is being asked right now."""
        self._drops += 1
        self._asking.clear()
        for key in [key for key, known in self._known.items() if stale(key, known.value)]:
            del self._known[key]

    def drop_all(self) -> None:
        """Forget everything."""
        self.drop(lambda _key, _value: True)

    async def stop(self) -> None:
        """End what is being asked."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _good_for(self, known: _Known[V]) -> float:
        seconds = self._seconds()
        return seconds if known.value is not None else min(seconds, _ABSENT_SECONDS)

    def _begin(self, key: K) -> asyncio.Task[V | None]:
        task = self._asking[key] = asyncio.create_task(self._ask(key), name=f"{self._name}:ask")
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._asked(key, task))
        return task

    async def _ask(self, key: K) -> V | None:
        drops, asked_at = self._drops, self._now()
        try:
            value: V | None = await self._look_up(key)
        except NotFound:
            value = None
        if drops == self._drops:
            self._known[key] = _Known(asked_at, value)
            self._known.move_to_end(key)
            if len(self._known) > self._size:
                self._known.popitem(last=False)
        return value

    def _asked(self, key: K, task: asyncio.Task[V | None]) -> None:
        self._tasks.discard(task)
        if self._asking.get(key) is task:
            del self._asking[key]
        if not task.cancelled():
            task.exception()  # Taken by whoever waits; here only so that nobody is told it was never looked at.


def _there(value: V | None) -> V:
    if value is None:
        raise NotFound
    return value
