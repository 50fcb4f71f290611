"""Waiting for something to become true, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any


async def until(probe: Callable[[], Any], *, within: float = 10.0, what: str = "") -> Any:
    """Ask (a function or a coroutine function) until the answer is true, and return it.

    Fails after `within` seconds, saying what was waited for.
    """
    deadline = time.monotonic() + within
    last: Any = None
    while time.monotonic() < deadline:
        last = probe()
        if inspect.isawaitable(last):
            last = await last
        if last:
            return last
        await asyncio.sleep(0.02)
    raise AssertionError(f"still not true after {within} s: {what or probe}; last seen: {last!r}")
