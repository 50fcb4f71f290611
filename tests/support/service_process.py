"""Processes of services. On Linux they are forked by a process that has imported the service (`fork_server`)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import IO, Protocol

from parley_dev.errors import StartFailed
from parley_dev.process import Process, child_environment

CAN_FORK = sys.platform == "linux"
_PROGRAM = Path(__file__).with_name("fork_server.py")
_POLL_SECONDS = 0.01


class ServiceProcess(Protocol):
    """What the tests use of an asyncio subprocess."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    def send_signal(self, sig: int, /) -> None: ...

    async def wait(self) -> int: ...


StartService = Callable[[str, Mapping[str, str], IO[bytes] | None], Awaitable[ServiceProcess]]
"""Starts a service by its name, with its environment and a file for its output: None for that of this process."""


class ForkedProcess:
    """A process that a fork server has started. It is bound to no event loop."""

    def __init__(self, fork_server: Path, environment: Mapping[str, str], output: IO[bytes] | None) -> None:
        """Raises StartFailed."""
        self._returncode: int | None = None
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(str(fork_server))
        request = json.dumps(dict(environment)).encode() + b"\n"
        sent = socket.send_fds(self._connection, [request], [1 if output is None else output.fileno()])
        self._connection.sendall(request[sent:])
        answer = self._connection.recv(32)
        if not answer:
            self._connection.close()
            raise StartFailed(f"{fork_server} did not start a process.")
        self.pid = int(answer)
        self._connection.setblocking(False)

    @property
    def returncode(self) -> int | None:
        """The exit code as in `subprocess` (negative: the signal); None while it runs."""
        return self.poll()

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        if self._returncode is None:
            try:
                answer = self._connection.recv(32)
            except BlockingIOError:
                return None
            # Without an answer the server is gone, and its processes with it.
            self._returncode = int(answer) if answer else -signal.SIGKILL
            self._connection.close()
        return self._returncode

    def send_signal(self, sig: int, /) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for the end. Returns the exit code."""
        while (code := self.poll()) is None:
            await asyncio.sleep(_POLL_SECONDS)
        return code


async def start_fork_server(service: str, directory: Path) -> tuple[Process, Path]:
    """Start the fork server of a service. Returns it and its socket. Raises StartFailed."""
    path = directory / f"{service}.socket"
    process = Process(
        f"fork-{service}",
        [sys.executable, "-P", str(_PROGRAM), service, str(path)],
        log=directory / f"fork-{service}.log",
        env=child_environment() | {"PYTHONUNBUFFERED": "1"},
        orphan_signal=signal.SIGKILL,
    )
    await process.start()
    while not path.exists():
        if not process.running:
            raise StartFailed(f"{process.name} ended during its start:\n{process.tail_log()}")
        await asyncio.sleep(_POLL_SECONDS)
    return process, path


async def start_python(service: str, environment: Mapping[str, str], output: IO[bytes] | None) -> ServiceProcess:
    """Start a service in a Python of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"parley.{service}", env=environment, stdout=output, stderr=output
    )
