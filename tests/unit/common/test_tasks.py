"""Background tasks: cancelled even if they lose a cancellation, started again after a failure, never lost."""

from __future__ import annotations

import asyncio
import gc
import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parley.common.mongodb import SchemaNotReady
from parley.common.observability import metrics
from parley.common.runtime import tasks
from parley.common.runtime.tasks import NotReadyYet, PeriodicTask, cancel_and_wait, keep_running, run_until_one_ends
from support.wait import wait_until


async def test_task_that_loses_a_cancellation_is_cancelled_again() -> None:
    lost = 0

    async def loops() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost > 1:
                    raise

    task = asyncio.create_task(loops())
    await asyncio.sleep(0)
    await asyncio.wait_for(cancel_and_wait(task), 5)
    assert task.cancelled()
    assert lost == 2


async def test_a_task_that_fails_is_counted_and_starts_again() -> None:
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise RuntimeError
        await asyncio.Event().wait()

    task = keep_running(work, "a test")
    await wait_until(lambda: runs == 2)
    assert 'parley_task_failures_total{task="a test"} 1.0' in metrics.render()[0].decode()
    await cancel_and_wait(task)
    assert task.cancelled()


async def test_failures_that_are_long_ago_do_not_delay_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 20:
            raise RuntimeError
        await asyncio.Event().wait()

    # Each look at the clock is a minute after the one before, so each run lasts a minute.
    monkeypatch.setattr(tasks, "time", SimpleNamespace(monotonic=itertools.count(step=60).__next__))
    monkeypatch.setattr(tasks, "RESTART_INITIAL_SECONDS", 0.001)
    task = keep_running(work, "a test")
    # Doubled each time, the delays would be more than two minutes.
    await wait_until(lambda: runs == 20)
    await cancel_and_wait(task)


async def test_work_that_waits_for_what_it_needs_has_not_failed() -> None:
    """At each start, all work begins before the database is ready: that is neither logged nor counted."""
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        raise NotReadyYet

    periodic = PeriodicTask(0.001, work, "waiting work")
    await periodic.start()
    await wait_until(lambda: runs > 2)
    await periodic.stop()
    assert 'task="waiting work"' not in metrics.render()[0].decode()
    assert issubclass(SchemaNotReady, NotReadyYet)


async def test_a_failure_of_one_of_several_coroutines_ends_all_and_is_raised() -> None:
    ended = asyncio.Event()

    async def wait_forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def fail() -> None:
        await asyncio.sleep(0)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await run_until_one_ends(wait_forever(), fail())
    assert ended.is_set()


async def test_failures_at_the_same_time_are_raised_once_and_not_logged() -> None:
    """A lost connection ends several coroutines; asyncio logs each failure that nobody has read."""
    logged: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))

    async def fail() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await run_until_one_ends(fail(), fail())
    gc.collect()
    assert not logged


AWAITED_BY_WHO_STARTS_THEM = {
    "common/caching.py",
    "common/http/app.py",
    "common/mongodb/migrator.py",
    "common/runtime/tasks.py",
    "chat/batching.py",
    "gateway/proxy/reverse_proxy.py",
    "gateway/upstream/replica_directory.py",
}


def test_background_tasks_are_started_where_their_failures_are_noticed() -> None:
    """A task of `asyncio.create_task` that nobody awaits ends silently when it fails."""
    root = Path(__file__).parents[3]
    files = [file for part in ("libs", "services") for file in (root / part).glob("*/src/parley/**/*.py")]
    starting = {file.as_posix().partition("/src/parley/")[2] for file in files if ".create_task(" in file.read_text()}
    # A TaskGroup raises what its tasks raise.
    in_groups = {"common/messaging/consumer.py", "chat/answer_tests/runner.py"}
    assert starting - in_groups == AWAITED_BY_WHO_STARTS_THEM
