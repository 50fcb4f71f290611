"""One child process: its log, its pid file, and how it ends."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from parley_dev.errors import StartFailed

_GUARD = Path(__file__).with_name("guard.py")
_POLL = 0.02
_LOG_LIMIT = 20_000_000


class Runnable(Protocol):
    """What a server or a service runs as: a process here, or a container."""

    async def start(self) -> None:
        """Start it; it may not be ready when this returns."""

    async def stop(self) -> None:
        """Ask it to end, and insist when it does not."""

    async def kill(self) -> None:
        """End it without a word, as a crash would."""

    @property
    def running(self) -> bool:
        """Whether it is alive."""

    def tail_log(self, lines: int = 15) -> str:
        """The end of its log."""


class Process:
    """A child that dies with us (on Linux), started again as often as wanted.

    It is bound to no event loop, so a test may start it in one loop and stop it in another. The kernel counts the
    *thread* that started it as the parent: start it from one that lives as long as it should.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        pid_file: Path | None = None,
        stop_timeout_seconds: float = 20.0,
        orphan_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.command = tuple(command)
        self.log = log
        self.stop_timeout_seconds = stop_timeout_seconds
        self._env = dict(env) if env is not None else None
        self._cwd = cwd
        self._pid_file = pid_file
        self._orphan_signal = orphan_signal
        self._child: subprocess.Popen[bytes] | None = None
        self._log_begins = 0

    @property
    def pid(self) -> int:
        """Its process id; an error when it was never started."""
        if self._child is None:
            raise StartFailed(f"{self.name} was never started.")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._child is not None and self._child.poll() is None

    @property
    def returncode(self) -> int | None:
        """How it ended, as subprocess tells it (negative: the signal), or None."""
        return None if self._child is None else self._child.poll()

    async def start(self) -> None:
        """Start it, its output appended to the log."""
        if self.running:
            raise StartFailed(f"{self.name} is running already.")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self._log_begins = output.tell()
            self._child = subprocess.Popen(  # noqa: ASYNC220 - asyncio's own would bind the child to one loop
                self._guarded(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which ends us in order.
                start_new_session=True,
            )
        if self._pid_file is not None:
            self._pid_file.parent.mkdir(parents=True, exist_ok=True)
            record = {"name": self.name, "pid": self._child.pid, "born": start_time(self._child.pid)}
            self._pid_file.write_text(json.dumps(record))

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL when the grace is over."""
        await self._end(signal.SIGTERM, self.stop_timeout_seconds)

    async def kill(self) -> None:
        """SIGKILL, as a crash would."""
        await self._end(signal.SIGKILL, None)

    def force_stop(self) -> None:
        """SIGKILL at once, for a person who will not wait; whoever stops it still has to."""
        if self._child is not None and self.running:
            self._child.kill()

    async def wait(self) -> int:
        """Wait until it ends, however long."""
        if self._child is None:
            raise StartFailed(f"{self.name} was never started.")
        while (code := self._child.poll()) is None:  # noqa: ASYNC110 - a loop-free child has no event to wait for
            await asyncio.sleep(_POLL)
        return code

    def tail_log(self, lines: int = 15) -> str:
        """The end of its log, as far as it was written since the last start."""
        return read_tail(self.log, lines, self._log_begins)

    async def _end(self, first: signal.Signals, grace: float | None) -> None:
        if self._child is not None and self.running:
            self._child.send_signal(first)
            try:
                await asyncio.wait_for(self.wait(), grace)
            except TimeoutError:
                self._child.kill()
                await self.wait()
        if self._pid_file is not None:
            self._pid_file.unlink(missing_ok=True)

    def _guarded(self) -> list[str]:
        if not sys.platform.startswith("linux"):
            return list(self.command)
        me, number = str(os.getpid()), str(int(self._orphan_signal))
        return [sys.executable, "-I", "-S", str(_GUARD), me, number, *self.command]


def read_tail(log: Path, lines: int, begins: int = 0) -> str:
    """The last lines of a log after a place in it, or nothing."""
    try:
        with log.open("rb") as file:
            file.seek(max(begins, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def start_time(pid: int) -> str | None:
    """When a process was born, in whatever unit the system tells it; None when there is no such process.

    A number alone would not do: the kernel gives it to somebody else one day.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    else:
        # The name, in parentheses, may hold spaces; state is the first field after it, birth the twentieth.
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    asked = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or None


def stop_leftovers(directory: Path, grace: float = 15.0) -> list[str]:
    """End what an earlier run, killed outright, left behind in these pid files; the names of those ended."""
    ended: list[str] = []
    for file in sorted(directory.glob("*.pid")):
        try:
            record = json.loads(file.read_text())
            name, pid, born = str(record["name"]), int(record["pid"]), record["born"]
        except (OSError, ValueError, KeyError, TypeError):
            file.unlink(missing_ok=True)
            continue
        if born is not None and start_time(pid) == born:
            _end_stranger(pid, born, grace)
            ended.append(name)
        file.unlink(missing_ok=True)
    return ended


def _end_stranger(pid: int, born: str, grace: float) -> None:
    # Not our child: it can be signalled and watched, not waited for.
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if start_time(pid) != born:
                return
            time.sleep(_POLL)
