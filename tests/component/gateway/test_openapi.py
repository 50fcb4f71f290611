"""The merged OpenAPI document, and the page that shows it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from component.gateway.harness import FakeBackend, Gateway

Start = Callable[..., Awaitable[Gateway]]


async def test_openapi_document_is_merged_from_all_services(backend: FakeBackend, start_gateway: Start) -> None:
    gateway = await start_gateway()

    def operation(schema: str) -> dict[str, Any]:
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
        return {"summary": "x", "responses": {"200": {"content": content}}}

    backend.documents["chat"] = {
        "paths": {
            "/api/v1/operator/accept/{conversation_id}": {"post": operation("Changed")},
            "/api/v1/chat/history": {"get": operation("Changed")},
            "/api/v1/not/in/the/table": {"get": operation("Changed")},
        },
        "components": {"schemas": {"Changed": {"type": "object"}}},
    }
    backend.documents["presence"] = {
        "paths": {"/api/v1/operator/heartbeat": {"post": operation("Changed")}},
        "components": {"schemas": {"Changed": {"type": "string"}}},
    }
    async with gateway.get("/api/v1/openapi.json") as response:
        assert response.status == 200
        document = await response.json()
    assert document["openapi"] == "3.1.0"
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert set(document["paths"]) == {
        "/api/v1/auth/login",
        "/api/v1/auth/logout",
        "/api/v1/auth/refresh",
        "/api/v1/invitations/accept",
        "/api/v1/chat/history",
        "/api/v1/operator/accept/{conversation_id}",
        "/api/v1/operator/heartbeat",
    }
    heartbeat = document["paths"]["/api/v1/operator/heartbeat"]["post"]["responses"]["200"]["content"]
    name = heartbeat["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert document["components"]["schemas"][name] == {"type": "string"}
    history = document["paths"]["/api/v1/chat/history"]["get"]["parameters"]
    assert {(parameter["in"], parameter["name"], parameter["required"]) for parameter in history} == {
        ("query", "site_key", True),
        ("query", "session_id", False),
        ("header", "X-Parley-Session", False),
    }
    backend.documents.clear()


async def test_docs_page_loads_nothing_from_other_hosts(gateway: Gateway) -> None:
    async with gateway.get("/docs") as response:
        assert response.status == 200
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        page = await response.text()
    assert not re.search(r"https?://", page)
    files = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert {"/docs/page.js", "/docs/page.css"} <= set(files)
    for file in files:
        async with gateway.get(file) as response:
            assert response.status == 200
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert not re.search(r"https?://(?!localhost)", await response.text())
