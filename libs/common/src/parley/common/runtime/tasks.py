"""Owners for background work: every task has one, says when it fails, and ends before its owner does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from parley.common.observability.logging import get_logger, start_or_continue_trace

log = get_logger(__name__)


_CANCELS = 10


async def cancel_and_wait(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they have ended. Once is not enough for all: a cancellation that comes as a time limit of
    pymongo's does is lost, and the loop around the call goes on."""
    left = {task for task in tasks if not task.done()}
    for _ in range(_CANCELS):
        if not left:
            return
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=1.0)


class BackgroundTasks:
    """Tasks that outlive the request that began them. `stop` waits for them, then cancels what is left."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.create_task(work, name=f"{self.name}:{name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("background_task_failed", task=task.get_name(), exc_info=task.exception())

    async def start(self) -> None:
        """Nothing to begin: tasks come as they are spawned."""

    async def stop(self, timeout_seconds: float = 10.0) -> None:
        """Wait up to `patience` seconds for the tasks, then cancel what is left and wait for that."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_seconds)
        await cancel_and_wait(*self._tasks)

    def unready_reason(self) -> str | None:
        return None


class PeriodicTask:
    """Does something every `seconds`, for as long as the service runs; a failure is logged and tried again."""

    def __init__(self, interval_seconds: float, work: Callable[[], Awaitable[Any]], name: str) -> None:
        self.name = name
        self._seconds = interval_seconds
        self._work = work
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def _run(self) -> None:
        failures = 0
        while True:
            start_or_continue_trace(None, None)
            try:
                await self._work()
                failures = 0
            except Exception as exc:
                failures += 1
                if failures in (1, 10, 100):
                    log.warning("periodic_work_failed", work=self.name, failures=failures, error=repr(exc))
            await asyncio.sleep(self._seconds if not failures else min(5.0, self._seconds * 2**failures))

    async def stop(self) -> None:
        if self._task is not None:
            await cancel_and_wait(self._task)

    def unready_reason(self) -> str | None:
        return None
