"""A timer that many callers schedule and one waits for, for work that is cheaper in batches."""

from __future__ import annotations

import asyncio


class CoalescingTimer:
    """Fires `delay_seconds` after the first `schedule` since it last fired, or immediately."""

    def __init__(self, delay_seconds: float) -> None:
        self._delay_seconds = delay_seconds
        self._fired = asyncio.Event()
        self._handle: asyncio.TimerHandle | None = None

    def schedule(self, *, immediately: bool = False) -> None:
        """Make the timer fire: now, or when the delay since the first call is over."""
        if immediately:
            self._fired.set()
        elif self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(self._delay_seconds, self._fired.set)

    async def wait(self) -> None:
        """Return when the timer fires, and reset it. Covers every `schedule` before the return."""
        await self._fired.wait()
        self._fired.clear()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
