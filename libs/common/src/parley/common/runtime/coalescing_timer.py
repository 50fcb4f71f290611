"""A moment that comes some seconds after it was first asked for, or at once: for work that gains by waiting."""

from __future__ import annotations

import asyncio


class CoalescingTimer:
    """Asked for by many, waited for by one; each time it comes, it has to be asked for anew."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._come = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def schedule(self, *, immediately: bool = False) -> None:
        """Let it come: now, or when the seconds are over since somebody asked first."""
        if immediately:
            self._come.set()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._come.set)

    async def wait(self) -> None:
        """Return when it has come. Whoever asked before that is served by this time."""
        await self._come.wait()
        self._come.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
