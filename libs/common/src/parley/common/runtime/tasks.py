"""Owners of background tasks: each logs and counts the failures of its tasks, and ends them when it stops.

No task ends unnoticed: one that has no end of its own (`keep_running`, `PeriodicTask`) starts again after a failure.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from parley.common.observability import metrics
from parley.common.observability.logging import get_logger, start_or_continue_trace
from parley.common.runtime.backoff import Backoff
from parley.common.runtime.timeouts import (
    BACKGROUND_TASKS_STOP_SECONDS,
    CANCEL_RETRY_SECONDS,
    PERIODIC_MAX_RETRY_SECONDS,
    RESTART_INITIAL_SECONDS,
    RESTART_MAX_SECONDS,
)

log = get_logger(__name__)

_MAX_CANCELS = 10
_LOGGED_FAILURES = (1, 10, 100)


class NotReadyYet(Exception):
    """What background work needs is not there yet, as at each start. It waits: nothing has failed."""


async def cancel_and_wait(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait for them. Cancels repeatedly, since a task can lose a cancellation.

    A cancellation that arrives while a pymongo call times out is replaced by the timeout, and a loop around the call
    continues.
    """
    running = {task for task in tasks if not task.done()}
    for _ in range(_MAX_CANCELS):
        if not running:
            return
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=CANCEL_RETRY_SECONDS)


async def run_until_one_ends(*work: Coroutine[Any, Any, Any]) -> None:
    """Run coroutines together until one of them ends; then cancel the others. Raises what that one raised."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await cancel_and_wait(*tasks)
        # One cause often ends several: the first failure is raised, and asyncio would log those that nobody reads.
        await asyncio.gather(*(task for task in tasks if task.done()), return_exceptions=True)


def keep_running(work: Callable[[], Coroutine[Any, Any, None]], name: str) -> asyncio.Task[None]:
    """Start a task that runs `work`. If that fails, it is logged and counted, and `work` is called again.

    The task is over when `work` returns, or when it is cancelled. `name` is a label of the metric, one of few.
    """
    return asyncio.create_task(_restart_after_failures(work, name), name=name)


async def _restart_after_failures(work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
    backoff = Backoff(initial_seconds=RESTART_INITIAL_SECONDS, max_seconds=RESTART_MAX_SECONDS)
    while True:
        started = time.monotonic()
        try:
            return await work()
        except Exception as exc:
            if time.monotonic() - started > RESTART_MAX_SECONDS:
                # It had worked: this is no repetition of the failures before.
                backoff.reset()
            delay = backoff.next_delay()
            if not isinstance(exc, NotReadyYet):
                _record_failure(name, exc, failures=backoff.failures)
        await asyncio.sleep(delay)


def _record_failure(name: str, exc: BaseException, failures: int = 1) -> None:
    metrics.TASK_FAILURES.labels(name).inc()
    log.error("background_task_failed", task=name, failures=failures, exc_info=exc)


class BackgroundTasks:
    """A component for tasks that outlive the request that started them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start a task. If it fails, the error is logged."""
        task = asyncio.create_task(work, name=f"{self.name}:{name}")
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    async def start(self) -> None:
        """Do nothing: tasks start when they are spawned."""

    async def stop(self, timeout_seconds: float = BACKGROUND_TASKS_STOP_SECONDS) -> None:
        """Wait for the tasks up to the timeout, then cancel the remaining ones."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_seconds)
        await cancel_and_wait(*self._tasks)

    def unready_reason(self) -> str | None:
        return None

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (exc := task.exception()) is not None:
            # The task's own name may contain an id.
            _record_failure(self.name, exc)


class PeriodicTask:
    """A component that calls `work` every `interval_seconds`.

    A failure is logged and counted. The retry follows later each time, and after `PERIODIC_MAX_RETRY_SECONDS` at most.
    """

    def __init__(self, interval_seconds: float, work: Callable[[], Awaitable[Any]], name: str) -> None:
        self.name = name
        self._interval_seconds = interval_seconds
        self._work = work
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        if self._task is not None:
            await cancel_and_wait(self._task)

    def unready_reason(self) -> str | None:
        return None

    async def _run(self) -> None:
        backoff = Backoff(initial_seconds=2 * self._interval_seconds, max_seconds=PERIODIC_MAX_RETRY_SECONDS)
        while True:
            start_or_continue_trace(None, None)
            delay = self._interval_seconds
            try:
                await self._work()
                backoff.reset()
            except NotReadyYet:
                delay = backoff.next_delay()
            except Exception as exc:
                delay = backoff.next_delay()
                metrics.TASK_FAILURES.labels(self.name).inc()
                if backoff.failures in _LOGGED_FAILURES:
                    log.warning("periodic_work_failed", work=self.name, failures=backoff.failures, error=repr(exc))
            await asyncio.sleep(delay)
