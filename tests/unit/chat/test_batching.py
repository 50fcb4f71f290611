"""Concurrent calls are handled in batches, and each caller gets its own result."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field

import pytest

from parley.chat.batching import BatchingQueue
from support.wait import wait_until

called_by: ContextVar[str] = ContextVar("called_by")


@dataclass(slots=True)
class Doubler:
    """A batch handler that doubles numbers once it is released; odd numbers fail."""

    batches: list[list[int]] = field(default_factory=list)
    contexts: list[str] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    failing: bool = False

    async def __call__(self, requests: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(requests))
        self.contexts.append(called_by.get("nobody"))
        await self.released.wait()
        if self.failing:
            raise ConnectionError
        return [ValueError(str(number)) if number % 2 else 2 * number for number in requests]


async def test_single_call_starts_at_once() -> None:
    handler = Doubler()
    queue = BatchingQueue(handler, max_batch_size=10)
    call = asyncio.create_task(queue(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert handler.batches == [[2]]
    handler.released.set()
    assert await call == 4


async def test_calls_during_a_batch_make_the_next_one_up_to_the_maximum_size() -> None:
    handler = Doubler()
    queue = BatchingQueue(handler, max_batch_size=3)
    calls = [asyncio.create_task(queue(2 * number)) for number in range(6)]
    await asyncio.sleep(0.01)
    handler.released.set()
    assert await asyncio.gather(*calls) == [4 * number for number in range(6)]
    assert [len(batch) for batch in handler.batches] == [3, 3], "all six were queued before the first batch started"


async def test_each_caller_gets_its_own_exception() -> None:
    handler = Doubler()
    handler.released.set()
    queue = BatchingQueue(handler, max_batch_size=10)
    outcomes = await asyncio.gather(*(queue(number) for number in range(4)), return_exceptions=True)
    assert [repr(one) for one in outcomes] == ["0", "ValueError('1')", "4", "ValueError('3')"]


async def test_failed_batch_fails_all_its_callers_and_not_the_next_batch() -> None:
    handler = Doubler(failing=True)
    handler.released.set()
    queue = BatchingQueue(handler, max_batch_size=10)
    outcomes = await asyncio.gather(queue(2), queue(4), return_exceptions=True)
    assert [type(one) for one in outcomes] == [ConnectionError, ConnectionError]
    handler.failing = False
    assert await queue(6) == 12


async def test_cancelled_caller_does_not_cancel_its_batch() -> None:
    handler = Doubler()
    queue = BatchingQueue(handler, max_batch_size=1)
    cancelled, waiting, not_started = (asyncio.create_task(queue(number)) for number in (2, 4, 6))
    await asyncio.sleep(0.01)
    cancelled.cancel()
    not_started.cancel()
    await asyncio.sleep(0.01)
    handler.released.set()
    assert await waiting == 8
    assert handler.batches == [[2], [4]], "a call that was cancelled before its batch started is skipped"
    with pytest.raises(asyncio.CancelledError):
        await cancelled


async def test_batch_runs_in_the_context_of_its_first_caller() -> None:
    handler = Doubler()
    handler.released.set()
    queue = BatchingQueue(handler, max_batch_size=10)

    async def call(name: str) -> None:
        called_by.set(name)
        await queue(2)

    await asyncio.gather(call("alex"), call("sam"))
    await call("olivia")
    assert handler.contexts == ["alex", "olivia"]


async def test_next_calls_of_a_batch_s_callers_join_those_that_waited() -> None:
    handler = Doubler()
    queue = BatchingQueue(handler, max_batch_size=10, max_pause_seconds=60)

    async def call_twice(first: int, second: int) -> None:
        await queue(first)
        await queue(second)

    async with asyncio.TaskGroup() as callers:
        callers.create_task(call_twice(2, 4))
        callers.create_task(call_twice(6, 8))
        await wait_until(lambda: handler.batches)
        callers.create_task(queue(10))
        await asyncio.sleep(0.05)  # The pause is half as long as the batch.
        handler.released.set()
    assert handler.batches == [[2, 6], [10, 4, 8]]


async def test_batch_of_one_call_causes_no_pause() -> None:
    handler = Doubler()
    queue = BatchingQueue(handler, max_batch_size=10, max_pause_seconds=60)
    first = asyncio.create_task(queue(2))
    await wait_until(lambda: handler.batches)
    second = asyncio.create_task(queue(4))
    await asyncio.sleep(0.05)
    handler.released.set()
    await first
    await asyncio.sleep(0)
    assert handler.batches == [[2], [4]]
    await second


async def test_batch_whose_callers_were_all_cancelled_during_the_pause_is_not_handled() -> None:
    handler = Doubler()
    queue = BatchingQueue(handler, max_batch_size=2, max_pause_seconds=60)
    first = [asyncio.create_task(queue(number)) for number in (2, 4)]
    await wait_until(lambda: handler.batches)
    cancelled = [asyncio.create_task(queue(number)) for number in (6, 8)]
    await asyncio.sleep(0.05)  # The pause is half as long as the batch.
    handler.released.set()
    await asyncio.gather(*first)
    for call in cancelled:
        call.cancel()
    assert await queue(10) == 20
    assert handler.batches == [[2, 4], [10]]
