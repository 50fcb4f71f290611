"""Waits for a condition instead of sleeping for a fixed time."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any


async def wait_until(probe: Callable[[], Any], *, timeout: float = 10.0, description: str = "") -> Any:
    """Call a function or coroutine function until it returns a true value, and return that.

    Fails after `timeout` seconds with the description and the last value.
    """
    deadline = time.monotonic() + timeout
    last: Any = None
    while time.monotonic() < deadline:
        last = probe()
        if inspect.isawaitable(last):
            last = await last
        if last:
            return last
        await asyncio.sleep(0.02)
    raise AssertionError(f"not true after {timeout} s: {description or probe}; last value: {last!r}")
