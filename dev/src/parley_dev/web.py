"""The panel, the widget and the demo page, built from `web/` when they are older than what they are made of."""

import fcntl
import shutil
import subprocess
from pathlib import Path

from parley_dev.console import Output, discard
from parley_dev.errors import DevError

_SOURCES = ("panel", "widget", "demo", "shared", "scripts", "package-lock.json", "tsconfig.json")
_SECONDS = 600


class WebNotBuilt(DevError):
    """The web pages could not be built."""


def build_web(web: Path, say: Output = discard) -> Path | None:
    """Build what is out of date. Returns the folder to serve; None where there is no npm. Raises WebNotBuilt."""
    npm = shutil.which("npm")
    if npm is None:
        say("The panel and the widget are left out: they need Node.js 20 (apt-get install nodejs npm).")
        return None
    with (web / ".building").open("w") as lock:
        # Several test workers may want it at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        installed = web / "node_modules" / ".package-lock.json"
        if not installed.is_file() or installed.stat().st_mtime < (web / "package-lock.json").stat().st_mtime:
            say("Installing what the panel and the widget are built with…")
            _run(web, npm, "ci", "--no-fund", "--no-audit")
            installed.touch()
        built = web / "dist" / "widget.js"
        if not built.is_file() or built.stat().st_mtime < _newest(web):
            say("Building the panel and the widget…")
            _run(web, npm, "run", "build")
    return web / "dist"


def _newest(web: Path) -> float:
    places = [web / name for name in _SOURCES] + list(web.glob("vite.*.ts"))
    files = [file for place in places for file in ([place] if place.is_file() else place.rglob("*")) if file.is_file()]
    return max(file.stat().st_mtime for file in files)


def _run(web: Path, *command: str) -> None:
    try:
        subprocess.run(command, cwd=web, check=True, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.CalledProcessError as exc:
        words = "\n".join((exc.stderr or exc.stdout).splitlines()[-8:])
        raise WebNotBuilt(f"The web pages could not be built: {' '.join(command[1:])} said:\n{words}") from exc
    except subprocess.TimeoutExpired as exc:
        raise WebNotBuilt("The web pages could not be built in ten minutes.") from exc
