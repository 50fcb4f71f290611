"""Work that came together is done together: while one batch is under way, what comes gathers for the next.

Alone, a call begins at once and waits for nobody. Under load a batch grows to what came while the one before it was
under way, and costs one round trip. Each caller is given its own answer, or its own failure.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from typing import Generic, TypeVar

from parley.common.errors import Unavailable

RequestT = TypeVar("RequestT")
ResultT = TypeVar("ResultT")

Batch = Callable[[Sequence[RequestT]], Awaitable[Sequence[ResultT | Exception]]]
"""Does all of them: the answers in their order, an exception where one of them failed."""

_MOST_WAITING = 10_000


class BatchingQueue(Generic[RequestT, ResultT]):
    """Calls that come while a batch is under way make the next one, at most `most` of them.

    A batch is not its callers': one that leaves does not end it. It runs in the context (trace, request id) of the
    first of them.
    """

    def __init__(self, work: Batch[RequestT, ResultT], *, max_batch_size: int) -> None:
        self._work = work
        self._most = max_batch_size
        self._waiting: deque[tuple[RequestT, asyncio.Future[ResultT], Context]] = deque()
        self._under_way: asyncio.Task[None] | None = None

    async def __call__(self, request: RequestT) -> ResultT:
        """The answer. Raises what the work raised or answered for this call, and Unavailable where too many wait."""
        if len(self._waiting) >= _MOST_WAITING:
            raise Unavailable
        answer: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer, copy_context()))
        if self._under_way is None:
            self._begin()
        return await answer

    def _begin(self) -> None:
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()  # Its caller has left before it was begun.
        if not self._waiting:
            self._under_way = None
            return
        context = self._waiting[0][2]
        self._under_way = asyncio.get_running_loop().create_task(self._run(), context=context)

    async def _run(self) -> None:
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
        taken = [one for one in taken if not one[1].done()]
        try:
            answers: Sequence[ResultT | Exception] = await self._work([ask for ask, _, _ in taken])
        except Exception as exc:
            answers = [exc] * len(taken)
        except BaseException:
            for _, future, _ in taken:
                future.cancel()
            raise
        finally:
            self._begin()
        for (_, future, _), answer in zip(taken, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
