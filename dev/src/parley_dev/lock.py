"""Allows one supervisor per directory."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from parley_dev.errors import AlreadyRunning


@contextlib.contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the lock file. Raises AlreadyRunning.

    The kernel releases the lock however the process ends, so a stale lock cannot exist.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunning(
                f"Parley already runs in this directory (process {file.read().strip() or 'unknown'}). "
                "Stop it first, with Ctrl-C in its terminal."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
