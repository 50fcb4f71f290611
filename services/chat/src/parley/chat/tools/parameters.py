"""The parameters of tools: which JSON schemas a site may give, and whether arguments fit one.

Patterns are not allowed, as a regular expression of a site's manager could run for ever; nor are references, which a
schema needs for recursion. What remains is checked in a time that depends on the sizes alone, and these are bounded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from parley.chat.tools.model import MAX_ARGUMENT_CHARACTERS
from parley.common.errors import ValidationFailed

MAX_SCHEMA_CHARACTERS = 8000
MAX_DEPTH = 8
MAX_CHECKS = 50_000
"""Each value of the arguments may be checked by each part of the schema. That many take a third of a second."""
_MAX_MESSAGE_CHARACTERS = 200

KEYWORDS: Final = frozenset(
    (
        *("type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "oneOf"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
        *("minItems", "maxItems", "title", "description", "default", "examples", "format"),
    )
)
_SCALARS = ("string", "integer", "number", "boolean")


def find_schema_error(schema: Mapping[str, Any]) -> str | None:
    """Why a schema cannot describe a tool's parameters; None if it can."""
    if len(json.dumps(schema)) > MAX_SCHEMA_CHARACTERS:
        return f"must have at most {MAX_SCHEMA_CHARACTERS} characters"
    if schema.get("type") != "object":
        return "must describe an object"
    if fault := _find_keyword_fault(schema, MAX_DEPTH):
        return fault
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as exc:
        return f"is not a JSON schema: {exc.message[:_MAX_MESSAGE_CHARACTERS]}"
    return None


def _find_keyword_fault(schema: object, depth: int) -> str | None:
    if isinstance(schema, bool):
        return None
    if not isinstance(schema, Mapping):
        return "is not a JSON schema"
    if not depth:
        return f"must not be nested deeper than {MAX_DEPTH} times"
    for name, value in schema.items():
        if name not in KEYWORDS:
            return f"must not use the keyword {name[:40]}"
        inner: list[object] = []
        if name == "properties":
            inner = list(value.values()) if isinstance(value, Mapping) else [None]
        elif name in ("items", "additionalProperties"):
            inner = [value]
        elif name in ("anyOf", "oneOf"):
            inner = list(value) if isinstance(value, list) else [None]
        for one in inner:
            if fault := _find_keyword_fault(one, depth - 1):
                return fault
    return None


def is_required_scalar(schema: Mapping[str, Any], name: str) -> bool:
    """Whether each call has a text, a number or a truth value for a parameter."""
    described = schema.get("properties", {}).get(name)
    return isinstance(described, Mapping) and described.get("type") in _SCALARS and name in schema.get("required", ())


def parse_arguments(schema: Mapping[str, Any], text: str) -> dict[str, Any] | str:
    """The arguments of a call; in place of those that do not fit, why not. What the schema does not name is refused."""
    if len(text) > MAX_ARGUMENT_CHARACTERS:
        return "The arguments are too long."
    try:
        arguments = json.loads(
            text or "{}", parse_constant=_refuse_constant, parse_float=_read_float, parse_int=_read_int
        )
        # Half of a surrogate pair can be written in JSON, and in no request.
        json.dumps(arguments, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return "The arguments are not valid JSON."
    if not isinstance(arguments, dict):
        return "The arguments must be a JSON object."
    if _count_values(schema) * _count_values(arguments) > MAX_CHECKS:
        return "The arguments have too many values."
    for error in Draft202012Validator({"additionalProperties": False, **schema}).iter_errors(arguments):
        where = ".".join(map(str, error.absolute_path)) or "the arguments"
        return f"{where}: {error.message}"[:_MAX_MESSAGE_CHARACTERS]
    return arguments


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _read_float(text: str) -> float:
    """A number without a limit would become infinity, which is not JSON. Raises ValueError."""
    number = float(text)
    if math.isinf(number):
        raise ValueError("the number is too large")
    return number


def _read_int(text: str) -> int:
    """A number that can be compared with every other one. Raises ValueError."""
    _read_float(text)
    return int(text)


def _count_values(value: object) -> int:
    """The values in a JSON value, itself among them."""
    count, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        count += 1
        if isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return count


def check_arguments(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call that a manager tries. Raises ValidationFailed."""
    checked = parse_arguments(schema, json.dumps(arguments, ensure_ascii=False))
    if isinstance(checked, str):
        raise ValidationFailed({"arguments": checked})
    return checked
