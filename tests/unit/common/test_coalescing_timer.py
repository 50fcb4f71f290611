"""The coalescing timer fires once for all who scheduled it, and immediately if one of them needs that."""

from __future__ import annotations

import asyncio

import pytest

from parley.common.runtime.coalescing_timer import CoalescingTimer

LONG = 3600.0


async def test_timer_fires_once_for_all_calls_of_schedule() -> None:
    timer = CoalescingTimer(0.01)
    timer.schedule()
    timer.schedule()
    await asyncio.wait_for(timer.wait(), 5)
    waiting = asyncio.create_task(timer.wait())
    await asyncio.sleep(0)
    assert not waiting.done(), "not scheduled again"
    timer.schedule()
    await asyncio.wait_for(waiting, 5)


async def test_timer_fires_at_once_when_scheduled_immediately() -> None:
    timer = CoalescingTimer(LONG)
    timer.schedule()
    timer.schedule(immediately=True)
    await asyncio.wait_for(timer.wait(), 5)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(timer.wait(), 0)
