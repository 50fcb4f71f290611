"""A person on several devices: what joins, what operators see of it, and the documented programs that sign tokens."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

import pytest

from parley.common.auth.identity import IDENTITY_HEADER, IdentitySigner, VisitorCaller
from parley.common.auth.visitor_session import session_handle
from parley_dev.stack import Stack
from support.api import ApiClient
from support.authorization_matrix import PDF, file_form, image_form, make_image
from support.identity import SiteServer, identify
from support.personal_data import Databases
from support.tenants import TenantFixture
from support.wait import wait_until

EXAMPLES = Path(__file__).parents[2] / "docs/identify"
INTERPRETERS = {
    "token.py": ["python3"],
    "token.mjs": ["node"],
    "token.php": ["php"],
    "token.rb": ["ruby"],
    "token.go": ["go", "run"],
}


@pytest.fixture
async def server(tenant: TenantFixture) -> SiteServer:
    return await SiteServer.create(tenant.owner, tenant.site_id)


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.iterdir()))
async def test_a_documented_program_signs_a_token_that_is_accepted(
    tenant: TenantFixture, server: SiteServer, example: str
) -> None:
    program, *arguments = INTERPRETERS[example]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine")
    command = [*arguments, str(EXAMPLES / example), "customer-7", "Jane Doe", "jane@shop.test"]
    environment = {**os.environ, "CHAT_IDENTITY_SECRET": server.secret}
    process = await asyncio.create_subprocess_exec(program, *command, env=environment, stdout=asyncio.subprocess.PIPE)
    token, _ = await process.communicate()
    visitor = tenant.new_visitor()
    details = (await identify(visitor, token.decode().strip())).ok()["visitor"]
    assert (details["name"], details["email"]) == ("Jane Doe", "jane@shop.test")


async def test_an_operators_chat_goes_on_when_its_visitor_logs_in(tenant: TenantFixture, server: SiteServer) -> None:
    """What the visitor began before the login joins the person's history, and their older open chat ends."""
    laptop, phone = tenant.new_visitor(), tenant.new_visitor()
    await server.identify(phone, "customer-1", name="Jane", attributes={"plan": "gold", "orders": 3})
    older = (await phone.send_message("From the phone"))["conversation_id"]
    (await laptop.post("/contact", name="J", phone="+49 30 1234567")).ok()
    newer = (await laptop.send_message("From the laptop", message_id="sent-before"))["conversation_id"]
    (await laptop.post("/handoff")).ok()
    (await tenant.alex.post(f"/operator/accept/{newer}")).ok()
    await tenant.alex.send_message(newer, "How can I help?")
    before = (await laptop.get("/history")).ok()["messages"]
    async with tenant.alex.stream() as panel, phone.events() as widget:
        await panel.wait_for("ready")
        await widget.wait_for("ready")
        answer = await server.identify(laptop, "customer-1")
        assert (answer["joined"], answer["conversation_id"], answer["mode"]) == (True, newer, "operator")
        joined = (await panel.wait_for("conversation.joined")).data
        assert joined["data"]["from_session_id"] != joined["data"]["conversation"]["visitor"]["session_id"]
        assert (joined["conversation_id"], joined["data"]["operator"]["id"]) == (newer, tenant.alex.id)
        shown = (await widget.wait_for("conversation.joined")).data["data"]
        assert shown == {"mode": "operator", "operator": joined["data"]["operator"]}
        await tenant.alex.send_message(newer, "On both devices")
        await widget.wait_for("message.created", lambda event: event.data["data"]["content"] == "On both devices")
    assert (await phone.get("/history")).ok()["messages"][:-1] == before, "nothing is lost or doubled"
    again = await laptop.send_message("From the laptop", message_id="sent-before")
    assert again["conversation_id"] == newer
    assert len((await laptop.get("/history")).ok()["messages"]) == len(before) + 1, "it was sent before"
    unchanged = await server.identify(laptop, "customer-1")
    assert (unchanged["session_id"], unchanged["joined"]) == (None, True)
    details = (await tenant.alex.get(f"/operator/conversation/{newer}")).ok()["conversation"]
    assert [entry["action"] for entry in details["history"]][-1] == "joined"
    visitor = details["visitor"]
    assert (visitor["name"], visitor["phone"], visitor["verified_fields"]) == ("Jane", "+49 30 1234567", ["name"])
    assert visitor["attributes"] == {"plan": "gold", "orders": 3}
    closed = (await tenant.alex.get(f"/operator/conversation/{older}")).ok()["conversation"]
    assert (closed["mode"], closed["history"][-1]["action"]) == ("closed", "closed_for_newer")
    leads = (await tenant.owner.get(f"/sites/{tenant.site_id}/leads")).ok()["leads"]
    assert [lead["external_id"] for lead in leads] == ["customer-1"], "one lead, not two"

    async def is_found() -> bool:
        hits = (await tenant.alex.get("/operator/search", q="customer-1")).ok()["hits"]
        return {hit["conversation"]["id"] for hit in hits} == {older, newer}

    await wait_until(is_found)


async def test_nobody_escapes_a_block_by_logging_in(tenant: TenantFixture, server: SiteServer) -> None:
    device, other = tenant.new_visitor(), tenant.new_visitor()
    blocked_id = (await device.send_message("Spam"))["conversation_id"]
    block = {"blocked": True, "block_type": "both"}
    (await tenant.alex.post(f"/operator/conversation/{blocked_id}/block", block)).ok()
    anonymous = tenant.api.visitor(tenant.site_key, device.session_id)
    await server.identify(device, "customer-2")
    await server.identify(other, "customer-2")
    for visitor in (device, other):
        assert (await visitor.post("/stream", message="More")).body["code"] == "visitor_blocked"
    assert (await anonymous.post("/stream", message="More")).body["code"] == "session_ended"


