"""Child processes: orderly and forced stop, end with the parent, and cleanup by a later run."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from parley_dev.errors import StartFailed
from parley_dev.process import Process, start_time, stop_leftovers
from support.wait import wait_until

IGNORES_SIGTERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)


def python(code: str, tmp_path: Path, stop_timeout_seconds: float = 20.0) -> Process:
    command = [sys.executable, "-c", code]
    pid_file = tmp_path / "run" / "child.pid"
    return Process(
        "child", command, log=tmp_path / "child.log", pid_file=pid_file, stop_timeout_seconds=stop_timeout_seconds
    )


async def test_stop_sends_sigterm(tmp_path: Path) -> None:
    child = python("import time; time.sleep(60)", tmp_path)
    await child.start()
    assert child.running
    await child.stop()
    assert child.returncode == -signal.SIGTERM
    assert not (tmp_path / "run" / "child.pid").exists()


async def test_a_child_that_ignores_sigterm_is_killed_after_the_stop_timeout(tmp_path: Path) -> None:
    child = python(IGNORES_SIGTERM, tmp_path, stop_timeout_seconds=0.2)
    await child.start()
    await wait_until(lambda: "up" in child.tail_log())
    await child.stop()
    assert child.returncode == -signal.SIGKILL


async def test_the_log_tail_contains_the_last_start_only(tmp_path: Path) -> None:
    child = python("import os; print('I am', os.getpid())", tmp_path)
    for _ in range(2):
        await child.start()
        await child.wait()
        assert child.tail_log() == f"I am {child.pid}"


async def test_a_running_child_cannot_be_started_again(tmp_path: Path) -> None:
    child = python("import time; time.sleep(60)", tmp_path)
    await child.start()
    with pytest.raises(StartFailed):
        await child.start()
    await child.kill()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux signals the death of a parent")
async def test_a_child_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    supervisor = f"""
import asyncio, sys, time
from pathlib import Path
from typing import Any
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
    await wait_until(lambda: start_time(child) is None)


async def test_leftovers_of_an_earlier_run_are_stopped(tmp_path: Path) -> None:
    child = python("import time; time.sleep(60)", tmp_path)
    await child.start()
    assert stop_leftovers(tmp_path / "run") == ["child"]
    assert await child.wait() == -signal.SIGTERM


async def test_another_process_with_a_leftovers_pid_is_not_stopped(tmp_path: Path) -> None:
    record = {"name": "child", "pid": os.getpid(), "started": "long ago"}
    (tmp_path / "child.pid").write_text(json.dumps(record))
    (tmp_path / "torn.pid").write_text('{"name": "chi')
    assert stop_leftovers(tmp_path) == []
    assert list(tmp_path.glob("*.pid")) == []
