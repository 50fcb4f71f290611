"""The page of guarantees and the tests agree: every id that a test claims is described, every listed test exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guarantees.md"
_CLAIM = re.compile(r"(?:^|[;.] )((?:[TA]\d{1,2}(?:, | and | to )?)+):")
_ID = re.compile(r"[TA]\d{1,2}")


def _claims() -> Iterator[tuple[str, str, str]]:
    """Yield (id, file, test) for each test whose docstring claims to show a guarantee."""
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test_"):
                continue
            for claim in _CLAIM.findall(ast.get_docstring(node) or ""):
                for guarantee in _ID.findall(claim):
                    yield guarantee, file.relative_to(ROOT).as_posix(), node.name


def _listed() -> Iterator[tuple[str, str, str]]:
    """Yield (id, file, test) for each test that the page lists."""
    guarantee = file = ""
    for line in PAGE.read_text().splitlines():
        if heading := re.match(r"### (\w+)", line):
            guarantee = heading[1]
        elif link := re.match(r"- \[`([^`]+)`\]", line):
            file = link[1]
        elif test := re.match(r"  - `(\w+)`", line):
            yield guarantee, file, test[1]


def test_the_page_lists_exactly_the_tests_that_claim_a_guarantee() -> None:
    assert set(_listed()) == set(_claims())
