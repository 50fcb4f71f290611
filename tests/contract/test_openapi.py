"""The OpenAPI document is valid, and describes every response of every endpoint."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from parley.gateway.routes import Credential
from parley_dev.stack import Stack
from support.api import ApiClient, ApiResponse
from support.api_tour import ApiTour, call_every_endpoint
from support.authorization_matrix import ask_the_unknown
from support.openapi_document import OpenApiDocument
from support.routes import proxy_routes
from support.tenants import TenantFixture

ID_PARAMETERS = (
    *("site_id", "operator_id", "entry_id", "source_id", "document_id"),
    *("secret_id", "tool_id", "server_id", "trigger_id", "action_id", "test_id", "run_id"),
    *("gap_id", "correction_id", "id"),
)
"""Parameters of paths."""

GATEWAY_ENDPOINTS = {
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/logout"),
    ("POST", "/api/v1/invitations/accept"),
}
"""Endpoints that the gateway answers itself."""


@pytest.fixture(scope="module")
async def document(api: ApiClient) -> OpenApiDocument:
    return await OpenApiDocument.fetch(api)


async def test_the_document_is_valid_openapi_3_1(document: OpenApiDocument) -> None:
    assert document.content["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document.content).validate()


async def test_the_document_describes_exactly_the_public_routes(document: OpenApiDocument) -> None:
    public = {(one.method, one.path) for one in proxy_routes(Credential.OPERATOR, Credential.VISITOR)}
    assert set(document.operations) == public | GATEWAY_ENDPOINTS
    names = [document.operation(*one)["operationId"] for one in document.operations]
    assert len(names) == len(set(names)), "operationIds are unique"


async def test_every_example_matches_its_schema(document: OpenApiDocument) -> None:
    for method, path in document.operations:
        content = document.operation(method, path).get("requestBody", {}).get("content", {})
        if "application/json" in content:
            media_type = content["application/json"]
            document.validate(media_type["schema"], media_type["example"], f"the example of {method} {path}")


@pytest.fixture(scope="module")
async def api_tour(stack: Stack, api: ApiClient, mongodb_uri: str, document: OpenApiDocument) -> ApiTour:
    tour = ApiTour(await TenantFixture.create(api, stack, mongodb_uri), document)
    await ask_the_unknown(tour.tenant)
    await call_every_endpoint(tour)
    return tour


async def test_every_successful_response_matches_the_document(api_tour: ApiTour, document: OpenApiDocument) -> None:
    succeeded = {one for one, statuses in document.observed_statuses.items() if statuses & {200, 201}}
    assert succeeded == set(document.operations), "every operation is called"


async def test_every_error_response_matches_the_document(
    api_tour: ApiTour, document: OpenApiDocument, api: ApiClient
) -> None:
    for method, path in document.operations:
        real = path
        for name in ID_PARAMETERS:
            real = real.replace(f"{{{name}}}", str(2**52))
        real = real.replace("{", "").replace("}", "")
        secured = bool(document.operation(method, path)["security"])
        # Without credentials; an invalid body; one that is too large; a media type that is not supported.
        for request in (
            {},
            {"data": b"{", "headers": {"Content-Type": "application/json"}},
            {"data": b" " * 70_000, "headers": {"Content-Type": "application/json"}},
            {"data": b"a=b", "headers": {"Content-Type": "text/plain"}},
        ):
            for token in (None, api_tour.tenant.owner.token) if secured else (None,):
                if method == "GET" and request:
                    continue
                reply = await _call(api, method, real, token, request)
                if reply is not None:
                    document.check(method, real, reply)


async def _call(api: ApiClient, method: str, path: str, token: str | None, request: Any) -> ApiResponse | None:
    """Send a request. Returns None when the response is a stream."""
    headers = {**request.get("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
    timeout = aiohttp.ClientTimeout(total=10)
    async with api.http.request(
        method, api.base_url + path, data=request.get("data"), headers=headers, timeout=timeout
    ) as response:
        if response.content_type == "text/event-stream":
            return None
        return ApiResponse(response.status, dict(response.headers), await response.read())


async def test_a_wrong_method_is_405_and_lists_the_allowed_ones(document: OpenApiDocument, api: ApiClient) -> None:
    for path in document.content["paths"]:
        real = path
        for name in ID_PARAMETERS:
            real = real.replace(f"{{{name}}}", "1")
        reply = await api.request("TRACE", real)
        assert reply.status == 405, path
        allowed = set(reply.headers["Allow"].replace(" ", "").split(","))
        assert {method.upper() for method in document.content["paths"][path]} <= allowed
        assert reply.body["code"] == "method_not_allowed"
