"""Several OpenAPI documents made one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

_MARK: dict[str, Document] = {
    "site_key": {"type": "string", "minLength": 1, "maxLength": 128},
    "session_id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{16,128}$"},
}
_EXAMPLE = {"site_key": "pk_0123456789abcdef", "session_id": "a-secret-the-widget-made"}
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Public:
    """What the public table says of an operation."""

    rate: str
    visitors: bool
    """Whether it is for visitors, who name site and session with everything."""


def merged(services: Mapping[str, Document], accounts: Document, public: Mapping[tuple[str, str], Public]) -> Document:
    """One document of the services' public operations and of the gateway's own."""
    shapes = {(method, _shape(path)): said for (method, path), said in public.items()}
    paths: dict[str, Document] = {}
    schemas: dict[str, Any] = dict(accounts["components"]["schemas"])
    for name, part in services.items():
        renamed = _settle(schemas, part.get("components", {}).get("schemas", {}), name)
        for path, item in part.get("paths", {}).items():
            for method in _METHODS:
                said = shapes.get((method.upper(), _shape(path)))
                if said is not None and method in item:
                    operation = _with_refs(item[method], renamed) | {"x-rate-class": said.rate}
                    operation = _visitors(operation, method, schemas) if said.visitors else operation
                    paths.setdefault(path, {})[method] = operation
    for path, item in accounts["paths"].items():
        paths.setdefault(path, {}).update(item)
    return _whole(dict(sorted(paths.items())), schemas)


def _whole(paths: dict[str, Document], schemas: dict[str, Any]) -> Document:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Parley",
            "version": "1",
            "description": "Live chat: an AI answers a site's visitors until a human operator takes over.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `POST /api/v1/auth/login`, or an API key.",
                }
            },
        },
    }


def _settle(schemas: dict[str, Any], more: Mapping[str, Any], service: str) -> dict[str, str]:
    """Add schemas; one that has the name of another but says something else is given its service's name besides."""
    renamed = {
        name: f"{service.title()}{name}" for name, schema in more.items() if name in schemas and schemas[name] != schema
    }
    for name, schema in more.items():
        schemas[renamed.get(name, name)] = _with_refs(schema, renamed)
    return renamed


def _with_refs(value: Any, renamed: Mapping[str, str]) -> Any:
    if not renamed:
        return value
    if isinstance(value, dict):
        return {
            key: _reference(child, renamed) if key == "$ref" else _with_refs(child, renamed)
            for key, child in value.items()
        }
    if isinstance(value, list):
        return [_with_refs(child, renamed) for child in value]
    return value


def _reference(reference: str, renamed: Mapping[str, str]) -> str:
    base, _, name = reference.rpartition("/")
    return f"{base}/{renamed.get(name, name)}"


def _visitors(operation: Document, method: str, schemas: Mapping[str, Any]) -> Document:
    """What a visitor sends with everything, where the service's own schema does not say so."""
    if method == "get":
        parameters = list(operation.get("parameters", []))
        named = {parameter["name"] for parameter in parameters}
        parameters += [
            {"name": name, "in": "query", "required": True, "schema": schema}
            for name, schema in _MARK.items()
            if name not in named
        ]
        return {**operation, "parameters": parameters}
    content = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        return operation
    mark = {"type": "object", "properties": _MARK, "required": list(_MARK)}
    json = content.get("application/json", {})
    schema = json.get("schema", mark)
    named = schemas.get(str(schema.get("$ref", "")).rpartition("/")[2], schema).get("properties", {})
    if not _MARK.keys() <= named.keys():
        schema = {"allOf": [schema, mark]}
    json = {**json, "schema": schema, "example": {**_EXAMPLE, **json.get("example", {})}}
    return {**operation, "requestBody": {"required": True, "content": {"application/json": json}}}


def _shape(path: str) -> str:
    """The path whatever its parameters are called."""
    return re.sub(r"{\w+(:[^}]*)?}", "{}", path)
