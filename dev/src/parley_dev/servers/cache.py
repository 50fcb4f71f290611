"""Cache of downloaded binaries, shared by all clones of a user. An entry is complete or absent."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


def cache_directory() -> Path:
    """Return the user's cache directory, or one in the temporary directory when the home is not writable."""
    base = os.environ.get("XDG_CACHE_HOME")
    preferred = (Path(base) if base else Path.home() / ".cache") / "parley" / "servers"
    # RabbitMQ's scripts do not quote their own path.
    if " " not in str(preferred):
        with contextlib.suppress(OSError):
            preferred.mkdir(parents=True, exist_ok=True)
            if os.access(preferred, os.W_OK):
                return preferred
    return _private_temp_directory()


def cached_directory(name: str, fill: Callable[[Path, Path], None]) -> Path:
    """Return the cache entry of this name; when absent, `fill(draft, final)` creates it.

    `fill` writes into `draft`, which is then renamed to `final`; it needs `final` for paths written inside files.
    """
    cache = cache_directory()
    final = cache / name
    if final.is_dir():
        return final
    with _file_lock(cache / f".{name}.lock"):
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


def _private_temp_directory() -> Path:
    directory = Path(tempfile.gettempdir()) / f"parley-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    # /tmp is writable by everybody: execute nothing from a directory that another user created.
    if directory.is_symlink() or directory.stat().st_uid != os.getuid():
        directory = Path(tempfile.mkdtemp(prefix="parley-"))
    return directory


@contextlib.contextmanager
def _file_lock(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
