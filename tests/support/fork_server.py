"""A process that has imported a service, and forks itself to run it: importing costs more than all else of a start.

`python -P fork_server.py SERVICE SOCKET`. A client connects to the socket, and sends a process's environment as a line
of JSON together with the file for its output. It gets a line with the process id, and one with the exit code. When the
client goes, the process is killed. Executed by path; imports nothing of the tests.

chat's password hashes use little memory: a real one takes 25 ms of processor time, and a tenant of a test needs five.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1
_BACKLOG = 64
_PASSWORD_HASHER = "parley.chat.accounts.argon2_hasher"
_PASSWORD_HASH_KIB = 64


class ForkServer:
    """Forks processes until it is killed."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._libc = ctypes.CDLL(None)
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)

    def serve(self) -> None:
        """Return in each forked process, which then has the environment and the output that its client sent."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    if self._fork():
                        return
                elif isinstance(key.fileobj, int):
                    self._report_end(key.fileobj, *key.data)
                else:
                    self._on_client(key.fileobj, *key.data)

    def _fork(self) -> bool:
        """Fork a process. Returns whether this is it."""
        connection, _ = self._listener.accept()
        line, files, _, _ = socket.recv_fds(connection, 65_536, 1)
        while not line.endswith(b"\n"):
            line += connection.recv(65_536)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            connection.close()
            self._become(json.loads(line), files[0], parent)
            return True
        os.close(files[0])
        process = os.pidfd_open(pid)
        self._selector.register(process, selectors.EVENT_READ, (pid, connection))
        self._selector.register(connection, selectors.EVENT_READ, (process,))
        connection.sendall(b"%d\n" % pid)
        return False

    def _become(self, environment: dict[str, str], output: int, parent: int) -> None:
        """Leave the server behind: nothing of it stays open."""
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
            else:
                os.close(key.fd)
        self._selector.close()
        self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            raise SystemExit(1)
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        os.environ.clear()
        os.environ.update(environment)

    def _report_end(self, process: int, pid: int, connection: socket.socket) -> None:
        _, status = os.waitpid(pid, 0)
        with contextlib.suppress(OSError):  # The client may have gone.
            connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        for end in (process, connection):
            if end in self._selector.get_map():
                self._selector.unregister(end)
        os.close(process)
        connection.close()

    def _on_client(self, connection: Any, process: int) -> None:
        """Kill the process of a client that has gone."""
        self._selector.unregister(connection)
        signal.pidfd_send_signal(process, signal.SIGKILL)


def main() -> None:
    """Import the service, and serve; in each forked process, run the service."""
    service, path = sys.argv[1:]
    gc.disable()  # What is imported stays: looking for garbage meanwhile took a third of the time.
    run = importlib.import_module(f"parley.{service}.bootstrap").main
    if _PASSWORD_HASHER in sys.modules:
        sys.modules[_PASSWORD_HASHER].MEMORY_KIB = _PASSWORD_HASH_KIB  # type: ignore[attr-defined]
    gc.collect()
    gc.freeze()
    gc.enable()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{path}.new")
    listener.listen(_BACKLOG)
    os.rename(f"{path}.new", path)  # noqa: PTH104 - it listens as soon as it exists
    ForkServer(listener).serve()
    sys.argv = [f"parley-{service}"]
    run()


if __name__ == "__main__":
    main()
