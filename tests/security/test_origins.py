"""A14: pages of other origins can neither call the widget API nor read operator responses."""

from __future__ import annotations

import re

import pytest

from parley.gateway.routes import Credential
from parley_dev.stack import Stack
from support.api import ApiClient, ApiResponse
from support.routes import proxy_routes
from support.tenants import TenantFixture
from support.wait import wait_until

FOREIGN_ORIGIN = "https://evil.test"


@pytest.fixture(scope="module")
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    """A tenant whose site allows the origin shop.test."""
    return await TenantFixture.create(api, stack, mongodb_uri)


def _cors_headers(reply: ApiResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in reply.headers.items() if name.lower().startswith("access-control-")}


def _path_with_ids(path: str) -> str:
    return re.sub(r"\{\w+\}", "1", path)


async def test_operator_routes_have_no_cors_headers(tenant: TenantFixture) -> None:
    """A14: operator routes send no CORS headers and answer no preflight."""
    for forward in proxy_routes(Credential.OPERATOR):
        path = _path_with_ids(forward.path)
        for origin in (FOREIGN_ORIGIN, "https://shop.test", "null"):
            headers = {"Origin": origin, "Access-Control-Request-Method": forward.method}
            preflight = await tenant.api.request("OPTIONS", path, headers=headers)
            assert preflight.status == 405, path
            assert not _cors_headers(preflight), path
            rejected = await tenant.api.request(forward.method, path, headers={"Origin": origin})
            assert rejected.status == 401, path
            assert not _cors_headers(rejected), path
    read = await tenant.api.request(
        "GET", "/api/v1/auth/me", token=tenant.owner.token, headers={"Origin": FOREIGN_ORIGIN}
    )
    assert read.status == 200
    assert not _cors_headers(read)


@pytest.mark.parametrize(
    "origin",
    [
        FOREIGN_ORIGIN,
        "https://shop.test.evil.test",
        "https://evilshop.test",
        "https://a.shop.test",
        "null",
        "file://",
        "shop.test",
    ],
)
async def test_widget_routes_reject_foreign_origins(tenant: TenantFixture, origin: str) -> None:
    """A14: every widget route answers 403 to a page whose origin is not the site's."""
    visitor = tenant.new_visitor()
    for forward in proxy_routes(Credential.VISITOR):
        if forward.path.endswith(("upload-image", "upload-file")):
            continue  # Its fields are in a form.
        query, body = (visitor.credentials, None) if forward.method == "GET" else (None, visitor.credentials)
        rejected = await tenant.api.request(
            forward.method, forward.path, query=query, body=body, headers={"Origin": origin}
        )
        assert rejected.status == 403, (forward.path, rejected.raw)
        assert not _cors_headers(rejected), forward.path


async def test_the_sites_own_origin_is_allowed(tenant: TenantFixture) -> None:
    """A14: pages of the site's own domain may call the widget API and read the response."""
    own = {"Origin": "https://shop.test"}
    visitor = tenant.new_visitor()
    reply = await tenant.api.request("GET", "/api/v1/chat/config", query=visitor.credentials, headers=own)
    assert reply.status == 200
    assert _cors_headers(reply)["access-control-allow-origin"] == "https://shop.test"
    assert "access-control-allow-credentials" not in _cors_headers(reply)
    assert reply.headers["Vary"] == "Origin"


async def test_another_sites_domain_is_a_foreign_origin(tenant: TenantFixture) -> None:
    """A14: another site's domain is a foreign origin."""
    await tenant.owner.post("/sites", {"name": "Blog", "domains": ["blog.test"]})
    visitor = tenant.new_visitor()
    foreign = {"Origin": "https://blog.test"}

    async def is_known() -> bool:
        headers = {**foreign, "Access-Control-Request-Method": "GET"}
        return (await tenant.api.request("OPTIONS", "/api/v1/chat/config", headers=headers)).status == 204

    await wait_until(is_known, description="the new domain in preflights, which name no site")
    rejected = await tenant.api.request("GET", "/api/v1/chat/config", query=visitor.credentials, headers=foreign)
    assert rejected.status == 403
    assert not _cors_headers(rejected)
