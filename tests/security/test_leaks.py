"""A5: no log line and no metric says a token, a password, a session, or a word of what was written."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from parley_dev.stack import Stack
from support.api import ApiClient
from support.canaries import exercise_secrets
from support.tenants import TenantFixture


async def test_logs_and_metrics_hold_no_secret(stack: Stack, api: ApiClient, tenant: TenantFixture) -> None:
    canaries = await exercise_secrets(tenant)
    assert all(len(canary) >= 12 for canary in canaries.values())
    pages = {
        f"the metrics of {replica.name}": await _metrics(api, replica.internal_url) for replica in stack.all_processes()
    }
    logs = {f"the log of {file.name}": _text(file) for file in sorted(stack.logs.glob("*.log"))}
    assert len(pages) == len(logs) == len(stack.all_processes())
    assert all("parley_" in page for page in pages.values())
    found = [
        f"{where}: the {what}"
        for where, text in {**pages, **logs}.items()
        for what, canary in canaries.items()
        if canary in text
    ]
    assert not found


async def test_refusals_do_not_repeat_what_was_sent(tenant: TenantFixture) -> None:
    canary = f"canary{secrets.token_hex(8)}"
    for path, body in (
        ("/auth/login", {"email": canary, "password": canary, "x": canary}),
        ("/auth/login", {"email": [canary], "password": {canary: 1}}),
        ("/auth/refresh", {"refresh_token": canary}),
        ("/operator/message", {"conversation_id": canary, "content": [canary]}),
        ("/invitations/accept", {"token": canary, "password": canary, "name": canary}),
    ):
        refused = await tenant.api.request("POST", f"/api/v1{path}", token=tenant.alex.token, body=body)
        assert refused.status >= 400
        assert canary not in refused.raw.decode(), path
        assert "Traceback" not in refused.raw.decode()
    for path in (f"/api/v1/{canary}", f"/api/v1/auth/me?token={canary}", f"/uploads/{canary}"):
        refused = await tenant.api.request("GET", path)
        assert refused.status in (401, 404)
        assert canary not in refused.raw.decode()


async def _metrics(api: ApiClient, internal_url: str) -> str:
    async with api.http.get(f"{internal_url}/metrics") as response:
        assert response.status == 200
        return await response.text()


def _text(file: Path) -> str:
    return file.read_text(errors="replace")


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/readyz", "/internal/openapi", "/internal/login"])
async def test_the_inside_is_not_shown_outside(api: ApiClient, path: str) -> None:
    reply = await api.request("GET", path)
    assert reply.status == (200 if path == "/healthz" else 404)
    assert b"mongodb" not in reply.raw
    assert b"amqp" not in reply.raw
