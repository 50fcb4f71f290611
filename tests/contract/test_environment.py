"""The reference of environment variables says what the settings classes say."""

from __future__ import annotations

import pytest

from parley_dev.environment import BEGIN, complete_reference, settings_of, variables, written
from support.manifests import ROOT, SERVICES


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    assert page == written(page), "run: python -m parley_dev.environment --write docs/operations.md"


def test_every_variable_of_every_service_is_in_the_reference() -> None:
    rows = complete_reference().splitlines()
    for service in SERVICES:
        for name in variables(settings_of(service)):
            assert sum(row.startswith(f"| `{name}` |") for row in rows) >= 1, name


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="no markers"):
        written(f"text\n{BEGIN}\nno end")
