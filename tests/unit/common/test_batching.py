"""Work that came together is done together, and each caller is given its own outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field

import pytest

from parley.common.runtime.batching import BatchingQueue

asked_by: ContextVar[str] = ContextVar("asked_by")


@dataclass(slots=True)
class Work:
    """Doubles numbers when it is let to; odd ones fail."""

    batches: list[list[int]] = field(default_factory=list)
    contexts: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False

    async def __call__(self, asks: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(asks))
        self.contexts.append(asked_by.get("nobody"))
        await self.gate.wait()
        if self.broken:
            raise ConnectionError
        return [ValueError(str(ask)) if ask % 2 else 2 * ask for ask in asks]


async def test_who_comes_alone_begins_at_once() -> None:
    work = Work()
    together = BatchingQueue(work, max_batch_size=10)
    call = asyncio.create_task(together(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert work.batches == [[2]]
    work.gate.set()
    assert await call == 4


async def test_what_comes_meanwhile_is_the_next_batch_and_no_larger_than_allowed() -> None:
    work = Work()
    together = BatchingQueue(work, max_batch_size=3)
    calls = [asyncio.create_task(together(2 * number)) for number in range(6)]
    await asyncio.sleep(0.01)
    work.gate.set()
    assert await asyncio.gather(*calls) == [4 * number for number in range(6)]
    assert [len(batch) for batch in work.batches] == [3, 3], "all six came before the first batch was begun"


async def test_each_is_given_its_own_failure() -> None:
    work = Work()
    work.gate.set()
    together = BatchingQueue(work, max_batch_size=10)
    outcomes = await asyncio.gather(*(together(number) for number in range(4)), return_exceptions=True)
    assert [repr(one) for one in outcomes] == ["0", "ValueError('1')", "4", "ValueError('3')"]


async def test_a_batch_that_fails_as_a_whole_fails_for_all_of_it_and_the_next_is_done() -> None:
    work = Work(broken=True)
    work.gate.set()
    together = BatchingQueue(work, max_batch_size=10)
    outcomes = await asyncio.gather(together(2), together(4), return_exceptions=True)
    assert [type(one) for one in outcomes] == [ConnectionError, ConnectionError]
    work.broken = False
    assert await together(6) == 12


async def test_a_caller_that_leaves_ends_neither_its_batch_nor_the_others() -> None:
    work = Work()
    together = BatchingQueue(work, max_batch_size=1)
    leaving, staying, never = (asyncio.create_task(together(number)) for number in (2, 4, 6))
    await asyncio.sleep(0.01)
    leaving.cancel()
    never.cancel()
    await asyncio.sleep(0.01)
    work.gate.set()
    assert await staying == 8
    assert work.batches == [[2], [4]], "who left before it was begun is not done"
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_a_batch_runs_in_the_context_of_its_first_caller() -> None:
    work = Work()
    work.gate.set()
    together = BatchingQueue(work, max_batch_size=10)

    async def call(name: str) -> None:
        asked_by.set(name)
        await together(2)

    await asyncio.gather(call("alex"), call("sam"))
    await call("olivia")
    assert work.contexts == ["alex", "olivia"]
