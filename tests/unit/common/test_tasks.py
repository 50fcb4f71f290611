"""Cancelling tasks, also those that lose a cancellation."""

from __future__ import annotations

import asyncio

from parley.common.runtime.tasks import cancel_and_wait


async def test_task_that_loses_a_cancellation_is_cancelled_again() -> None:
    lost = 0

    async def loops() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost > 1:
                    raise

    task = asyncio.create_task(loops())
    await asyncio.sleep(0)
    await asyncio.wait_for(cancel_and_wait(task), 5)
    assert task.cancelled()
    assert lost == 2
