"""Unpacks Debian packages without root: downloaded by apt-get, unpacked by dpkg, nothing installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from parley_dev.errors import ServerUnavailable

_TIMEOUT_SECONDS = 600


def is_supported() -> bool:
    """Tell whether this system has apt-get and dpkg."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg"))


def unpack(package: str, target: Path, include: Callable[[str], bool]) -> None:
    """Unpack a package, the dependencies that `include` selects by name, and the libraries the machine lacks.

    The machine's own package lists are tried first; when they are absent or out of date, new ones are downloaded into
    a private directory. Raises ServerUnavailable.
    """
    with tempfile.TemporaryDirectory(prefix="parley-apt-") as name:
        private = Path(name)
        try:
            _download_and_unpack(package, target, include, private, _options(private, lists=False))
        except subprocess.SubprocessError:
            for path in private.glob("*.deb"):
                path.unlink()
            try:
                options = _options(private, lists=True)
                # Its exit code includes hooks that need root, so the download below decides.
                _run(["apt-get", *options, "update"], private, check=False)
                _download_and_unpack(package, target, include, private, options)
            except subprocess.SubprocessError as exc:
                raise ServerUnavailable(f"apt-get could not download {package}: {_reason(exc)}") from exc


def _options(private: Path, *, lists: bool) -> list[str]:
    # As root, the sandbox would switch to a user who cannot write to this directory.
    settings = [f"Dir::Cache={private}/cache", "Debug::NoLocking=true"]
    if os.geteuid() == 0:
        settings.append("APT::Sandbox::User=root")
    if lists:
        settings.append(f"Dir::State::lists={private}/lists")
        (private / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (private / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    return [part for setting in settings for part in ("-o", setting)]


def _download_and_unpack(
    package: str, target: Path, include: Callable[[str], bool], private: Path, options: list[str]
) -> None:
    names = _resolve_packages(package, include, private, options)
    _run(["apt-get", *options, "download", *names], private)
    for deb in sorted(private.glob("*.deb")):
        _run(["dpkg", "-x", str(deb), str(target)], private)


def _resolve_packages(package: str, include: Callable[[str], bool], private: Path, options: list[str]) -> list[str]:
    install = ["apt-get", *options, "--simulate", "--no-install-recommends", "install", package]
    # As if nothing were installed: everything that belongs to the package, even if the machine has parts of it.
    without_state = [*install[:1], "-o", "Dir::State::status=/dev/null", *install[1:]]
    names = {name for name in _packages_to_install(_run(without_state, private)) if include(name)}
    # With the machine's real state: the libraries it lacks.
    names |= {name for name in _packages_to_install(_run(install, private)) if name.startswith("lib")}
    return sorted(names | {package})


def _packages_to_install(output: str) -> Iterable[str]:
    return (line.split()[1] for line in output.splitlines() if line.startswith("Inst "))


def _run(command: list[str], directory: Path, *, check: bool = True) -> str:
    env = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    result = subprocess.run(
        command, cwd=directory, env=env, check=check, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS
    )
    return result.stdout


def _reason(exc: subprocess.SubprocessError) -> str:
    output = getattr(exc, "stderr", None)
    lines = [line for line in str(output or "").splitlines() if line.startswith("E:")]
    return lines[0].removeprefix("E: ") if lines else str(exc)
