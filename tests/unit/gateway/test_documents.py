"""Several services' documents become one."""

from __future__ import annotations

from typing import Any

from parley.common.http.openapi import describe
from parley.gateway.auth.handlers import described
from parley.gateway.openapi.merge import Public, merged

SCHEMA = "#/components/schemas/"


def operation(body: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": SCHEMA + body}, "example": {"a": 1}}}
    return {"requestBody": {"content": content}, "x-rate-class": "read"}


def merge(paths: dict[str, Any], schemas: dict[str, Any], *, visitors: bool) -> dict[str, Any]:
    public = {("POST", "/p/{id}"): Public("write", visitors)}
    return merged({"chat": {"paths": paths, "components": {"schemas": schemas}}}, describe(described()), public)


def test_public_table_says_what_exists_and_how_it_is_counted() -> None:
    document = merge(
        {"/p/{other}": {"post": operation("B")}, "/q": {"post": operation("B")}}, {"B": {}}, visitors=False
    )
    assert "/q" not in document["paths"]
    assert document["paths"]["/p/{other}"]["post"]["x-rate-class"] == "write"


def test_visitors_name_site_and_session_where_the_service_does_not_say_so() -> None:
    body = merge({"/p/{id}": {"post": operation("B")}}, {"B": {"properties": {"a": {}}}}, visitors=True)
    content = body["paths"]["/p/{id}"]["post"]["requestBody"]["content"]["application/json"]
    own, mark = content["schema"]["allOf"]
    assert own == {"$ref": SCHEMA + "B"}
    assert mark["required"] == ["site_key", "session_id"]
    assert set(content["example"]) == {"a", "site_key", "session_id"}


def test_visitors_schema_that_names_them_is_left_alone() -> None:
    schemas: dict[str, Any] = {"B": {"properties": {"site_key": {}, "session_id": {}}}}
    body = merge({"/p/{id}": {"post": operation("B")}}, schemas, visitors=True)
    content = body["paths"]["/p/{id}"]["post"]["requestBody"]["content"]["application/json"]
    assert content["schema"] == {"$ref": SCHEMA + "B"}


def test_schema_with_a_name_that_is_taken_is_renamed_with_all_that_points_to_it() -> None:
    schemas = {"LoginBody": {"properties": {"x": {"$ref": SCHEMA + "Failure"}}}, "Failure": {"type": "null"}}
    document = merge({"/p/{id}": {"post": operation("LoginBody")}}, schemas, visitors=False)
    content = document["paths"]["/p/{id}"]["post"]["requestBody"]["content"]["application/json"]
    assert content["schema"] == {"$ref": SCHEMA + "ChatLoginBody"}
    found = document["components"]["schemas"]
    assert found["ChatLoginBody"]["properties"]["x"] == {"$ref": SCHEMA + "ChatFailure"}
    assert "email" in found["LoginBody"]["properties"]
