"""Waiting for something to become true, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(probe: Callable[[], Awaitable[T] | T], *, within: float = 10.0, what: str = "") -> T:
    """Ask until the answer is true, and return it. Fails after `within` seconds, saying what was waited for."""
    deadline = time.monotonic() + within
    last: object = None
    while time.monotonic() < deadline:
        answer = probe()
        value = await answer if isinstance(answer, Awaitable) else answer
        if value:
            return value  # type: ignore[no-any-return, unused-ignore]
        last = value
        await asyncio.sleep(0.02)
    raise AssertionError(f"still not true after {within} s: {what or probe}; last seen: {last!r}")
