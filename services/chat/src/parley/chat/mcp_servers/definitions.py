"""What a server says of a tool, made into what a model may read: a name, a description, a schema without surprises.

Schemas of servers use more than Parley checks. Keywords that only narrow are left out, as the server checks its
arguments itself; references are replaced by what they refer to.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from parley.chat.mcp_servers.model import (
    MAX_DESCRIPTION_CHARACTERS,
    MAX_TOOL_NAME_CHARACTERS,
    AllowedTool,
    ListedTool,
    ToolFault,
    ToolState,
)
from parley.chat.tools.parameters import KEYWORDS, MAX_DEPTH, find_schema_error
from parley.common.texts import clean_text

_MAX_TITLE_CHARACTERS = 100
_MAX_SCHEMAS = 500
_MAX_FUNCTION_NAME = 64
_DIGEST_CHARACTERS = 8
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")
_REFERENCE = re.compile(r"#/(\$defs|definitions)/([^/~%]+)\Z")
_RESERVED = "no_answer"


class UnusableSchema(Exception):
    """A schema cannot be made one that a model may read."""


def describe_listed(
    name: str, title: str | None, description: str | None, schema: Mapping[str, Any], *, read_only_hint: bool
) -> ListedTool:
    """A tool of a server's list. What makes it unusable is its fault."""
    text = clean_text(description or "")
    parameters: Mapping[str, Any] = {"type": "object", "properties": {}}
    fault = _find_text_fault(name, text)
    try:
        parameters = simplify_schema(schema)
        if find_schema_error(parameters) is not None:
            raise UnusableSchema
    except UnusableSchema:
        fault = fault or "schema"
    return ListedTool(
        name[:MAX_TOOL_NAME_CHARACTERS],
        (" ".join(clean_text(title or "").split()) or name)[:_MAX_TITLE_CHARACTERS],
        text[:MAX_DESCRIPTION_CHARACTERS],
        parameters if fault is None else {},
        compute_fingerprint(name, description, schema),
        read_only_hint,
        fault,
    )


def _find_text_fault(name: str, description: str) -> ToolFault | None:
    if not name or name != clean_text(name) or len(name) > MAX_TOOL_NAME_CHARACTERS or _RESERVED in name:
        return "name"
    if not description:
        return "no_description"
    return "long_description" if len(description) > MAX_DESCRIPTION_CHARACTERS else None


def compute_fingerprint(name: str, description: str | None, schema: Mapping[str, Any]) -> str:
    """Of all that a model would act on."""
    whole = json.dumps([name, description, schema], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def build_function_name(server: str, tool: str) -> str:
    """By which the model calls a tool. No two of a site have the same name: those of other tools have no hyphen."""
    name = f"{server}-{_FOREIGN.sub('_', tool)}"
    if name == f"{server}-{tool}" and len(name) <= _MAX_FUNCTION_NAME:
        return name
    digest = hashlib.sha256(tool.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{name[: _MAX_FUNCTION_NAME - _DIGEST_CHARACTERS - 1]}_{digest}"


def compare(known: AllowedTool | ListedTool, fingerprint: str | None) -> ToolState:
    """What has become of a tool, by its fingerprint in the server's list of today; None if it is not there."""
    if fingerprint is None:
        return "missing"
    return "ok" if fingerprint == known.fingerprint else "changed"


def simplify_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema of the keywords that tools may use. Raises UnusableSchema."""
    simplified = _Simplifier(schema).simplify(schema, MAX_DEPTH - 1)
    return {"type": "object", **simplified} if isinstance(simplified, dict) else {"type": "object"}


class _Simplifier:
    """Replaces references, at most to a depth and for a number of schemas: one that refers to itself ends somewhere."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._schemas = 0

    def simplify(self, schema: object, depth: int) -> object:
        self._schemas += 1
        if self._schemas > _MAX_SCHEMAS:
            raise UnusableSchema
        if not isinstance(schema, Mapping):
            return schema if isinstance(schema, bool) else {}
        if depth <= 0:
            # Deeper, anything goes: the server checks it.
            return {}
        reference = schema.get("$ref")
        if isinstance(reference, str):
            siblings = {name: value for name, value in schema.items() if name != "$ref"}
            return self.simplify({**self._find(reference), **siblings}, depth - 1)
        return {
            name: self._simplify_value(name, value, depth - 1) for name, value in schema.items() if name in KEYWORDS
        }

    def _simplify_value(self, name: str, value: object, depth: int) -> object:
        if name == "properties" and isinstance(value, Mapping):
            return {key: self.simplify(one, depth) for key, one in value.items()}
        if name in ("items", "additionalProperties"):
            return self.simplify(value, depth)
        if name in ("anyOf", "oneOf") and isinstance(value, list):
            return [self.simplify(one, depth) for one in value]
        return value

    def _find(self, reference: str) -> Mapping[str, Any]:
        """What a reference within the schema refers to. Raises UnusableSchema."""
        match = _REFERENCE.match(reference)
        definitions = self._root.get(match[1]) if match else None
        target = definitions.get(match[2]) if match and isinstance(definitions, Mapping) else None
        if not isinstance(target, Mapping):
            raise UnusableSchema
        return target
