"""Makes the driver's waits on conditions safe against cancellation on Python 3.11.

The driver waits with `asyncio.wait_for(condition.wait(), timeout)`. Before Python 3.12 `wait_for` runs the wait in a
task of its own: when its caller is cancelled at the wrong moment, that task takes the condition's lock after the caller
has left, nobody releases it, and every later call of the process waits for the connection pool for ever. Python 3.12
awaits in the caller's task, which is what this does.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from pymongo.asynchronous import pool, topology

_NAME = "_async_cond_wait"


async def wait_on_condition(condition: Any, timeout: float | None) -> bool:
    """Wait until notified; False after the timeout. The caller holds the lock in every case, also when cancelled."""
    try:
        async with asyncio.timeout(timeout):
            await condition.wait()
    except TimeoutError:
        return False
    return True


def install() -> None:
    """Replace the driver's function, where this Python needs it."""
    if sys.version_info < (3, 12):
        for module in (pool, topology):
            assert hasattr(module, _NAME), "the driver has changed: is this still needed?"
            setattr(module, _NAME, wait_on_condition)
