"""A tour of everything that is secret, with values that are easily found where they must not be."""

from __future__ import annotations

import secrets

from support.api import Api
from support.tenants import World


async def tour(world: World) -> dict[str, str]:
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
