"""Malformed cursors, timestamps out of range and odd paths are answered 4xx, never 5xx."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from typing import Any

import pytest
from yarl import URL

from parley_dev.stack import Stack
from support.api import ApiClient
from support.openapi_document import OpenApiDocument
from support.tenants import TenantFixture

_POSITIONS = (
    "[]",
    f"[{2**63}]",
    f"[{2**63}, {2**63}]",
    f"[0, {2**63}]",
    f"[{2**64 - 1}, {2**64 - 1}]",
    f"[{-(2**63) - 1}, 0]",
    f"[{10**400}, 1]",
    f"[{2**62}, 1]",
    "[1e308, 1e308]",
    f'[{2**63}, "a"]',
    f'[{2**62}, "a"]',
    '[0, "\\u0000"]',
    "[null, null]",
    '[{"$gt": 0}, {"$gt": 0}]',
)
CURSORS = (
    "",
    "%",
    "a",
    "\x00",
    "�".encode("utf-8", "surrogatepass"),
    "é" * 100,
    "A" * 300,
    *tuple(base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")[:300] for position in _POSITIONS),
)
MOMENTS = (
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-14:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "1e400",
    "-1e18",
    "NaN",
)
INTEGERS = (str(2**63), str(-(2**63) - 1), str(10**400), "1e999", "NaN", "\0", "١", "0x1", "1_0", "-0")
STRINGS = ("\0", "\u202e", "\ufdd0", "$where", "(", "x" * 5000)
SEGMENTS = (
    "%00",
    "%ff",
    "%ed%a0%80",
    "x" * 300,
    str(2**63),
    "9" * 400,
    "-1",
    "%2e%2e",
    "..%2f..%2fetc",
    "%0d%0aX:1",
    "١",
)


def _odd_values(parameter: dict[str, Any]) -> Iterator[Any]:
    schemas = parameter["schema"].get("anyOf", [parameter["schema"]])
    for schema in schemas:
        if parameter["name"] == "cursor":
            yield from CURSORS
        elif schema.get("format") == "date-time":
            yield from MOMENTS
        elif schema.get("type") == "integer":
            yield from INTEGERS
        elif schema.get("type") == "string":
            yield from STRINGS


@pytest.fixture(scope="module")
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    return await TenantFixture.create(api, stack, mongodb_uri)


@pytest.fixture(scope="module")
async def document(api: ApiClient) -> OpenApiDocument:
    return await OpenApiDocument.fetch(api)


def _integers(schema: Any, document: OpenApiDocument, where: str, seen: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """Yield each integer or number within a schema, with its place."""
    if isinstance(schema, list):
        for child in schema:
            yield from _integers(child, document, where, seen)
    elif isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            yield from _integers(
                document.content["components"]["schemas"][name], document, f"{where} {name}", seen | {name}
            )
        if schema.get("type") in ("integer", "number"):
            yield where, schema
        for key, child in schema.items():
            if key not in ("example", "examples", "default"):
                yield from _integers(child, document, f"{where}.{key}", seen)


async def test_every_number_that_a_client_sends_has_a_limit(document: OpenApiDocument) -> None:
    for method, path in document.operations:
        operation = document.operation(method, path)
        sent = [one["schema"] for one in operation.get("parameters", [])]
        sent.append(operation.get("requestBody", {}).get("content", {}))
        for where, schema in _integers(sent, document, f"{method} {path}", frozenset()):
            assert {"maximum", "exclusiveMaximum", "const", "enum"} & schema.keys(), f"{where} has no maximum"


async def test_odd_query_parameters_are_no_failure(
    tenant: TenantFixture, document: OpenApiDocument, api: ApiClient
) -> None:
    visitor = tenant.new_visitor()
    requests: list[tuple[str, dict[str, Any], dict[str, str]]] = []
    for method, path in document.operations:
        if method != "GET" or path.endswith(("/stream", "/events")):
            continue
        is_visitors = path.startswith("/api/v1/chat/")
        parameters = document.operation(method, path)["parameters"]
        base: dict[str, Any] = dict(visitor.credentials) if is_visitors else {}
        if any(one["name"] == "site_id" and one["in"] == "query" for one in parameters):
            base["site_id"] = str(tenant.site_id)
        headers = {} if is_visitors else {"Authorization": f"Bearer {tenant.owner.token}"}
        url = path.replace("{site_id}", str(tenant.site_id)).replace("{", "").replace("}", "").replace("/id", "/1")
        for parameter in parameters:
            if parameter["in"] == "query":
                requests += [(url, {**base, parameter["name"]: odd}, headers) for odd in _odd_values(parameter)]
    assert sum("cursor" in query for _, query, _ in requests) > 10 * len(CURSORS), "every list is tried"
    slots = asyncio.Semaphore(16)

    async def send(url: str, query: dict[str, Any], headers: dict[str, str]) -> str | None:
        encoded = {name: value if isinstance(value, str) else value.decode("latin-1") for name, value in query.items()}
        async with slots, api.http.get(api.base_url + url, params=encoded, headers=headers) as response:
            await response.read()
            return f"{response.status} {url} {encoded}"[:300] if response.status >= 500 else None

    failures = [one for one in await asyncio.gather(*(send(*request) for request in requests)) if one]
    assert not failures, "\n".join(failures)


async def test_odd_paths_are_no_failure(tenant: TenantFixture, document: OpenApiDocument, api: ApiClient) -> None:
    templates = {path for _, path in document.operations if "{" in path}
    templates |= {
        "/panel/{x}",
        "/panel/assets/{x}",
        "/widget/{x}",
        "/demo/{x}",
        "/docs/{x}",
        "/uploads/{x}",
        "/files/{x}/{x}",
        f"/files/{'a' * 32}/{{x}}",
        "/{x}",
        "/api/v1/{x}",
    }
    headers = {"Authorization": f"Bearer {tenant.owner.token}"}
    for template in sorted(templates):
        for segment in SEGMENTS:
            parts = [segment if part.startswith("{") else part for part in template.split("/")]
            url = URL(api.base_url + "/".join(parts), encoded=True)
            async with api.http.get(url, headers=headers, allow_redirects=False) as response:
                await response.read()
                assert response.status < 500, f"{response.status} {url}"
