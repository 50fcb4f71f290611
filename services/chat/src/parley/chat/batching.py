"""Batches concurrent calls: while one batch runs, further calls collect for the next.

A single call starts immediately. Under load a batch contains the calls that arrived while the previous one
ran, and costs one round trip. Each caller gets its own result or its own exception.

A queue can also pause after a batch of several calls, so that the next calls of the same callers come along. Without
that, callers that each make one call after another form two groups that wait for each other, in batches of half the
size (PostgreSQL has `commit_delay` for the same reason).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from typing import Generic, TypeVar

from parley.common.errors import Unavailable

RequestT = TypeVar("RequestT")
ResultT = TypeVar("ResultT")

BatchHandler = Callable[[Sequence[RequestT]], Awaitable[Sequence[ResultT | Exception]]]
"""Handles a batch: returns the results in the order of the requests, with an exception for each that failed."""

_MAX_WAITING = 10_000
_PAUSE_SHARE = 0.5
"""Of the time that the batch before took."""


class BatchingQueue(Generic[RequestT, ResultT]):
    """Calls `handle` with up to `max_batch_size` requests at a time, one batch after another.

    After a batch of several calls, the next one starts no earlier than half as many seconds later as that one took, and
    at most `max_pause_seconds` later.

    A batch continues if a caller is cancelled. It runs in the context (trace, request id) of its first caller.
    """

    def __init__(
        self, handle: BatchHandler[RequestT, ResultT], *, max_batch_size: int, max_pause_seconds: float = 0.0
    ) -> None:
        self._handle = handle
        self._max_batch_size = max_batch_size
        self._max_pause_seconds = max_pause_seconds
        self._next_start = 0.0
        self._waiting: deque[tuple[RequestT, asyncio.Future[ResultT], Context]] = deque()
        self._in_flight: asyncio.Task[None] | None = None

    async def __call__(self, request: RequestT) -> ResultT:
        """Return the result. Raises what `handle` raised or returned for it, and Unavailable if too many calls wait."""
        if len(self._waiting) >= _MAX_WAITING:
            raise Unavailable
        future: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future, copy_context()))
        if self._in_flight is None:
            self._start_batch()
        return await future

    def _start_batch(self) -> None:
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()  # Its caller was cancelled before the batch started.
        if not self._waiting:
            self._in_flight = None
            return
        context = self._waiting[0][2]
        self._in_flight = asyncio.get_running_loop().create_task(self._run_batch(), context=context)

    def _take_batch(self) -> list[tuple[RequestT, asyncio.Future[ResultT], Context]]:
        """The next calls, without those whose callers were cancelled."""
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._max_batch_size))]
        return [call for call in batch if not call[1].done()]

    async def _run_batch(self) -> None:
        batch: list[tuple[RequestT, asyncio.Future[ResultT], Context]] = []
        started = time.monotonic()
        try:
            if started < self._next_start:
                await asyncio.sleep(self._next_start - started)
                started = time.monotonic()
            batch = self._take_batch()
            results: Sequence[ResultT | Exception] = (
                await self._handle([request for request, _, _ in batch]) if batch else []
            )
        except Exception as exc:
            results = [exc] * len(batch)
        except BaseException:
            for _, future, _ in batch:
                future.cancel()
            raise
        finally:
            if len(batch) > 1:
                ended = time.monotonic()
                self._next_start = ended + min((ended - started) * _PAUSE_SHARE, self._max_pause_seconds)
            self._start_batch()
        for (_, future, _), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
