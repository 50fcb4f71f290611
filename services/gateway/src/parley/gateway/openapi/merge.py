"""Merges the OpenAPI documents of the services into one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from parley.common.auth.visitor_session import SESSION_HEADER, SESSION_ID_PATTERN

Document = dict[str, Any]

_VISITOR_PROPERTIES: dict[str, Document] = {
    "site_key": {"type": "string", "minLength": 1, "maxLength": 128},
    "session_id": {
        "type": "string",
        "pattern": SESSION_ID_PATTERN,
        "description": f"Required unless the header {SESSION_HEADER} carries it.",
    },
}
_REQUIRED_VISITOR_PROPERTIES = ("site_key",)
_SESSION_PARAMETER: Document = {
    "name": SESSION_HEADER,
    "in": "header",
    "required": False,
    "description": "The visitor's session id, instead of `session_id`; it stays out of the logs of proxies.",
    "schema": {"type": "string", "pattern": SESSION_ID_PATTERN},
}
_VISITOR_EXAMPLE = {"site_key": "pk_0123456789abcdef", "session_id": "a-secret-the-widget-made"}
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class PublicOperation:
    """What the public route table declares about an operation."""

    rate_limit: str
    for_visitors: bool
    """Whether the caller is a visitor, whose requests contain site key and session id."""


def merge_openapi(
    services: Mapping[str, Document], gateway: Document, public: Mapping[tuple[str, str], PublicOperation]
) -> Document:
    """Return one document of the services' operations that are `public` (by method and path), and the gateway's own."""
    declared = {(method, _without_parameter_names(path)): operation for (method, path), operation in public.items()}
    paths: dict[str, Document] = {}
    schemas: dict[str, Any] = dict(gateway["components"]["schemas"])
    for name, document in services.items():
        renamed = _add_schemas(schemas, document.get("components", {}).get("schemas", {}), name)
        for path, item in document.get("paths", {}).items():
            for method in _METHODS:
                declaration = declared.get((method.upper(), _without_parameter_names(path)))
                if declaration is not None and method in item:
                    operation = _rename_refs(item[method], renamed) | {"x-rate-class": declaration.rate_limit}
                    if declaration.for_visitors:
                        operation = _add_visitor_properties(operation, method, schemas)
                    paths.setdefault(path, {})[method] = operation
    for path, item in gateway["paths"].items():
        paths.setdefault(path, {}).update(item)
    return _build_document(dict(sorted(paths.items())), schemas)


def _build_document(paths: dict[str, Document], schemas: dict[str, Any]) -> Document:
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


def _add_schemas(schemas: dict[str, Any], added: Mapping[str, Any], service: str) -> dict[str, str]:
    """Add the schemas of a service; one that differs from a schema of the same name gets the service's name as prefix.

    Returns the new names by the old ones.
    """
    renamed = {
        name: f"{service.title()}{name}"
        for name, schema in added.items()
        if name in schemas and schemas[name] != schema
    }
    for name, schema in added.items():
        schemas[renamed.get(name, name)] = _rename_refs(schema, renamed)
    return renamed


def _rename_refs(value: Any, renamed: Mapping[str, str]) -> Any:
    if not renamed:
        return value
    if isinstance(value, dict):
        return {
            key: _rename_ref(child, renamed) if key == "$ref" else _rename_refs(child, renamed)
            for key, child in value.items()
        }
    if isinstance(value, list):
        return [_rename_refs(child, renamed) for child in value]
    return value


def _rename_ref(reference: str, renamed: Mapping[str, str]) -> str:
    base, _, name = reference.rpartition("/")
    return f"{base}/{renamed.get(name, name)}"


def _add_visitor_properties(operation: Document, method: str, schemas: Mapping[str, Any]) -> Document:
    """Add the session's header, and site key and session id where the service's own schema does not contain them."""
    parameters = [*operation.get("parameters", []), _SESSION_PARAMETER]
    operation = {**operation, "parameters": parameters}
    if method == "get":
        names = {parameter["name"] for parameter in parameters}
        parameters += [
            {"name": name, "in": "query", "required": name in _REQUIRED_VISITOR_PROPERTIES, "schema": schema}
            for name, schema in _VISITOR_PROPERTIES.items()
            if name not in names
        ]
        return operation
    content = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        return operation
    visitor_schema = {
        "type": "object",
        "properties": _VISITOR_PROPERTIES,
        "required": list(_REQUIRED_VISITOR_PROPERTIES),
    }
    json = content.get("application/json", {})
    schema = json.get("schema", visitor_schema)
    resolved = schemas.get(str(schema.get("$ref", "")).rpartition("/")[2], schema)
    if not _VISITOR_PROPERTIES.keys() <= resolved.get("properties", {}).keys():
        schema = {"allOf": [schema, visitor_schema]}
    json = {**json, "schema": schema, "example": {**_VISITOR_EXAMPLE, **json.get("example", {})}}
    return {**operation, "requestBody": {"required": True, "content": {"application/json": json}}}


def _without_parameter_names(path: str) -> str:
    return re.sub(r"{\w+(:[^}]*)?}", "{}", path)
