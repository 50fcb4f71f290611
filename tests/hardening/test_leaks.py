"""A5: no log line and no metric says a token, a password, a session, or a word of what was written."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from parley_dev.stack import Stack
from support.api import Api
from support.tenants import World


async def test_logs_and_metrics_hold_no_secret(stack: Stack, api: Api, world: World) -> None:
    canaries = await _tour(world)
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


async def test_refusals_do_not_repeat_what_was_sent(world: World) -> None:
    canary = f"canary{secrets.token_hex(8)}"
    for path, body in (
        ("/auth/login", {"email": canary, "password": canary, "x": canary}),
        ("/auth/login", {"email": [canary], "password": {canary: 1}}),
        ("/auth/refresh", {"refresh_token": canary}),
        ("/operator/message", {"conversation_id": canary, "content": [canary]}),
        ("/invitations/accept", {"token": canary, "password": canary, "name": canary}),
    ):
        refused = await world.api.call("POST", f"/api/v1{path}", token=world.alex.token, body=body)
        assert refused.status >= 400
        assert canary not in refused.raw.decode(), path
        assert "Traceback" not in refused.raw.decode()
    for path in (f"/api/v1/{canary}", f"/api/v1/auth/me?token={canary}", f"/uploads/{canary}"):
        refused = await world.api.call("GET", path)
        assert refused.status in (401, 404)
        assert canary not in refused.raw.decode()


async def _tour(world: World) -> dict[str, str]:
    """Use everything that is secret, well and badly; what must not be found."""
    mark = secrets.token_hex(6)
    said = {
        what: f"canary-{what.replace(' ', '-')}-{mark}" for what in ("message", "answer", "note", "name", "password")
    }
    email = f"canary-{mark}@example.com"
    visitor, conversation_id = await world.taken()
    await visitor.say(said["message"])
    await world.alex.say(conversation_id, said["answer"])
    held = {"conversation_id": conversation_id}
    (await world.alex.post("/operator/note", {**held, "content": said["note"]})).ok()
    (await world.alex.post("/operator/translation/toggle", {**held, "enabled": True})).ok()
    (await visitor.post("/contact", name=said["name"], email=email)).ok()
    async with visitor.events() as widget:
        await widget.wait("ready")
    ticket = (await world.alex.post("/operator/stream-ticket")).ok()["ticket"]
    await _open(world.api, ticket)
    await _open(world.api, world.alex.token)
    login = await world.api.login(f"owner@{world.tenant}.test", "correct-horse-battery")
    key = (await world.owner.post("/api-keys", {"name": "Export"})).ok(201)["key"]
    (await world.api.call("GET", "/api/v1/auth/me", token=key)).ok()
    member = {"email": f"m{mark}@{world.tenant}.test", "name": "New", "site_ids": [world.site_id]}
    invited = (await world.owner.post("/team", member)).ok(201)["invitation"]["token"]
    accept = {"token": invited, "password": said["password"], "name": "New"}
    (await world.api.call("POST", "/api/v1/invitations/accept", body=accept)).ok()
    device = f"canary-device-{mark}-" + "d" * 100
    (await world.alex.post("/operator/fcm-token", {"token": device})).ok()
    # And what goes wrong.
    for token in (world.alex.token + "x", f"{mark}-canary-credential"):
        await world.api.call("GET", "/api/v1/auth/me", token=token)
        await world.api.call("GET", "/api/v1/operator/stream", query={"token": token})
        await world.api.call("GET", "/api/v1/operator/all-active-chats", query={"token": token})
    await world.api.call("POST", "/api/v1/auth/login", body={"email": email, "password": said["password"]})
    await world.api.call("POST", "/api/v1/operator/message", token=world.alex.token, data=said["message"].encode())
    await world.sam.post("/operator/message", {**held, "content": said["answer"]})
    await visitor.post("/stream", message=said["message"], lang=said["name"])
    await visitor.get("/history", limit=said["message"])
    return {
        **said,
        "visitor's address": email,
        "session": visitor.session_id,
        "operator's token": world.alex.token,
        "token's signature": world.alex.token.rpartition(".")[2],
        "ticket": ticket,
        "refresh token": login["refresh_token"],
        "API key": key,
        "invitation": invited,
        "device": device,
        "wrong credential": f"{mark}-canary-credential",
    }


async def _open(api: Api, token: str) -> None:
    async with api.http.get(f"{api.base}/api/v1/operator/stream", params={"token": token}) as response:
        assert response.status == 200
        await response.content.readany()


async def _metrics(api: Api, internal_url: str) -> str:
    async with api.http.get(f"{internal_url}/metrics") as response:
        assert response.status == 200
        return await response.text()


def _text(file: Path) -> str:
    return file.read_text(errors="replace")


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/readyz", "/internal/openapi", "/internal/login"])
async def test_the_inside_is_not_shown_outside(api: Api, path: str) -> None:
    reply = await api.call("GET", path)
    assert reply.status == (200 if path == "/healthz" else 404)
    assert b"mongodb" not in reply.raw
    assert b"amqp" not in reply.raw
