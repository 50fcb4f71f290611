"""The invalidating cache: one load per key, expiry by connection, and no value older than an invalidation."""

from __future__ import annotations

import asyncio

import pytest

from parley.common.caching import InvalidatingCache
from parley.common.errors import Unavailable


class Source:
    """A loader that can fail, and that waits while `released` is not set."""

    def __init__(self) -> None:
        self.value = "first"
        self.loads = 0
        self.failing = False
        self.released = asyncio.Event()
        self.released.set()

    async def __call__(self, _key: str) -> str:
        self.loads += 1
        value = self.value
        await self.released.wait()
        if self.failing:
            raise Unavailable
        return value


class Subscription:
    connected = True

    def is_connected(self) -> bool:
        return self.connected


class FakeMonotonic:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def subscription() -> Subscription:
    return Subscription()


@pytest.fixture
def clock() -> FakeMonotonic:
    return FakeMonotonic()


@pytest.fixture
def cache(source: Source, subscription: Subscription, clock: FakeMonotonic) -> InvalidatingCache[str, str]:
    return InvalidatingCache(
        source, is_connected=subscription.is_connected, ttl_seconds=30.0, max_size=2, monotonic=clock
    )


async def until_loading(source: Source, loads: int) -> None:
    while source.loads < loads:
        await asyncio.sleep(0)


async def test_value_is_loaded_once_until_it_expires(
    cache: InvalidatingCache[str, str], source: Source, clock: FakeMonotonic
) -> None:
    assert [await cache.get("a") for _ in range(3)] == ["first"] * 3
    assert source.loads == 1
    clock.now, source.value = 30.0, "second"
    assert cache.peek("a") is None
    assert await cache.get("a") == "second"


async def test_value_expires_sooner_while_disconnected(
    cache: InvalidatingCache[str, str], source: Source, subscription: Subscription, clock: FakeMonotonic
) -> None:
    await cache.get("a")
    subscription.connected, source.value = False, "second"
    clock.now = 1.9
    assert await cache.get("a") == "first"
    clock.now = 2.0
    assert await cache.get("a") == "second"


async def test_ttl_can_depend_on_the_value(source: Source, subscription: Subscription, clock: FakeMonotonic) -> None:
    cache = InvalidatingCache(
        source,
        is_connected=subscription.is_connected,
        ttl_seconds=30.0,
        ttl_for=lambda value: 5.0 if value == "first" else 30.0,
        monotonic=clock,
    )
    await cache.get("a")
    clock.now, source.value = 5.0, "second"
    assert await cache.get("a") == "second"


async def test_failure_is_raised_and_not_cached(cache: InvalidatingCache[str, str], source: Source) -> None:
    source.failing = True
    with pytest.raises(Unavailable):
        await cache.get("a")
    source.failing = False
    assert await cache.get("a") == "first"


async def test_concurrent_gets_share_one_load_even_if_the_first_is_cancelled(
    cache: InvalidatingCache[str, str], source: Source
) -> None:
    source.released.clear()
    gets = [asyncio.create_task(cache.get("a")) for _ in range(20)]
    await until_loading(source, 1)
    gets[0].cancel()
    source.released.set()
    results = await asyncio.gather(*gets, return_exceptions=True)
    assert results[1:] == ["first"] * 19
    assert source.loads == 1


@pytest.mark.parametrize("how", ["key", "predicate", "clear"])
async def test_invalidation_during_a_load_loads_again(
    cache: InvalidatingCache[str, str], source: Source, how: str
) -> None:
    source.released.clear()
    earlier = asyncio.create_task(cache.get("a"))
    await until_loading(source, 1)
    source.value = "second"
    match how:
        case "key":
            cache.invalidate("a")
        case "predicate":
            cache.invalidate_where(lambda _key, _value: False)
        case _:
            cache.clear()
    later = asyncio.create_task(cache.get("a"))
    await until_loading(source, 2)
    source.released.set()
    assert [await earlier, await later, await cache.get("a")] == ["second"] * 3
    assert source.loads == 2


async def test_value_invalidated_during_every_load_is_unavailable(subscription: Subscription) -> None:
    async def load(key: str) -> str:
        overtaken.invalidate(key)
        return "stale"

    overtaken = InvalidatingCache(load, is_connected=subscription.is_connected, ttl_seconds=30.0)
    with pytest.raises(Unavailable):
        await overtaken.get("a")
    assert overtaken.peek("a") is None


async def test_invalidation_spares_other_keys(cache: InvalidatingCache[str, str]) -> None:
    await cache.get("a")
    await cache.get("b")
    cache.invalidate("a")
    assert (cache.peek("a"), cache.peek("b")) == (None, "first")
    await cache.get("a")
    cache.invalidate_where(lambda key, value: (key, value) == ("a", "first"))
    assert (cache.peek("a"), cache.peek("b")) == (None, "first")
    cache.clear()
    assert cache.peek("b") is None


async def test_least_recently_used_value_is_evicted_first(cache: InvalidatingCache[str, str]) -> None:
    for key in ("a", "b", "a", "c"):
        await cache.get(key)
    assert (cache.peek("a"), cache.peek("b"), cache.peek("c")) == ("first", None, "first")


async def test_hits_and_misses_are_reported(source: Source, subscription: Subscription) -> None:
    lookups: list[bool] = []
    cache = InvalidatingCache(
        source, is_connected=subscription.is_connected, ttl_seconds=30.0, on_lookup=lookups.append
    )
    await cache.get("a")
    await cache.get("a")
    assert lookups == [False, True]


async def test_stop_cancels_loads_in_flight(cache: InvalidatingCache[str, str], source: Source) -> None:
    source.released.clear()
    waiting = asyncio.create_task(cache.get("a"))
    await until_loading(source, 1)
    await cache.stop()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_cache_is_bounded_by_the_size_of_its_values(source: Source, subscription: Subscription) -> None:
    cache = InvalidatingCache(
        source, is_connected=subscription.is_connected, ttl_seconds=30.0, max_size=10, size_of=len
    )
    for key in ("a", "b", "c"):
        await cache.get(key)
    assert [cache.peek(key) for key in ("a", "b", "c")] == [None, "first", "first"]
    source.value = "x" * 11
    assert await cache.get("large") == source.value
    assert cache.peek("large") is None
    assert cache.peek("c") == "first"
