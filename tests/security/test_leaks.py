"""A5: logs, metrics and error responses contain no token, password, session or message text."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from parley_dev.stack import Stack
from support.api import ApiClient
from support.canaries import exercise_secrets
from support.tenants import TenantFixture


async def test_logs_and_metrics_contain_no_secret(stack: Stack, api: ApiClient, tenant: TenantFixture) -> None:
    """A5: logs and metrics contain no token, ticket, password, session, device or message text."""
    canaries = await exercise_secrets(tenant)
    assert all(len(canary) >= 12 for canary in canaries.values())
    pages = {
        f"the metrics of {replica.name}": await _metrics(api, replica.internal_url) for replica in stack.all_processes()
    }
    logs = {f"the log of {file.name}": _text(file) for file in sorted(stack.logs.glob("*.log"))}
    # The stack may have seeded the demo, whose log is read as well.
    assert len(pages) == len(stack.all_processes()) <= len(logs)
    assert all("parley_" in page for page in pages.values())
    leaked = [
        f"{where}: {what}"
        for where, text in {**pages, **logs}.items()
        for what, canary in canaries.items()
        if canary in text
    ]
    assert not leaked


async def test_error_responses_do_not_repeat_the_input(tenant: TenantFixture) -> None:
    """A5: error responses contain neither the rejected input nor a traceback."""
    canary = f"canary{secrets.token_hex(8)}"
    for path, body in (
        ("/auth/login", {"email": canary, "password": canary, "x": canary}),
        ("/auth/login", {"email": [canary], "password": {canary: 1}}),
        ("/auth/refresh", {"refresh_token": canary}),
        ("/operator/message", {"conversation_id": canary, "content": [canary]}),
        ("/invitations/accept", {"token": canary, "password": canary, "name": canary}),
    ):
        rejected = await tenant.api.request("POST", f"/api/v1{path}", token=tenant.alex.token, body=body)
        assert rejected.status >= 400
        assert canary not in rejected.raw.decode(), path
        assert "Traceback" not in rejected.raw.decode()
    for path in (f"/api/v1/{canary}", f"/api/v1/auth/me?token={canary}", f"/uploads/{canary}"):
        rejected = await tenant.api.request("GET", path)
        assert rejected.status in (401, 404)
        assert canary not in rejected.raw.decode()


async def _metrics(api: ApiClient, internal_url: str) -> str:
    async with api.http.get(f"{internal_url}/metrics") as response:
        assert response.status == 200
        return await response.text()


def _text(file: Path) -> str:
    return file.read_text(errors="replace")


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/readyz", "/internal/openapi", "/internal/login"])
async def test_internal_endpoints_are_not_public(api: ApiClient, path: str) -> None:
    """A5: internal endpoints are 404 at the gateway, and errors do not show internals."""
    reply = await api.request("GET", path)
    assert reply.status == (200 if path == "/healthz" else 404)
    assert b"mongodb" not in reply.raw
    assert b"amqp" not in reply.raw
