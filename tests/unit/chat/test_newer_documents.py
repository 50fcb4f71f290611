"""What a newer version of the code has stored stays when this version saves."""

from __future__ import annotations

from typing import Any

import pytest

from parley.chat.newer_documents import keep_unknown_fields


@pytest.mark.parametrize(
    ("stored", "before", "after", "expected"),
    [
        ({"a": 1, "new": 2}, {"a": 1}, {"a": 3}, {"a": 3}),
        ({"x": {"a": 1, "new": 2}}, {"x": {"a": 1}}, {"x": {"a": 3}}, {"x": {"a": 3, "new": 2}}),
        ({"x": {"a": 1, "b": 2}}, {"x": {"a": 1, "b": 2}}, {"x": {"a": 1}}, {"x": {"a": 1}}),
        ({"x": {"new": 1}}, {"x": {}}, {"x": None}, {"x": None}),
        ({"x": {"y": {"new": 1}}}, {"x": {"y": {}}}, {"x": {"y": {"a": 1}}}, {"x": {"y": {"a": 1, "new": 1}}}),
        (
            {"x": [{"id": 1, "new": 1}, {"id": 2, "new": 2}]},
            {"x": [{"id": 1}, {"id": 2}]},
            {"x": [{"id": 2, "a": 3}, {"id": 3}]},
            {"x": [{"id": 2, "a": 3, "new": 2}, {"id": 3}]},
        ),
        (
            {"x": [{"label": "A", "new": 1}, {"label": "B", "new": 2}]},
            {"x": [{"label": "A"}, {"label": "B"}]},
            {"x": ({"label": "B"}, {"label": "C"})},
            {"x": [{"label": "B", "new": 2}, {"label": "C"}]},
        ),
        ({"x": [1, 2]}, {"x": [1, 2]}, {"x": [2]}, {"x": [2]}),
        ({}, {"x": {"a": 1}}, {"x": {"a": 2}}, {"x": {"a": 2}}),
    ],
    ids=[
        "fields of the document itself are not named",
        "inside of a field",
        "a known field is removed",
        "a field that is emptied",
        "two levels deep",
        "elements with an id move, go and come",
        "elements without an id that stay equal",
        "plain values",
        "an older document",
    ],
)
def test_fields_of_a_newer_version_are_kept(
    stored: dict[str, Any], before: dict[str, Any], after: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert keep_unknown_fields(stored, before, after) == expected
