"""A14: pages of foreign sites can neither call the widget's API nor read an operator's."""

from __future__ import annotations

import pytest

from parley.gateway.routes import Credential
from parley_dev.stack import Stack
from support.api import ApiClient, ApiResponse
from support.routes import proxy_routes
from support.tenants import TenantFixture
from support.wait import wait_until

EVIL = "https://evil.test"


@pytest.fixture(scope="module")
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    """Its site takes calls from shop.test."""
    return await TenantFixture.create(api, stack, mongodb_uri)


def _cors(reply: ApiResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in reply.headers.items() if name.lower().startswith("access-control-")}


def _real(path: str) -> str:
    for name in ("site_id", "operator_id", "entry_id", "id"):
        path = path.replace(f"{{{name}}}", "1")
    return path


async def test_no_operator_route_answers_a_page(tenant: TenantFixture) -> None:
    for forward in proxy_routes(Credential.OPERATOR):
        path = _real(forward.path)
        for origin in (EVIL, "https://shop.test", "null"):
            asked = {"Origin": origin, "Access-Control-Request-Method": forward.method}
            preflight = await tenant.api.request("OPTIONS", path, headers=asked)
            assert preflight.status == 405, path
            assert not _cors(preflight), path
            refused = await tenant.api.request(forward.method, path, headers={"Origin": origin})
            assert refused.status == 401, path
            assert not _cors(refused), path
    read = await tenant.api.request("GET", "/api/v1/auth/me", token=tenant.owner.token, headers={"Origin": EVIL})
    assert read.status == 200
    assert not _cors(read)


@pytest.mark.parametrize(
    "origin",
    [
        EVIL,
        "https://shop.test.evil.test",
        "https://evilshop.test",
        "https://a.shop.test",
        "null",
        "file://",
        "shop.test",
    ],
)
async def test_every_widget_route_refuses_a_foreign_page(tenant: TenantFixture, origin: str) -> None:
    visitor = tenant.new_visitor()
    for forward in proxy_routes(Credential.VISITOR):
        if forward.path.endswith("upload-image"):
            continue  # The next test: its fields come in a form.
        query, body = (visitor.credentials, None) if forward.method == "GET" else (None, visitor.credentials)
        refused = await tenant.api.request(
            forward.method, forward.path, query=query, body=body, headers={"Origin": origin}
        )
        assert refused.status == 403, (forward.path, refused.raw)
        assert not _cors(refused), forward.path
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    preflight = await tenant.api.request("OPTIONS", "/api/v1/chat/stream", headers=asked)
    assert preflight.status == 403
    assert not _cors(preflight)


async def test_the_sites_own_page_may_ask_and_read(tenant: TenantFixture) -> None:
    own = {"Origin": "https://shop.test"}
    visitor = tenant.new_visitor()
    reply = await tenant.api.request("GET", "/api/v1/chat/config", query=visitor.credentials, headers=own)
    assert reply.status == 200
    assert _cors(reply)["access-control-allow-origin"] == "https://shop.test"
    assert "access-control-allow-credentials" not in _cors(reply)
    assert reply.headers["Vary"] == "Origin"


async def test_another_sites_domain_is_a_foreign_page(tenant: TenantFixture) -> None:
    await tenant.owner.post("/sites", {"name": "Blog", "domains": ["blog.test"]})
    visitor = tenant.new_visitor()
    foreign = {"Origin": "https://blog.test"}

    async def known() -> bool:
        asked = {**foreign, "Access-Control-Request-Method": "GET"}
        return (await tenant.api.request("OPTIONS", "/api/v1/chat/config", headers=asked)).status == 204

    await wait_until(known, description="the preflight names no site, so that any site's domain will do")
    refused = await tenant.api.request("GET", "/api/v1/chat/config", query=visitor.credentials, headers=foreign)
    assert refused.status == 403
    assert not _cors(refused)
