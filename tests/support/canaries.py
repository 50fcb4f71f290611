"""Uses every kind of secret, with unique values (canaries) that a test can search for where they must not occur."""

from __future__ import annotations

import secrets

from support.api import ApiClient
from support.tenants import TenantFixture


async def exercise_secrets(tenant: TenantFixture) -> dict[str, str]:
    """Use every kind of secret, in valid and in invalid requests. Returns the canaries by what they are."""
    run_id = secrets.token_hex(6)
    texts = {
        what: f"canary-{what.replace(' ', '-')}-{run_id}" for what in ("message", "answer", "note", "name", "password")
    }
    email = f"canary-{run_id}@example.com"
    visitor, conversation_id = await tenant.assigned_conversation()
    await visitor.send_message(texts["message"])
    await tenant.alex.send_message(conversation_id, texts["answer"])
    conversation = {"conversation_id": conversation_id}
    (await tenant.alex.post("/operator/note", {**conversation, "content": texts["note"]})).ok()
    (await tenant.alex.post("/operator/translation/toggle", {**conversation, "enabled": True})).ok()
    (await visitor.post("/contact", name=texts["name"], email=email)).ok()
    async with visitor.events() as widget:
        await widget.wait_for("ready")
    ticket = (await tenant.alex.post("/operator/stream-ticket")).ok()["ticket"]
    await _open(tenant.api, ticket)
    await _open(tenant.api, tenant.alex.token)
    login = await tenant.api.login(f"owner@{tenant.name}.test", "correct-horse-battery")
    key = (await tenant.owner.post("/api-keys", {"name": "Export"})).ok(201)["key"]
    (await tenant.api.request("GET", "/api/v1/auth/me", token=key)).ok()
    member = {"email": f"m{run_id}@{tenant.name}.test", "name": "New", "site_ids": [tenant.site_id]}
    invited = (await tenant.owner.post("/team", member)).ok(201)["invitation"]["token"]
    accept = {"token": invited, "password": texts["password"], "name": "New"}
    (await tenant.api.request("POST", "/api/v1/invitations/accept", body=accept)).ok()
    device = f"canary-device-{run_id}-" + "d" * 100
    (await tenant.alex.post("/operator/fcm-token", {"token": device})).ok()
    # Invalid requests.
    for token in (tenant.alex.token + "x", f"{run_id}-canary-credential"):
        await tenant.api.request("GET", "/api/v1/auth/me", token=token)
        await tenant.api.request("GET", "/api/v1/operator/stream", query={"token": token})
        await tenant.api.request("GET", "/api/v1/operator/all-active-chats", query={"token": token})
    await tenant.api.request("POST", "/api/v1/auth/login", body={"email": email, "password": texts["password"]})
    await tenant.api.request(
        "POST", "/api/v1/operator/message", token=tenant.alex.token, data=texts["message"].encode()
    )
    await tenant.sam.post("/operator/message", {**conversation, "content": texts["answer"]})
    await visitor.post("/stream", message=texts["message"], lang=texts["name"])
    await visitor.get("/history", limit=texts["message"])
    return {
        **texts,
        "visitor's address": email,
        "session": visitor.session_id,
        "operator's token": tenant.alex.token,
        "token's signature": tenant.alex.token.rpartition(".")[2],
        "ticket": ticket,
        "refresh token": login["refresh_token"],
        "API key": key,
        "invitation": invited,
        "device": device,
        "wrong credential": f"{run_id}-canary-credential",
    }


async def _open(api: ApiClient, token: str) -> None:
    async with api.http.get(f"{api.base_url}/api/v1/operator/stream", params={"token": token}) as response:
        assert response.status == 200
        await response.content.readany()
