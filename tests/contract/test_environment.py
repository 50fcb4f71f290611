"""The reference of environment variables matches the settings classes."""

from __future__ import annotations

import pytest

from parley_dev.environment import BEGIN_MARKER, full_reference, settings_class, variables, with_reference
from support.manifests import ROOT, SERVICES


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    assert page == with_reference(page), "run: python -m parley_dev.environment --write docs/operations.md"


def test_every_variable_of_every_service_is_in_the_reference() -> None:
    rows = full_reference().splitlines()
    for service in SERVICES:
        for name in variables(settings_class(service)):
            assert sum(row.startswith(f"| `{name}` |") for row in rows) >= 1, name


def test_a_page_without_markers_is_rejected() -> None:
    with pytest.raises(ValueError, match="no markers"):
        with_reference(f"text\n{BEGIN_MARKER}\nno end")
