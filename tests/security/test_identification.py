"""A21: only the site's server says who a visitor is, and only a proved person gets to what they wrote elsewhere."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

import jwt
import pytest

from parley_dev.stack import Stack
from support.api import ApiClient, VisitorClient
from support.identity import SiteServer, identify, sign_token
from support.tenants import TenantFixture
from support.wait import wait_until

SECRET = "what only this person may read"


@pytest.fixture(scope="module")
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    return await TenantFixture.create(api, stack, mongodb_uri)


@pytest.fixture(scope="module")
async def server(tenant: TenantFixture) -> SiteServer:
    return await SiteServer.create(tenant.owner, tenant.site_id)


def _new_person() -> str:
    return f"customer-{secrets.token_hex(4)}"


async def _read(visitor: VisitorClient) -> list[str]:
    history = await visitor.get("/history")
    return [message["content"] for message in history.body["messages"]] if history.status == 200 else []


async def _wait_ended(visitor: VisitorClient) -> None:
    async def has_ended() -> bool:
        answer = await visitor.get("/history")
        return answer.status == 401 and answer.body["code"] == "session_ended"

    await wait_until(has_ended)


async def test_refused_tokens_identify_nobody(tenant: TenantFixture, server: SiteServer) -> None:
    """A21: a token that is forged, of another site, expired or too large changes nothing; each error says why."""
    person = _new_person()
    device = tenant.new_visitor()
    await device.send_message("Hello")
    await server.identify(device, person)
    await device.send_message(SECRET)
    other_site = await tenant.add_site()
    elsewhere = await SiteServer.create(tenant.owner, other_site["id"])
    attacker = tenant.new_visitor()
    await attacker.send_message("I try")
    session = (await attacker.get("/history")).ok()["visitor"]
    signed = server.sign(person)
    refused = {
        "signature": [
            elsewhere.sign(person),
            sign_token(elsewhere.secret, {"sub": person}, {"kid": str(server.secret_id)}),
            sign_token(server.secret, {"sub": person}, {"kid": str(elsewhere.secret_id)}),
            sign_token("w" * 40, {"sub": person}),
        ],
        "audience": [server.sign(person, aud=other_site["site_key"])],
        "expired": [server.sign(person, exp=1)],
        "lifetime": [server.sign(person, exp=2**33), server.sign(person, exp=None)],
        "algorithm": [
            jwt.encode({"sub": person}, "", algorithm="none"),
            jwt.encode({"sub": person}, server.secret * 2, algorithm="HS512"),
        ],
        "claims": [server.sign(person, attributes={str(number): 1 for number in range(21)}), server.sign("")],
        "malformed": ["a.b.c", signed.rpartition(".")[0]],
    }
    for reason, tokens in refused.items():
        for token in tokens:
            answer = await identify(attacker, token)
            assert (answer.status, answer.body["code"]) == (422, f"identity_token_{reason}"), answer.raw
            assert list(answer.body["errors"]) == ["token"]
    too_large = await identify(attacker, server.sign(person, name="x" * 5000))
    assert (too_large.status, list(too_large.body["errors"])) == (422, ["token"])
    for body in ({}, {"token": None}, {"token": {"$ne": 1}}, {"sub": person, "external_id": person}):
        assert (await attacker.post("/identify", **body)).status == 422
    unconfigured = await tenant.add_site("Blog")
    answer = await identify(tenant.api.visitor(unconfigured["site_key"]), signed)
    assert answer.body["code"] == "identity_not_configured"
    # Elsewhere it is another person, whatever the id.
    namesake = tenant.api.visitor(other_site["site_key"])
    await elsewhere.identify(namesake, person)
    assert await _read(namesake) == []
    assert (await attacker.get("/history")).ok()["visitor"] == session
    assert await _read(attacker) != []
    assert SECRET not in str(await _read(attacker))


async def test_claims_without_proof_join_nobody(tenant: TenantFixture, server: SiteServer) -> None:
    """A21: the e-mail address, the id or the handle of a person, claimed without proof, opens nothing."""
    person, address = _new_person(), f"{secrets.token_hex(4)}@shop.test"
    device = tenant.new_visitor()
    identified = await server.identify(device, person, email=address, name="<img src=x onerror=alert(1)>")
    conversation_id = (await device.send_message(SECRET))["conversation_id"]
    assert identified["visitor"]["email"] == address
    impostor = tenant.new_visitor()
    await impostor.send_message("It is me")
    (await impostor.post("/email", email=address)).ok()
    (await impostor.post("/contact", name="Jane", external_id=person, verified=True, sub=person)).ok()
    another = tenant.new_visitor()
    await server.identify(another, _new_person(), email=address)
    handle = identified["visitor"]["session_id"]
    for session_id in (handle, handle.removeprefix("sess_"), person.ljust(16, "0")):
        reader = tenant.api.visitor(tenant.site_key, session_id)
        assert SECRET not in str(await _read(reader))
    for visitor in (impostor, another):
        assert SECRET not in str(await _read(visitor))
    chats = (await tenant.alex.get("/operator/all-active-chats", status="ai", limit=100)).ok()["chats"]
    claimed = [chat for chat in chats if chat["visitor"]["email"] == address and chat["id"] != conversation_id]
    assert [(chat["visitor"]["verified"], chat["visitor"]["external_id"]) for chat in claimed] == [(False, None)]
    (shown,) = (chat["visitor"] for chat in chats if chat["id"] == conversation_id)
    assert (shown["verified"], shown["external_id"], shown["verified_fields"]) == (True, person, ["name", "email"])
    assert shown["name"] == "<img src=x onerror=alert(1)>", "inert text"
    # A person types another address: it is not what their site has proved.
    (await device.post("/email", email="other@shop.test")).ok()
    details = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]["visitor"]
    assert (details["email"], details["verified_fields"]) == (address, ["name", "email"])
    await tenant.alex.send("PUT", f"/operator/conversation/{conversation_id}/visitor", {"email": "new@shop.test"})
    details = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]["visitor"]
    assert (details["email"], details["verified_fields"]) == ("new@shop.test", ["name"])
    await server.identify(device, person, email=address)
    details = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]["visitor"]
    assert details["email"] == "new@shop.test", "the site says nothing new"


async def test_a_session_known_before_reads_nothing_after(tenant: TenantFixture, server: SiteServer) -> None:
    """A21: who knows the session id that a device had before its visitor was identified reads and writes nothing."""
    device = tenant.new_visitor()
    first = (await device.send_message("Before"))["conversation_id"]
    known = tenant.api.visitor(tenant.site_key, device.session_id)
    await server.identify(device, _new_person())
    assert (await device.send_message(SECRET))["conversation_id"] == first
    await _wait_ended(known)
    for path, body in (
        ("/stream", {"message": "Still me?"}),
        ("/rate", {"score": 1, "conversation_id": first}),
        ("/contact", {"name": "Me"}),
        ("/handoff", {}),
        ("/end-session", {}),
    ):
        assert (await known.post(path, **body)).status == 401
    mine = await server.identify(known, _new_person())
    assert (mine["joined"], mine["conversation_id"]) == (False, None)
    assert SECRET not in await _read(known)
    assert "Still me?" not in await _read(device)


async def test_a_session_that_was_ended_is_refused(tenant: TenantFixture, server: SiteServer) -> None:
    """A21: after a logout the session id opens nothing, on this device only, and operators keep the chat."""
    anonymous, laptop, phone = (tenant.new_visitor() for _ in range(3))
    person = _new_person()
    for device in (laptop, phone):
        await server.identify(device, person)
    conversations = [(await device.send_message(SECRET))["conversation_id"] for device in (anonymous, laptop)]
    for device in (anonymous, laptop):
        async with device.events() as stream:
            await stream.wait_for("ready")
            (await device.post("/end-session")).ok()
            await stream.wait_until_ended()
        await _wait_ended(device)
        assert (await device.post("/stream", message="Me again")).status == 401
        assert (await identify(device, server.sign(person))).body["code"] == "session_ended"
    assert SECRET in await _read(phone), "the person's other devices stay as they are"
    elsewhere = await tenant.add_site()
    same_id = tenant.api.visitor(elsewhere["site_key"], anonymous.session_id)
    assert (await same_id.get("/config")).status == 200
    for conversation_id in conversations:
        kept = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
        assert SECRET in str(kept["messages"])


async def test_two_people_cannot_share_what_one_session_wrote(tenant: TenantFixture, server: SiteServer) -> None:
    """A21: of two people as whom one session is identified at once, one has what it wrote, and the other nothing."""
    device = tenant.new_visitor()
    for _ in range(2):
        await device.send_message(SECRET)
    copies = [tenant.api.visitor(tenant.site_key, device.session_id) for _ in range(4)]
    answers = await asyncio.gather(*(server.identify(copy, _new_person()) for copy in copies))
    assert sorted(answer["joined"] for answer in answers) == [False, False, False, True]
    read = [SECRET in await _read(copy) for copy in copies]
    assert read == [answer["joined"] for answer in answers]


async def test_two_people_on_one_device_see_nothing_of_each_other(tenant: TenantFixture, server: SiteServer) -> None:
    """A21: a device that is identified as another person starts a session of theirs, and their chats stay apart."""
    device = tenant.new_visitor()
    one, two = _new_person(), _new_person()
    await server.identify(device, one)
    first = (await device.send_message(SECRET))["conversation_id"]
    session_of_one = device.session_id
    switched = await server.identify(device, two)
    assert (switched["joined"], switched["conversation_id"]) == (False, None)
    assert await _read(device) == []
    assert (await device.send_message("I am somebody else"))["conversation_id"] != first
    assert "I am somebody else" not in str(await _read(tenant.api.visitor(tenant.site_key, session_of_one)))
    async with device.events() as stream:
        await stream.wait_for("ready")
        await tenant.api.visitor(tenant.site_key, session_of_one).send_message(SECRET)
        await device.send_message("Mine")
        await stream.wait_for("message.created", lambda event: event.data["data"]["content"] == "Mine")
        assert SECRET not in str([event.data for event in stream.events])
    back = await server.identify(device, one)
    assert (back["joined"], back["conversation_id"]) == (False, first)


async def test_a_revoked_secret_proves_nothing_and_ends_its_sessions(tenant: TenantFixture) -> None:
    """A21: with its secret, the sessions of people who were identified by it end, here and on open streams."""
    site = await tenant.add_site()
    old = await SiteServer.create(tenant.owner, site["id"], "Old")
    new = await SiteServer.create(tenant.owner, site["id"], "New")
    person = _new_person()
    device, other_device = (tenant.api.visitor(site["site_key"]) for _ in range(2))
    await old.identify(device, person)
    await device.send_message(SECRET)
    await new.identify(other_device, person)
    async with device.events() as stream:
        await stream.wait_for("ready")
        revoke = f"/sites/{site['id']}/identity-secrets/{old.secret_id}"
        (await tenant.owner.send("DELETE", revoke)).ok()
        assert (await tenant.owner.send("DELETE", revoke)).status == 404
        assert (await identify(other_device, old.sign(person))).body["code"] == "identity_token_signature"

        async def has_ended() -> bool:
            return (await device.get("/history")).status == 401

        await wait_until(has_ended)
        await stream.wait_until_ended()
    ended = await device.get("/history")
    assert ended.body["code"] == "session_ended"
    assert SECRET in await _read(other_device)
    assert "identified-" + "A" * 70 not in device.session_id
    forged = tenant.api.visitor(site["site_key"], "identified-" + "A" * 70)
    assert (await forged.get("/history")).body["code"] == "session_ended"
    assert (await identify(device, new.sign(person))).status == 401, "the widget begins with a new session id"
    device.session_id = secrets.token_hex(24)
    await new.identify(device, person)
    assert SECRET in await _read(device)


async def test_identity_secrets_are_shown_once_and_only_to_managers(tenant: TenantFixture) -> None:
    """A21: no list, audit entry, setting or error contains an identity secret, and no API key makes one."""
    site = await tenant.add_site()
    path = f"/sites/{site['id']}/identity-secrets"
    server = await SiteServer.create(tenant.owner, site["id"])
    manager = await tenant.add_operator("Mia", site["id"], can_manage=True)
    operator = await tenant.add_operator("Oli", site["id"])
    for method, at in (("GET", path), ("POST", path), ("DELETE", f"{path}/{server.secret_id}")):
        assert (await operator.send(method, at, {"name": "Mine"})).status == 403
    await SiteServer.create(manager, site["id"], "Second")
    key = (await manager.post("/api-keys", {"name": "Deploy"})).ok(201)["key"]
    by_key = await tenant.api.request("POST", f"/api/v1{path}", token=key, body={"name": "By key"})
    assert by_key.status == 403
    for number in range(3):
        await SiteServer.create(manager, site["id"], f"More {number}")
    full = await manager.post(path, {"name": "Sixth"})
    assert (full.status, full.body["code"]) == (409, "too_many_identity_secrets")
    await server.identify(tenant.api.visitor(site["site_key"]), _new_person())
    listed = (await manager.get(path)).ok()
    names = [secret["name"] for secret in listed["identity_secrets"]]
    assert names == ["Shop server", "Second", "More 0", "More 1", "More 2"]
    used = [secret["last_used_at"] for secret in listed["identity_secrets"]]
    assert used[0] is not None
    assert set(used[1:]) == {None}
    (await manager.send("DELETE", f"{path}/{server.secret_id}")).ok()
    audit = await tenant.owner.wait_for_audit("identity_secret.revoked", action="identity_secret.revoked")
    shown: list[Any] = [listed, audit, (await manager.get(f"/sites/{site['id']}")).ok()]
    shown += [(await manager.get(f"/sites/{site['id']}/chatbot")).ok(), (await tenant.owner.get("/audit")).ok()]
    assert server.secret not in json.dumps(shown)
    assert server.secret.removeprefix("parley_identity_") not in json.dumps(shown)


async def test_two_devices_that_identify_at_once_are_one_person(tenant: TenantFixture, server: SiteServer) -> None:
    """A21: however many devices identify as a person at once, there is one person, with one open conversation."""
    person = _new_person()
    devices = [tenant.new_visitor() for _ in range(4)]
    for number, device in enumerate(devices):
        await device.send_message(f"From device {number}")
    answers = await asyncio.gather(*(server.identify(device, person) for device in devices))
    assert len({answer["visitor"]["session_id"] for answer in answers}) == 1
    assert len({device.session_id for device in devices}) == len(devices)
    latest = (await devices[0].send_message("All of me"))["conversation_id"]
    for device in devices:
        assert "All of me" in await _read(device)
    query = {"search": person, "limit": 100}
    found = (await tenant.owner.get(f"/sites/{tenant.site_id}/conversations", **query)).ok()["conversations"]
    assert len(found) == len(devices), "nothing is lost, and nothing doubled"
    assert [chat["id"] for chat in found if chat["mode"] != "closed"] == [latest]
    assert {chat["visitor"]["external_id"] for chat in found} == {person}
