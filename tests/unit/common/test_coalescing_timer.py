"""A moment that is asked for: it comes once for all who asked, at once for who cannot wait."""

from __future__ import annotations

import asyncio

import pytest

from parley.common.runtime.coalescing_timer import CoalescingTimer

LONG = 3600.0


async def test_it_comes_by_itself_once_for_all_who_asked() -> None:
    soon = CoalescingTimer(0.01)
    soon.schedule()
    soon.schedule()
    await asyncio.wait_for(soon.wait(), 5)
    waiting = asyncio.create_task(soon.wait())
    await asyncio.sleep(0)
    assert not waiting.done(), "nobody has asked since"
    soon.schedule()
    await asyncio.wait_for(waiting, 5)


async def test_it_comes_at_once_for_who_cannot_wait() -> None:
    soon = CoalescingTimer(LONG)
    soon.schedule()
    soon.schedule(immediately=True)
    await asyncio.wait_for(soon.wait(), 5)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(soon.wait(), 0)
