"""Waits for a condition instead of sleeping for a fixed time, and measures how busy the machine is meanwhile."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any


async def wait_until(probe: Callable[[], Any], *, timeout: float = 10.0, description: str = "") -> Any:
    """Call a function or coroutine function until it returns a true value, and return that.

    It is called less often the longer it takes. Fails after `timeout` seconds with the description and the last value.
    """
    started = time.monotonic()
    deadline = started + timeout
    last: Any = None
    while time.monotonic() < deadline:
        last = probe()
        if inspect.isawaitable(last):
            last = await last
        if last:
            return last
        await asyncio.sleep(min(0.2, max(0.02, (time.monotonic() - started) / 20)))
    raise AssertionError(f"not true after {timeout} s: {description or probe}; last value: {last!r}")


class SchedulingDelay:
    """Measures how late the machine wakes tasks while a test times something: the longest delay of a short sleep."""

    def __init__(self) -> None:
        self.max_seconds = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> SchedulingDelay:
        self._task = asyncio.create_task(self._measure())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            await asyncio.sleep(0.05)
            self.max_seconds = max(self.max_seconds, loop.time() - started - 0.05)

    @property
    def tolerance_seconds(self) -> float:
        """Seconds to add to a time limit: a transition is a few steps, each of which may wait to be scheduled."""
        return 8 * self.max_seconds
