"""Answer tests as CSV, for spreadsheets and version control: one line for each test.

In a cell, each requirement is a line, and alternatives are separated by ` | `.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from parley.chat.answer_tests.model import AnswerTest
from parley.chat.reports.csv_export import escape_cell

COLUMNS = ("question", "language", "expected", "must_say", "must_not_say", "must_cite", "enabled")
_NO = frozenset(("false", "no", "0", "off"))
_ALTERNATIVES = "|"


def to_csv(tests: Sequence[AnswerTest]) -> str:
    output = io.StringIO()
    writer = csv.writer(output)
    writer.writerow(COLUMNS)
    for test in tests:
        expectation = test.expectation
        cells = (
            test.question,
            test.language or "",
            expectation.expected,
            join_groups(expectation.must_say),
            "\n".join(expectation.must_not_say),
            join_groups(expectation.must_cite),
            "true" if test.enabled else "false",
        )
        writer.writerow([escape_cell(cell) for cell in cells])
    return output.getvalue()


def from_csv(text: str) -> list[dict[str, Any]]:
    """The rows as the bodies of tests; their values are not checked. Raises ValueError with a sentence."""
    try:
        rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
    except csv.Error as exc:
        raise ValueError(f"is not CSV: {exc}") from exc
    if rows and "question" not in rows[0]:
        raise ValueError("has no column named question")
    return [_to_body(row) for row in rows]


def split_groups(text: str) -> list[list[str]]:
    lines = ([part.strip() for part in line.split(_ALTERNATIVES)] for line in text.splitlines())
    groups = ([part for part in parts if part] for parts in lines)
    return [group for group in groups if group]


def join_groups(groups: Sequence[Sequence[str]]) -> str:
    return "\n".join(" | ".join(group) for group in groups)


def _to_body(row: dict[str, str | None]) -> dict[str, Any]:
    cells = {name: _unescape(row.get(name) or "") for name in COLUMNS}
    return {
        "question": cells["question"],
        "language": cells["language"].strip() or None,
        "expected": cells["expected"].strip().lower() or "answer",
        "must_say": split_groups(cells["must_say"]),
        "must_not_say": [line.strip() for line in cells["must_not_say"].splitlines() if line.strip()],
        "must_cite": split_groups(cells["must_cite"]),
        "enabled": cells["enabled"].strip().lower() not in _NO,
    }


def _unescape(cell: str) -> str:
    """Remove the apostrophe that the export puts before what a spreadsheet would run as a formula."""
    return cell[1:] if cell.startswith("'") and escape_cell(cell[1:]) == cell else cell
