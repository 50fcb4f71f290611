"""Builds the OpenAPI 3.1 document from the route table, with the same schemas that validate requests."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from parley.common.auth.visitor_session import SESSION_ID_PATTERN
from parley.common.http.routes import CallerType, Route
from parley.common.http.schemas import MAX_ID, ErrorResponse

_REF = "#/components/schemas/{model}"

_STATUS_DESCRIPTIONS = {
    400: "The body is not JSON, or cannot be parsed.",
    401: "No credentials, or they are no longer valid.",
    403: "The caller lacks the permission, or is not on the site's team.",
    404: "Does not exist, or belongs to another tenant.",
    409: "Conflicts with the current state.",
    413: "Larger than allowed.",
    415: "The media type is not supported here.",
    422: "A field is missing or invalid; `errors` has the reasons by field.",
    429: "Too many requests; retry after the seconds in `Retry-After`.",
    500: "Internal error.",
    502: "A service behind the gateway failed.",
    503: "A dependency is unavailable.",
    504: "A service behind the gateway did not answer in time.",
}


def build_openapi(routes: Iterable[Route]) -> dict[str, Any]:
    """Return `paths` and `components` for the public routes of a table."""
    table = [route for route in routes if route.caller_type is not CallerType.GATEWAY]
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(ErrorResponse, "serialization")]
    for route in table:
        for model in (route.body, route.query):
            if model is not None and (model, "validation") not in models:
                models.append((model, "validation"))
        if route.response_model is not None and (route.response_model, "serialization") not in models:
            models.append((route.response_model, "serialization"))
    refs, definitions = models_json_schema(models, ref_template=_REF)
    paths: dict[str, Any] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, refs, definitions)
    return {"paths": paths, "components": {"schemas": definitions.get("$defs", {})}}


def _operation(route: Route, refs: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    security: list[dict[str, list[str]]] = [{"bearer": []}] if route.caller_type is CallerType.OPERATOR else []
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [_tag(route)],
        "security": security,
        "x-rate-class": str(route.rate_limit),
        "parameters": [*_path_parameters(route), *_query_parameters(route, refs, definitions)],
        "responses": _responses(route, refs),
    }
    if route.required_permission is not None:
        operation["x-permission"] = str(route.required_permission)
    if route.owner_only:
        operation["x-permission"] = "owner"
    if route.method == "POST":
        operation["parameters"].append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            }
        )
    if route.request_media_type == "multipart/form-data":
        operation["requestBody"] = {
            "required": True,
            "content": {route.request_media_type: {"schema": _upload_schema(route)}},
        }
    elif route.body is not None:
        content: dict[str, Any] = {"schema": refs[(route.body, "validation")]}
        if route.example:
            content["example"] = dict(route.example)
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    return operation


_IMAGE_DESCRIPTION = (
    "JPEG, PNG, GIF, WebP, HEIC or AVIF. The image is encoded again, without the metadata of its file; "
    "HEIC and AVIF become formats that all browsers show. Samples of 16 bits are scaled to 8 bits (256 shades)."
)


_FILE_DESCRIPTION = (
    "PDF, DOCX, XLSX, PPTX, ODT, text (UTF-8), MP3, M4A, OGG, WAV, WebM or MP4; recognized by its content. Other "
    "fields come before it."
)
_DURATION_SCHEMA = {
    "type": "number",
    "minimum": 0,
    "maximum": 86_400,
    "description": "Of a recording, in seconds.",
}


def _upload_schema(route: Route) -> dict[str, Any]:
    visitor = (
        {"site_key": {"type": "string"}, "session_id": {"type": "string", "pattern": SESSION_ID_PATTERN}}
        if route.caller_type is CallerType.VISITOR
        else {}
    )
    content = {"type": "string", "contentMediaType": "application/octet-stream"}
    uploaded: dict[str, Any] = {"image": {**content, "description": _IMAGE_DESCRIPTION}}
    if route.upload_field == "file":
        uploaded = {"duration": _DURATION_SCHEMA, "file": {**content, "description": _FILE_DESCRIPTION}}
    # The session id may also be in a header.
    required = [name for name in (*visitor, route.upload_field) if name != "session_id"]
    return {"type": "object", "properties": {**visitor, **uploaded}, "required": required}


def _responses(route: Route, refs: Any) -> dict[str, Any]:
    schema = refs[(route.response_model, "serialization")] if route.response_model is not None else {}
    # A stream never ends, so it has no schema.
    content: dict[str, Any] = {} if route.response_model else {route.response_media_type: {}}
    if route.response_model:
        # A file that can also be had as JSON has both.
        content = {route.response_media_type: {}, "application/json": {"schema": schema}}
    responses: dict[str, Any] = {str(route.status): {"description": route.summary, "content": content}}
    error = {"application/json": {"schema": refs[(ErrorResponse, "serialization")]}}
    for status, description in _STATUS_DESCRIPTIONS.items():
        responses[str(status)] = {"description": description, "content": error}
    return responses


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    schema = {"type": "integer", "minimum": 1, "maximum": MAX_ID}
    return [
        {"name": name, "in": "path", "required": True, "schema": schema} for name in re.findall(r"{(\w+)", route.path)
    ]


def _query_parameters(route: Route, refs: Any, definitions: dict[str, Any]) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    reference: str = refs[(route.query, "validation")]["$ref"]
    schema = definitions["$defs"][reference.rsplit("/", 1)[1]]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": field}
        for name, field in schema.get("properties", {}).items()
    ]


def _operation_id(route: Route) -> str:
    words = [word for word in re.split(r"[/{}\-_:.]+", route.path.removeprefix("/api/v1")) if word]
    return route.method.lower() + "".join(word.title() for word in words)


def _tag(route: Route) -> str:
    parts = route.path.removeprefix("/api/v1/").split("/")
    return parts[0]
