"""`parley backup` while everything runs, and `parley restore` into an empty installation."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from parley_dev.stack import Stack
from support.api import ApiClient
from support.authorization_matrix import PDF
from support.infrastructure import NO_RATE_LIMITS, Infrastructure
from support.parley_cli import ParleyCli
from support.personal_data import create_visitor_with_data
from support.tenants import TenantFixture

pytestmark = pytest.mark.timeout(300)  # It starts a second installation.


async def parley(stack: Stack, *arguments: str) -> tuple[int, str, str]:
    """Run the administrators' command with chat's environment. Returns its exit code, output and errors."""
    completed = await ParleyCli(stack.environment("chat"))(*arguments)
    return completed.status, completed.out, completed.err


async def test_an_empty_installation_continues_where_the_backup_ended(
    stack: Stack, tenant: TenantFixture, infrastructure: Infrastructure, mongodb_uri: str, tmp_path: Path
) -> None:
    stored = await create_visitor_with_data(tenant)
    file = tmp_path / "parley.backup"
    code, out, err = await parley(stack, "backup", str(file), "--json")
    assert code == 0, err
    written = json.loads(out)
    assert written["documents"]["chat/conversations"] >= 1
    assert written["images"] >= 1
    assert written["files"] >= 1

    async with infrastructure.broker(tmp_path) as amqp_url:
        restored = Stack(
            mongodb_uri=mongodb_uri,
            amqp_url=amqp_url,
            directory=tmp_path / "restored",
            database_prefix=f"t{secrets.token_hex(4)}",
            secrets=stack.secrets,
            env={"gateway": NO_RATE_LIMITS},
            spawn=infrastructure.spawn,
        )
        code, out, err = await parley(restored, "restore", str(file), "--json")
        assert code == 0, err
        assert json.loads(out) == written
        try:
            await restored.start()
            await restored.wait_ready()
            await _assert_continues(restored, tenant, stored.visitor.session_id, stored.conversation_id, stored.canary)
            image_url = restored.gateway_url + urlsplit(stored.image_url).path
            async with ApiClient(restored.gateway_url) as api, api.http.get(image_url) as response:
                assert response.status == 200
                assert response.content_type.startswith("image/")
            file_url = restored.gateway_url + urlsplit(stored.file_url).path
            async with ApiClient(restored.gateway_url) as api, api.http.get(file_url) as response:
                assert (response.status, await response.read()) == (200, PDF)
        finally:
            await restored.stop()


async def _assert_continues(
    restored: Stack, tenant: TenantFixture, session_id: str, conversation_id: int, canary: str
) -> None:
    """People who were logged in go on: the operator reads the conversation, both write, nothing is numbered twice."""
    async with ApiClient(restored.gateway_url) as api:
        alex = api.operator(tenant.alex.token, tenant.alex.id, tenant.alex.name)
        before = (await alex.get(f"/conversations/{conversation_id}/messages")).ok()["messages"]
        assert any(canary in message["content"] for message in before)
        sent = await alex.send_message(conversation_id, "Back again.")
        assert sent["seq"] == before[-1]["seq"] + 1
        visitor = api.visitor(tenant.site_key, session_id)
        history = (await visitor.get("/history")).ok()["messages"]
        assert history[-1]["content"] == "Back again."
