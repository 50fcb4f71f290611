"""Lets one supervisor at a time work in a folder."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from parley_dev.errors import AlreadyRunning


@contextlib.contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the lock; the kernel gives it back however we end, so a stale one cannot exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunning(
                f"Parley is running in this folder already (process {file.read().strip() or 'unknown'}). "
                "Stop that one first, with Ctrl-C in its terminal."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
