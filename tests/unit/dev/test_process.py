"""Child processes: they end as told, die with us, and are known again by a later run."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from parley_dev.errors import StartFailed
from parley_dev.process import Process, start_time, stop_leftovers

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def python(code: str, tmp_path: Path, grace: float = 20.0) -> Process:
    command = [sys.executable, "-c", code]
    pid_file = tmp_path / "run" / "child.pid"
    return Process("child", command, log=tmp_path / "child.log", pid_file=pid_file, stop_timeout_seconds=grace)


async def until(true: Callable[[], bool], timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        await asyncio.sleep(0.02)


async def test_a_child_is_asked_to_end(tmp_path: Path) -> None:
    child = python("import time; time.sleep(60)", tmp_path)
    await child.start()
    assert child.running
    await child.stop()
    assert child.returncode == -signal.SIGTERM
    assert not (tmp_path / "run" / "child.pid").exists()


async def test_a_child_that_will_not_end_is_killed_when_the_grace_is_over(tmp_path: Path) -> None:
    child = python(STUBBORN, tmp_path, grace=0.2)
    await child.start()
    await until(lambda: "up" in child.tail_log())
    await child.stop()
    assert child.returncode == -signal.SIGKILL


async def test_last_words_are_of_the_last_start_alone(tmp_path: Path) -> None:
    child = python("import os; print('I am', os.getpid())", tmp_path)
    for _ in range(2):
        await child.start()
        await child.wait()
        assert child.tail_log() == f"I am {child.pid}"


async def test_a_running_child_is_not_started_twice(tmp_path: Path) -> None:
    child = python("import time; time.sleep(60)", tmp_path)
    await child.start()
    with pytest.raises(StartFailed):
        await child.start()
    await child.kill()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's death signal is Linux's")
async def test_a_child_dies_with_its_supervisor_however_that_dies(tmp_path: Path) -> None:
    supervisor = f"""
import asyncio, sys, time
from pathlib import Path
from parley_dev.process import Process
child = Process("child", [sys.executable, "-c", "import time; time.sleep(60)"], log=Path({str(tmp_path / "log")!r}))
asyncio.run(child.start())
print(child.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", supervisor], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert start_time(child) is not None
        parent.kill()
    await until(lambda: start_time(child) is None)


async def test_a_later_run_ends_what_an_earlier_one_left(tmp_path: Path) -> None:
    child = python("import time; time.sleep(60)", tmp_path)
    await child.start()
    assert stop_leftovers(tmp_path / "run") == ["child"]
    assert await child.wait() == -signal.SIGTERM


async def test_a_stranger_with_the_number_of_a_leftover_is_spared(tmp_path: Path) -> None:
    record = {"name": "child", "pid": os.getpid(), "born": "long ago"}
    (tmp_path / "child.pid").write_text(json.dumps(record))
    (tmp_path / "torn.pid").write_text('{"name": "chi')
    assert stop_leftovers(tmp_path) == []
    assert list(tmp_path.glob("*.pid")) == []
