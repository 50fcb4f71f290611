"""What servers say of their tools, made into what a model may read."""

from __future__ import annotations

import re
from typing import Any

import pytest

from parley.chat.mcp_servers.definitions import (
    UnusableSchema,
    build_function_name,
    describe_listed,
    simplify_schema,
)
from parley.chat.tools.parameters import find_schema_error, parse_arguments


def fingerprint(**fields: Any) -> str:
    tool: dict[str, Any] = {"name": "a", "title": "A", "description": "Does.", "schema": {"type": "object"}, **fields}
    return describe_listed(**tool, read_only_hint=False).fingerprint


def test_references_are_replaced_and_what_only_narrows_is_left_out() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "address": {"$ref": "#/$defs/Address", "description": "Where to."},
            "codes": {"type": "array", "items": {"type": "string", "pattern": "(a+)+$"}, "uniqueItems": True},
        },
        "required": ["address"],
        "$defs": {"Address": {"type": "object", "properties": {"zip": {"anyOf": [{"type": "string"}, True]}}}},
    }
    simplified = simplify_schema(schema)
    assert simplified == {
        "type": "object",
        "properties": {
            "address": {
                "type": "object",
                "properties": {"zip": {"anyOf": [{"type": "string"}, True]}},
                "description": "Where to.",
            },
            "codes": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["address"],
    }
    assert find_schema_error(simplified) is None


def test_a_schema_that_refers_to_itself_ends() -> None:
    tree = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}}}
    simplified = simplify_schema({**tree, "$defs": {"Tree": tree}})
    assert find_schema_error(simplified) is None
    assert parse_arguments(simplified, '{"children": [{"children": []}]}') == {"children": [{"children": []}]}
    endless = {"$ref": "#/$defs/Endless"}
    assert simplify_schema({**endless, "$defs": {"Endless": endless}}) == {"type": "object"}


@pytest.mark.parametrize("reference", ["#/$defs/b", "https://example.com/schema", "#", "#/properties/a"])
def test_a_reference_to_elsewhere_makes_a_schema_unusable(reference: str) -> None:
    with pytest.raises(UnusableSchema):
        simplify_schema({"type": "object", "properties": {"a": {"$ref": reference}}})


def test_a_schema_that_multiplies_is_refused() -> None:
    definitions = {
        f"d{level}": {"type": "object", "properties": {f"p{n}": {"$ref": f"#/$defs/d{level + 1}"} for n in range(10)}}
        for level in range(6)
    }
    with pytest.raises(UnusableSchema):
        simplify_schema({"$ref": "#/$defs/d0", "$defs": {**definitions, "d6": {"type": "string"}}})


def test_the_fingerprint_is_of_all_that_a_model_would_act_on() -> None:
    assert fingerprint() == fingerprint(title="Another title") == fingerprint(schema={"type": "object"})
    others = (
        {"name": "b"},
        {"description": "Does!"},
        {"description": "Does.\u200b"},
        {"schema": {"type": "object", "x": 1}},
    )
    assert len({fingerprint(), *(fingerprint(**other) for other in others)}) == 1 + len(others)


def test_function_names_fit_models_and_differ() -> None:
    names = ["status", "Status", "order.status", "order/status", "order_status", "x" * 64, "x" * 63 + "y", "注文"]
    functions = [build_function_name("shop", name) for name in names]
    assert functions[:2] == ["shop-status", "shop-Status"]
    assert len(set(functions)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", function) for function in functions)
