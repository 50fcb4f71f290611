"""Remembered answers: asked once, for a while, and never after they were dropped."""

from __future__ import annotations

import asyncio

import pytest

from parley.common.errors import NotFound, Unavailable
from parley.gateway.auth.invalidating_cache import Lookups


class Source:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.value: str | None = "first"
        self.asked = 0
        self.failing = False
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, _key: str) -> str:
        self.asked += 1
        value = self.value
        await self.open.wait()
        if self.failing:
            raise Unavailable
        if value is None:
            raise NotFound
        return value


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def lookups(source: Source, clock: Clock, size: int = 10) -> Lookups[str, str]:
    return Lookups("test", source, lambda: 30.0, size, clock)


async def test_answer_is_remembered_for_its_time() -> None:
    source, clock = Source(), Clock()
    known = lookups(source, clock)
    assert [await known.get("a") for _ in range(3)] == ["first"] * 3
    assert source.asked == 1
    clock.now = 30.0
    source.value = "second"
    assert await known.get("a") == "second"


async def test_absence_is_remembered_for_less() -> None:
    source, clock = Source(), Clock()
    source.value = None
    known = lookups(source, clock)
    for _ in range(3):
        with pytest.raises(NotFound):
            await known.get("a")
    assert source.asked == 1
    source.value, clock.now = "made", 5.0
    assert await known.get("a") == "made"


async def test_failure_is_not_remembered() -> None:
    source = Source()
    source.failing = True
    known = lookups(source, Clock())
    with pytest.raises(Unavailable):
        await known.get("a")
    source.failing = False
    assert await known.get("a") == "first"


async def test_many_who_ask_at_once_ask_once() -> None:
    source = Source()
    source.open.clear()
    known = lookups(source, Clock())
    asking = [asyncio.create_task(known.get("a")) for _ in range(20)]
    await asyncio.sleep(0)
    asking[0].cancel()
    source.open.set()
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert results[1:] == ["first"] * 19
    assert source.asked == 1


async def test_answer_under_way_when_it_is_dropped_is_neither_kept_nor_believed() -> None:
    source = Source()
    source.open.clear()
    known = lookups(source, Clock())
    asking = asyncio.create_task(known.get("a"))
    await asyncio.sleep(0.01)
    source.value = "second"
    known.drop(lambda key, _value: key == "a")
    later = asyncio.create_task(known.get("a"))
    await asyncio.sleep(0.01)
    source.open.set()
    assert await asking == "second"
    assert await later == "second"
    assert await known.get("a") == "second"
    assert source.asked == 2


async def test_drop_forgets_what_it_names_alone() -> None:
    source = Source()
    known = lookups(source, Clock())
    await known.get("a")
    await known.get("b")
    known.drop(lambda key, _value: key == "a")
    assert (known.peek("a"), known.peek("b")) == (None, "first")
    known.drop_all()
    assert known.peek("b") is None


async def test_least_recently_asked_is_forgotten_when_there_are_too_many() -> None:
    source = Source()
    known = lookups(source, Clock(), size=2)
    for key in ("a", "b", "c"):
        await known.get(key)
    assert (known.peek("a"), known.peek("c")) == (None, "first")
