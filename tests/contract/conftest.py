"""Kubernetes manifests, rendered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.external_tools import find_kubectl
from support.manifests import RenderedManifests, render_overlay


@pytest.fixture(scope="module")
def kubectl() -> Iterator[Path]:
    executable = find_kubectl()
    if executable is None:
        pytest.skip("kubectl is neither installed nor available for this platform")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOGC", "off")  # It ends before its garbage (170 MB at most) matters: a third less processor time.
        yield executable


@pytest.fixture(scope="module")
def production(kubectl: Path) -> RenderedManifests:
    """The production overlay as it is, with its own components."""
    return render_overlay(kubectl, "production")
