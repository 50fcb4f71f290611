"""Whether arguments fit a tool's parameters, and how much work that may be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from parley.chat.tools.parameters import find_schema_error, parse_arguments


def schema_of(**described: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"a": described}}
    assert find_schema_error(schema) is None
    return schema


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 400, "NaN", "-Infinity"])
@pytest.mark.parametrize("described", [{}, {"multipleOf": 0.5}])
def test_numbers_without_a_limit_are_refused(number: str, described: dict[str, Any]) -> None:
    schema = schema_of(type="number", **described)
    assert parse_arguments(schema, f'{{"a": {number}}}') == "The arguments are not valid JSON."
    assert parse_arguments(schema, '{"a": 9007199254740993}') == {"a": 9007199254740993}
    assert parse_arguments(schema, '{"a": 2.5}') == {"a": 2.5}


@pytest.mark.parametrize(
    "items",
    [
        {"anyOf": [*[False] * 1000, {}]},
        {"oneOf": [*[{"type": "null"}] * 300, {}]},
        {"enum": [*[[number] for number in range(900)], 1]},
    ],
    ids=["any of", "one of", "enum"],
)
def test_many_values_for_many_parts_of_a_schema_are_refused(items: dict[str, Any]) -> None:
    """A16: a request of 4 kB does not stop all others for seconds."""
    schema = schema_of(type="array", items=items)
    assert parse_arguments(schema, json.dumps({"a": [1] * 1000})) == "The arguments have too many values."
    assert parse_arguments(schema, json.dumps({"a": [1] * 20})) == {"a": [1] * 20}
