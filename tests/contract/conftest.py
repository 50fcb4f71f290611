"""Kubernetes manifests, rendered."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped]
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
def cached_schemas() -> Iterator[None]:
    """Schemas of Kubernetes, read once: kubernetes_validate reads its largest file again for every document."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kubernetes_validate.utils, "schema_contents", cache(kubernetes_validate.utils.schema_contents))
        yield


@pytest.fixture(scope="module")
def production(kubectl: Path) -> RenderedManifests:
    """The production overlay as it is, with its own components."""
    return render_overlay(kubectl, "production")
