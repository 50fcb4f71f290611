"""Brings Debian packages without root: downloaded by apt-get, unpacked by dpkg, nothing installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from parley_dev.errors import ServerUnavailable

_TIMEOUT = 600


def is_supported() -> bool:
    """Whether this is a Debian or an Ubuntu."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg"))


def unpack(package: str, into: Path, wanted: Callable[[str], bool]) -> None:
    """Unpack a package, those of its dependencies that `wanted` picks, and the libraries the machine lacks.

    The machine's own package lists are tried first, since they cost nothing; when they are absent or out of date,
    fresh ones are fetched into a private folder.
    """
    with tempfile.TemporaryDirectory(prefix="parley-apt-") as name:
        private = Path(name)
        try:
            _unpack(package, into, wanted, private, _options(private, lists=False))
        except subprocess.SubprocessError:
            for path in private.glob("*.deb"):
                path.unlink()
            try:
                options = _options(private, lists=True)
                # Its code tells of hooks that need root as well, so the download below is the judge.
                _run(["apt-get", *options, "update"], private, check=False)
                _unpack(package, into, wanted, private, options)
            except subprocess.SubprocessError as error:
                raise ServerUnavailable(f"apt-get could not bring {package}: {_reason(error)}") from error


def _options(private: Path, *, lists: bool) -> list[str]:
    # "Sandbox" as root would drop to a user who cannot write to our folder.
    settings = [f"Dir::Cache={private}/cache", "Debug::NoLocking=true"]
    if os.geteuid() == 0:
        settings.append("APT::Sandbox::User=root")
    if lists:
        settings.append(f"Dir::State::lists={private}/lists")
        (private / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (private / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    return [part for setting in settings for part in ("-o", setting)]


def _unpack(package: str, into: Path, wanted: Callable[[str], bool], private: Path, options: list[str]) -> None:
    names = _closure(package, wanted, private, options)
    _run(["apt-get", *options, "download", *names], private)
    for deb in sorted(private.glob("*.deb")):
        _run(["dpkg", "-x", str(deb), str(into)], private)


def _closure(package: str, wanted: Callable[[str], bool], private: Path, options: list[str]) -> list[str]:
    install = ["apt-get", *options, "--simulate", "--no-install-recommends", "install", package]
    # As if nothing were installed: all that belongs to the package itself, wherever the machine has parts of it.
    bare = [*install[:1], "-o", "Dir::State::status=/dev/null", *install[1:]]
    names = {name for name in _to_install(_run(bare, private)) if wanted(name)}
    # As things are: the libraries the machine lacks.
    names |= {name for name in _to_install(_run(install, private)) if name.startswith("lib")}
    return sorted(names | {package})


def _to_install(output: str) -> Iterable[str]:
    return (line.split()[1] for line in output.splitlines() if line.startswith("Inst "))


def _run(command: list[str], directory: Path, *, check: bool = True) -> str:
    env = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, cwd=directory, env=env, check=check, capture_output=True, text=True, timeout=_TIMEOUT
    )
    return done.stdout


def _reason(error: subprocess.SubprocessError) -> str:
    output = getattr(error, "stderr", None)
    lines = [line for line in str(output or "").splitlines() if line.startswith("E:")]
    return lines[0].removeprefix("E: ") if lines else str(error)
