"""OpenAPI 3.1 from the route table: the schemas that validate are the schemas that are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from parley.common.http.routes import CallerType, Route
from parley.common.http.schemas import MAX_ID, ErrorResponse

_REF = "#/components/schemas/{model}"

_MEANING = {
    400: "The body is not JSON, or cannot be read.",
    401: "No credentials, or they are not valid any more.",
    403: "Yours to see, not to do: the site or the permission is missing.",
    404: "Not there, or not yours.",
    409: "Conflicts with the present state.",
    413: "Larger than allowed.",
    415: "Not a media type that is taken here.",
    422: "A field is missing or wrong; `errors` says which and why.",
    429: "Too many requests; `Retry-After` says when to try again.",
    500: "Something went wrong on our side.",
    502: "A part behind the gateway failed.",
    503: "A part is not available right now.",
    504: "A part behind the gateway is late.",
}


def build_openapi(routes: Iterable[Route]) -> dict[str, Any]:
    """`paths` and `components` for the public routes of a table."""
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
        "operationId": _name(route),
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


def _upload_schema(route: Route) -> dict[str, Any]:
    visitor = (
        {"site_key": {"type": "string"}, "session_id": {"type": "string"}}
        if route.caller_type is CallerType.VISITOR
        else {}
    )
    image = {"image": {"type": "string", "contentMediaType": "application/octet-stream"}}
    return {"type": "object", "properties": {**visitor, **image}, "required": [*visitor, "image"]}


def _responses(route: Route, refs: Any) -> dict[str, Any]:
    schema = refs[(route.response_model, "serialization")] if route.response_model is not None else {}
    # A stream has no schema: the whole of it is never there to be held against one.
    content = {"application/json": {"schema": schema}} if route.response_model else {route.response_media_type: {}}
    answers: dict[str, Any] = {str(route.status): {"description": route.summary, "content": content}}
    failure = {"application/json": {"schema": refs[(ErrorResponse, "serialization")]}}
    for status, meaning in _MEANING.items():
        answers[str(status)] = {"description": meaning, "content": failure}
    return answers


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


def _name(route: Route) -> str:
    words = [word for word in re.split(r"[/{}\-_:.]+", route.path.removeprefix("/api/v1")) if word]
    return route.method.lower() + "".join(word.title() for word in words)


def _tag(route: Route) -> str:
    parts = route.path.removeprefix("/api/v1/").split("/")
    return parts[0]