async def test_an_export_and_an_erasure_reach_all_devices_of_a_person(
    tenant: TenantFixture, server: SiteServer, stack: Stack, mongodb_uri: str
) -> None:
    canary = f"canary{secrets.token_hex(8)}"
    devices = [tenant.new_visitor() for _ in range(2)]
    for device in devices:
        await device.send_message(f"{canary} before")
        answer = await server.identify(device, f"{canary}-id", email=f"{canary}@shop.test", attributes={"a": canary})
    await devices[0].send_message(f"{canary} after")
    subject = {"site_id": tenant.site_id, "session_id": answer["visitor"]["session_id"]}
    export = (await tenant.owner.get("/operator/visitor/export", **subject)).ok()["export"]
    assert len(export["conversations"]) == 2
    assert export["visitor"]["external_id"] == f"{canary}-id"
    assert export["visitor"]["attributes"] == {"a": canary}
    assert (await tenant.owner.post("/operator/visitor/erase", subject)).ok()["erased"]["conversations"] == 2
    databases = Databases.of_stack(stack, mongodb_uri)

    refused = await identify(devices[0], server.sign(f"{canary}-id"))
    assert (refused.status, refused.body["code"]) == (409, "visitor_erased"), "until the erasure is complete"
    await databases.finish_erasures(tenant.site_id)
    await databases.wait_erased(canary)


async def test_an_identified_visitor_who_never_wrote_is_no_lead(tenant: TenantFixture, server: SiteServer) -> None:
    await server.identify(tenant.new_visitor(), "customer-3", email="customer-3@shop.test")
    leads = (await tenant.owner.get(f"/sites/{tenant.site_id}/leads")).ok()["leads"]
    assert leads == []


async def test_a_file_uploaded_by_a_visitor_who_never_wrote_is_the_persons(
    tenant: TenantFixture, server: SiteServer
) -> None:
    device, person = tenant.new_visitor(), secrets.token_hex(8)
    form = file_form(PDF, **device.credentials)
    file = (await tenant.api.request("POST", "/api/v1/chat/upload-file", data=form)).ok()["file"]
    await server.identify(device, person)
    conversation_id = (await device.send_message("", file_id=file["id"]))["conversation_id"]
    shown = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    assert shown["messages"][0]["file"]["id"] == file["id"]


async def test_what_is_late_is_the_persons(
    tenant: TenantFixture, server: SiteServer, stack: Stack, mongodb_uri: str
) -> None:
    """The gateway has let in uploads, details and a rating; then the session is joined, and they reach the chat."""
    device, bystander = tenant.new_visitor(), tenant.new_visitor()
    first = (await device.send_message("Before"))["conversation_id"]
    await server.identify(bystander, "customer-9")
    before = VisitorCaller(
        await Databases.of_stack(stack, mongodb_uri).get_tenant_id(tenant.site_id),
        tenant.site_id,
        session_handle(tenant.site_id, device.session_id),
    )
    identity = {IDENTITY_HEADER: IdentitySigner(stack.environment("gateway")["PARLEY_IDENTITY_SECRET"]).sign(before)}
    sent = device.credentials
    details = (await server.identify(device, "customer-8"))["visitor"]
    async with ApiClient(stack.processes("chat")[0].url) as chat:

        async def post(path: str, **request: Any) -> dict[str, Any]:
            return (await chat.request("POST", f"/api/v1/chat/{path}", headers=identity, **request)).ok()

        await post("rate", body={**sent, "score": 5, "conversation_id": first})
        await post("contact", body={**sent, "phone": "+49 30 1234567"})
        file = (await post("upload-file", data=file_form(PDF, **sent)))["file"]
        image = await post("upload-image", data=image_form(make_image(), **sent))
        message = {**sent, "message": "Here", "image_url": image["url"]}
        arrived = await chat.request("POST", "/api/v1/chat/stream", headers=identity, body=message)
        assert arrived.status == 200, "the image is the person's by now, and the message, too"
    shown = (await tenant.alex.get(f"/operator/conversation/{first}")).ok()["conversation"]
    assert (shown["visitor"]["phone"], shown["visitor"]["external_id"]) == ("+49 30 1234567", "customer-8")
    assert shown["rating"] == 5
    refused = await bystander.post("/stream", message="Mine?", file_id=file["id"])
    assert (refused.status, list(refused.body["errors"])) == (422, ["file_id"])
    assert (await device.send_message("", file_id=file["id"]))["conversation_id"] == first
    leads = (await tenant.owner.get(f"/sites/{tenant.site_id}/leads")).ok()["leads"]
    assert [lead["external_id"] for lead in leads] == ["customer-8"], "nobody is left of the session before"
    subject = {"site_id": tenant.site_id, "session_id": details["session_id"]}
    erased = (await tenant.owner.post("/operator/visitor/erase", subject)).ok()["erased"]
    assert (erased["images"], erased["files"]) == (1, 1)
    assert (await tenant.api.request("GET", f"/uploads/{image['url'].rsplit('/', 1)[1]}")).status == 404


def test_the_documented_examples_are_whole() -> None:
    page = (EXAMPLES.parent / "identify.md").read_text()
    assert set(INTERPRETERS) == {path.name for path in EXAMPLES.iterdir()}
    assert all(f"identify/{name}" in page for name in INTERPRETERS)
