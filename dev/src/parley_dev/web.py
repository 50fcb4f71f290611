"""Builds the panel, the widget and the demo page from `web/` when the build is older than its sources."""

import fcntl
import shutil
import subprocess
from pathlib import Path

from parley_dev.console import Output, discard
from parley_dev.errors import DevError

_SOURCES = ("panel", "widget", "demo", "shared", "scripts", "package-lock.json", "tsconfig.json")
_TIMEOUT_SECONDS = 600


class WebNotBuilt(DevError):
    """The web pages could not be built."""


def build_web(web: Path, output: Output = discard) -> Path | None:
    """Build what is out of date. Returns the directory to serve, or None without npm. Raises WebNotBuilt."""
    npm = shutil.which("npm")
    if npm is None:
        output("Skipping the panel and the widget: they need Node.js 20 (apt-get install nodejs npm).")
        return None
    with (web / ".building").open("w") as lock:
        # Several test workers may build at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        installed = web / "node_modules" / ".package-lock.json"
        if not installed.is_file() or installed.stat().st_mtime < (web / "package-lock.json").stat().st_mtime:
            output("Installing the build tools of the panel and the widget…")
            _run(web, npm, "ci", "--no-fund", "--no-audit")
            installed.touch()
        built = web / "dist" / "widget.js"
        if not built.is_file() or built.stat().st_mtime < _newest_mtime(web):
            output("Building the panel and the widget…")
            _run(web, npm, "run", "build")
    return web / "dist"


def _newest_mtime(web: Path) -> float:
    paths = [web / name for name in _SOURCES] + list(web.glob("vite.*.ts"))
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()]
    return max(file.stat().st_mtime for file in files)


def _run(web: Path, *command: str) -> None:
    try:
        subprocess.run(command, cwd=web, check=True, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS)
    except subprocess.CalledProcessError as exc:
        lines = "\n".join((exc.stderr or exc.stdout).splitlines()[-8:])
        raise WebNotBuilt(f"The web pages could not be built: {' '.join(command[1:])} failed with:\n{lines}") from exc
    except subprocess.TimeoutExpired as exc:
        raise WebNotBuilt("The web pages could not be built in ten minutes.") from exc
