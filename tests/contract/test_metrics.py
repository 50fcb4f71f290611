"""The reference of metrics matches the code."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from prometheus_client.metrics import MetricWrapperBase

from parley_dev.metrics import BEGIN_MARKER, list_metrics, reference, with_reference
from support.manifests import ROOT, SERVICES

SHARED = "parley.common.observability.metrics"


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    assert page == with_reference(page), "run: python -m parley_dev.metrics --write docs/operations.md"


def test_every_metric_is_in_the_reference_once() -> None:
    rows = reference().splitlines()
    for module in (SHARED, *(f"parley.{service}.metrics" for service in SERVICES)):
        for metric in list_metrics(module):
            (described,) = metric.describe()
            matching = [row for row in rows if row.startswith((f"| `{described.name}`", f"| `{described.name}_total`"))]
            assert len(matching) == 1, described.name
            assert described.documentation.endswith(".")


def test_metrics_are_defined_in_the_modules_of_metrics_only() -> None:
    """Where the reference looks for them."""
    modules = (SHARED, *(f"parley.{service}.metrics" for service in SERVICES))
    listed = {described.name for name in modules for metric in list_metrics(name) for described in metric.describe()}
    for package in ("parley.common", *(f"parley.{service}" for service in SERVICES)):
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if module.name.endswith("__main__"):
                continue
            for name, member in vars(importlib.import_module(module.name)).items():
                if isinstance(member, MetricWrapperBase):
                    assert {described.name for described in member.describe()} <= listed, f"{module.name}.{name}"


def test_a_page_without_markers_is_rejected() -> None:
    with pytest.raises(ValueError, match="no markers"):
        with_reference(f"text\n{BEGIN_MARKER}\nno end")
