"""Child processes: start, log file, pid file, and orderly or forced stop."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from parley_dev.errors import StartFailed

_WRAPPER = Path(__file__).with_name("run_with_parent.py")
_POLL_SECONDS = 0.02
_MAX_LOG_BYTES = 20_000_000


class Runnable(Protocol):
    """A server or service: a process of this machine, or a container."""

    async def start(self) -> None:
        """Start it; it may not be ready when this returns."""

    async def stop(self) -> None:
        """Ask it to stop, and kill it when it does not."""

    async def kill(self) -> None:
        """Kill it, as a crash would."""

    @property
    def running(self) -> bool:
        """Whether it is alive."""

    def tail_log(self, lines: int = 15) -> str:
        """Return the end of its log."""


class Child(Protocol):
    """What is used of a started process: `subprocess.Popen` has it."""

    @property
    def pid(self) -> int:
        """The process id."""

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""

    def send_signal(self, sig: int, /) -> None:
        """Send a signal, unless it has ended."""

    def kill(self) -> None:
        """Send SIGKILL, unless it has ended."""


Spawn = Callable[[Mapping[str, str], IO[bytes]], Awaitable[Child]]
"""Starts a process with an environment and a file for its output."""


class Process:
    """A child process that ends with its parent (on Linux) and can be started again after it ended.

    It is bound to no event loop, so a test may start it in one loop and stop it in another. The kernel counts the
    *thread* that started it as the parent: start it from a thread that lives as long as the child should.
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
        spawn: Spawn | None = None,
    ) -> None:
        """`spawn` starts the process instead of the command."""
        self.name = name
        self.command = tuple(command)
        self.log = log
        self.stop_timeout_seconds = stop_timeout_seconds
        self._env = dict(env) if env is not None else None
        self._cwd = cwd
        self._pid_file = pid_file
        self._orphan_signal = orphan_signal
        self._spawn = spawn or self._popen
        self._child: Child | None = None
        self._log_offset = 0

    @property
    def pid(self) -> int:
        """The process id, or what the pid file says when another process started it. Raises StartFailed."""
        if self._child is not None:
            return self._child.pid
        with contextlib.suppress(OSError, ValueError, KeyError):
            if self._pid_file is not None:
                return int(json.loads(self._pid_file.read_text())["pid"])
        raise StartFailed(f"{self.name} was never started.")

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._child is not None and self._child.poll() is None

    @property
    def returncode(self) -> int | None:
        """The exit code as in `subprocess` (negative: the signal); None while it runs."""
        return None if self._child is None else self._child.poll()

    async def start(self) -> None:
        """Start it, its output appended to the log. Raises StartFailed when it runs already."""
        if self.running:
            raise StartFailed(f"{self.name} is running already.")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self._log_offset = output.tell()
            self._child = await self._spawn(os.environ if self._env is None else self._env, output)
        if self._pid_file is not None:
            self._pid_file.parent.mkdir(parents=True, exist_ok=True)
            record = {"name": self.name, "pid": self._child.pid, "started": start_time(self._child.pid)}
            self._pid_file.write_text(json.dumps(record))

    async def stop(self) -> None:
        """Send SIGTERM, and SIGKILL when it still runs after the stop timeout."""
        await self._signal_and_wait(signal.SIGTERM, self.stop_timeout_seconds)

    async def kill(self) -> None:
        """Send SIGKILL, as a crash would."""
        await self._signal_and_wait(signal.SIGKILL, None)

    def force_stop(self) -> None:
        """Send SIGKILL without waiting; a `stop` that is in progress then returns."""
        if self._child is not None and self.running:
            self._child.kill()

    async def wait(self) -> int:
        """Wait without limit until it ends. Returns its exit code."""
        if self._child is None:
            raise StartFailed(f"{self.name} was never started.")
        while (code := self._child.poll()) is None:  # noqa: ASYNC110 - a loop-free child has no event to wait for
            await asyncio.sleep(_POLL_SECONDS)
        return code

    def tail_log(self, lines: int = 15) -> str:
        """Return the end of its log, limited to what was written since the last start."""
        return read_tail(self.log, lines, self._log_offset)

    async def _popen(self, env: Mapping[str, str], output: IO[bytes]) -> Child:
        return subprocess.Popen(  # noqa: ASYNC220 - asyncio's own would bind the child to one loop
            self._wrapped_command(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=self._cwd,
            # A session of its own: Ctrl-C in the terminal reaches only the supervisor, which stops it in order.
            start_new_session=True,
        )

    async def _signal_and_wait(self, number: signal.Signals, timeout_seconds: float | None) -> None:
        if self._child is not None and self.running:
            self._child.send_signal(number)
            try:
                await asyncio.wait_for(self.wait(), timeout_seconds)
            except TimeoutError:
                self._child.kill()
                await self.wait()
        if self._pid_file is not None:
            self._pid_file.unlink(missing_ok=True)

    def _wrapped_command(self) -> list[str]:
        if not sys.platform.startswith("linux"):
            return list(self.command)
        parent, number = str(os.getpid()), str(int(self._orphan_signal))
        return [sys.executable, "-I", "-S", str(_WRAPPER), parent, number, *self.command]


def child_environment() -> dict[str, str]:
    """Return this process's environment for child processes.

    PYTHONDONTWRITEBYTECODE is left out: without cached bytecode a service compiles its modules at each start, which
    takes a second of processor time.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def read_tail(log: Path, lines: int, offset: int = 0) -> str:
    """Return the last lines of a log after an offset in bytes; an empty string when the file cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(offset, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def start_time(pid: int) -> str | None:
    """Return when a process was started, in the system's own unit; None when there is no such process.

    It distinguishes a process from a later one with the same id.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    else:
        # The name, in parentheses, may contain spaces; state is the first field after it, start time the twentieth.
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    result = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return result.stdout.strip() or None


def stop_leftovers(directory: Path, timeout_seconds: float = 15.0) -> list[str]:
    """Stop the processes of these pid files that an earlier run, killed itself, left behind. Returns their names."""
    stopped: list[str] = []
    for file in sorted(directory.glob("*.pid")):
        try:
            record = json.loads(file.read_text())
            name, pid, started = str(record["name"]), int(record["pid"]), record["started"]
        except (OSError, ValueError, KeyError, TypeError):
            file.unlink(missing_ok=True)
            continue
        if started is not None and start_time(pid) == started:
            _stop_leftover(pid, started, timeout_seconds)
            stopped.append(name)
        file.unlink(missing_ok=True)
    return stopped


def _stop_leftover(pid: int, started: str, timeout_seconds: float) -> None:
    # Not a child of this process: it can be signalled and polled, but not waited for.
    for number, seconds in ((signal.SIGTERM, timeout_seconds), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if start_time(pid) != started:
                return
            time.sleep(_POLL_SECONDS)
