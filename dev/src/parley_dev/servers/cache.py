"""Where brought binaries are kept, so that a second clone finds them; never half unpacked."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


def cache_directory() -> Path:
    """The user's cache, or one in the temporary folder, named after the user, when the home cannot be written."""
    base = os.environ.get("XDG_CACHE_HOME")
    wanted = (Path(base) if base else Path.home() / ".cache") / "parley" / "servers"
    # RabbitMQ's scripts do not quote the path they stand in.
    if " " not in str(wanted):
        with contextlib.suppress(OSError):
            wanted.mkdir(parents=True, exist_ok=True)
            if os.access(wanted, os.W_OK):
                return wanted
    return _owned_in_tmp()


def cached_directory(name: str, fill: Callable[[Path, Path], None]) -> Path:
    """The folder of that name in the cache; when absent, `fill(draft, final)` makes it and it appears all at once.

    `fill` writes into draft; final is where that will stand, for paths written inside files.
    """
    cache = cache_directory()
    final = cache / name
    if final.is_dir():
        return final
    with _only_one(cache / f".{name}.lock"):
        if final.is_dir():
            return final
        draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache))
        try:
            fill(draft, final)
            draft.chmod(0o755)
            draft.rename(final)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return final


def _owned_in_tmp() -> Path:
    directory = Path(tempfile.gettempdir()) / f"parley-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    # Anybody may write to /tmp: run nothing from a folder that another user made for us.
    if directory.is_symlink() or directory.stat().st_uid != os.getuid():
        directory = Path(tempfile.mkdtemp(prefix="parley-"))
    return directory


@contextlib.contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
