"""The access log: one JSON line for every answer, gathered and written a few times a second.

Through the general logger a line was measured at about as much processor time as the forward itself.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import IO

import orjson

from parley.common.observability.logging import current_trace

_FLUSH_SECONDS = 0.2
_FLUSH_LINES = 200


class AccessLog:
    """Writes lines to standard output like the other logs, or nowhere."""

    name = "access-log"

    def __init__(self, *, enabled: bool, out: IO[str] = sys.stdout) -> None:
        self._enabled = enabled
        self._out = out
        self._lines: list[str] = []
        self._timer: asyncio.TimerHandle | None = None

    def write(self, method: str, route: str, status: int, seconds: float) -> None:
        """One answer: the route's template, never the path or the query."""
        if not self._enabled:
            return
        trace, at = current_trace(), time.time()
        # Ids are of letters and digits (`continue_trace` sees to it); all else is put into JSON where it is kept.
        self._lines.append(
            f'{_answered(method, route, status)}"ms":{seconds * 1000:.2f},"request_id":"{trace.request_id}",'
            f'"trace_id":"{trace.traceparent[3:35]}","at":"{_second(int(at))}.{int(at % 1 * 1000):03d}Z"}}\n'
        )
        if len(self._lines) >= _FLUSH_LINES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what was gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._lines:
            self._out.write("".join(self._lines))
            self._out.flush()
            self._lines.clear()

    async def start(self) -> None:
        """Nothing to begin."""

    async def stop(self) -> None:
        self.flush()

    def fault(self) -> str | None:
        return None


@lru_cache(4096)
def _answered(method: str, route: str, status: int) -> str:
    """A line's beginning: the same for every such answer."""
    line = {
        "event": "request_answered",
        "service": "gateway",
        "level": "info",
        "method": method,
        "route": route,
        "status": status,
    }
    return orjson.dumps(line).decode()[:-1] + ","


@lru_cache(2)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
