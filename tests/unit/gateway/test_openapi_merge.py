"""The OpenAPI documents of the services are merged into one."""

from __future__ import annotations

from typing import Any

from parley.common.http.openapi import build_openapi
from parley.gateway.auth.routes import documented_routes
from parley.gateway.openapi.merge import Document, PublicOperation, merge_openapi

SCHEMAS = "#/components/schemas/"


def operation(body_schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": SCHEMAS + body_schema}, "example": {"a": 1}}}
    return {"requestBody": {"content": content}, "x-rate-class": "read"}


def merge(paths: dict[str, Any], schemas: dict[str, Any], *, for_visitors: bool) -> Document:
    public = {("POST", "/p/{id}"): PublicOperation("write", for_visitors)}
    chat = {"paths": paths, "components": {"schemas": schemas}}
    return merge_openapi({"chat": chat}, build_openapi(documented_routes()), public)


def get_body(document: Document) -> Any:
    return document["paths"]["/p/{id}"]["post"]["requestBody"]["content"]["application/json"]


def test_document_contains_only_public_operations_with_their_rate_class() -> None:
    paths = {"/p/{other}": {"post": operation("B")}, "/q": {"post": operation("B")}}
    document = merge(paths, {"B": {}}, for_visitors=False)
    assert "/q" not in document["paths"]
    assert document["paths"]["/p/{other}"]["post"]["x-rate-class"] == "write"


def test_site_key_and_session_id_are_added_to_visitors_bodies() -> None:
    document = merge({"/p/{id}": {"post": operation("B")}}, {"B": {"properties": {"a": {}}}}, for_visitors=True)
    body = get_body(document)
    own_schema, visitor_schema = body["schema"]["allOf"]
    assert own_schema == {"$ref": SCHEMAS + "B"}
    assert visitor_schema["required"] == ["site_key"], "the session id may be in the header"
    assert set(visitor_schema["properties"]) == {"site_key", "session_id"}
    assert set(body["example"]) == {"a", "site_key", "session_id"}


def test_visitors_schema_that_contains_site_key_and_session_id_is_not_changed() -> None:
    schemas: dict[str, Any] = {"B": {"properties": {"site_key": {}, "session_id": {}}}}
    document = merge({"/p/{id}": {"post": operation("B")}}, schemas, for_visitors=True)
    assert get_body(document)["schema"] == {"$ref": SCHEMAS + "B"}


def test_schema_with_a_conflicting_name_is_renamed_with_its_references() -> None:
    schemas = {
        "LoginBody": {"properties": {"x": {"$ref": SCHEMAS + "ErrorResponse"}}},
        "ErrorResponse": {"type": "null"},
    }
    document = merge({"/p/{id}": {"post": operation("LoginBody")}}, schemas, for_visitors=False)
    assert get_body(document)["schema"] == {"$ref": SCHEMAS + "ChatLoginBody"}
    merged = document["components"]["schemas"]
    assert merged["ChatLoginBody"]["properties"]["x"] == {"$ref": SCHEMAS + "ChatErrorResponse"}
    assert "email" in merged["LoginBody"]["properties"]
