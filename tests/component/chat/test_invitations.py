"""Invitations: acceptance, expiry, renewal."""

from __future__ import annotations

import asyncio
from typing import Any

from parley.common.auth.identity import OperatorCaller
from support.admin_app import PASSWORD, AdminTestApp, unique_email


async def _invite(app: AdminTestApp, owner: OperatorCaller, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    body = {"email": unique_email("sam"), "name": "Sam", **fields}
    response = (await app.call("POST", "/api/v1/team", owner, body)).ok(201)
    return response["member"], response["invitation"]


async def test_accepting_an_invitation_sets_the_password_and_logs_in(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    member, invitation = await _invite(app, owner, site_ids=[site["id"]])
    assert member["status"] == "invited"
    assert invitation["link"] == f"https://chat.test/panel/#invitation={invitation['token']}"
    body = {"token": invitation["token"], "password": PASSWORD, "name": "Samira"}
    login = (await app.call_internal("POST", "accept-invitation", body)).ok()
    assert (login["access"]["operator_id"], login["access"]["name"]) == (member["id"], "Samira")
    assert login["access"]["sites"] == {str(site["id"]): ["can_chat", "can_view_conversations"]}
    await app.log_in(member["email"])
    assert (await app.call("GET", f"/api/v1/team/{member['id']}", owner)).ok()["member"]["status"] == "active"
    assert (await app.wait_for_audit_entry(owner, "invitation.accepted"))["operator"]["id"] == member["id"]


async def test_an_invitation_can_be_accepted_once(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    _, invitation = await _invite(app, owner)
    bodies = [{"token": invitation["token"], "password": f"{PASSWORD} {number}"} for number in range(4)]
    responses = await asyncio.gather(*(app.call_internal("POST", "accept-invitation", body) for body in bodies))
    statuses = [response.status for response in responses]
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 404, 409}
    assert (await app.call_internal("POST", "accept-invitation", bodies[0])).status == 404


async def test_an_invited_operator_cannot_log_in_before_accepting(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    member, _ = await _invite(app, owner)
    for password in ("the password of nobody", PASSWORD):
        body = {"email": member["email"], "password": password}
        assert (await app.call_internal("POST", "login", body)).status == 401


async def test_an_invitation_expires_after_seven_days_and_can_be_renewed(isolated_app: AdminTestApp) -> None:
    app = isolated_app
    owner = await app.create_tenant()
    member, invitation = await _invite(app, owner)
    app.clock.advance(days=7, seconds=1)
    body = {"token": invitation["token"], "password": PASSWORD}
    late = await app.call_internal("POST", "accept-invitation", body)
    assert (late.status, late.body["code"]) == (404, "invitation_not_found")
    path = f"/api/v1/team/{member['id']}/invitation"
    renewed = (await app.call("POST", path, owner)).ok(201)["invitation"]
    assert renewed["token"] != invitation["token"]
    assert (await app.call_internal("POST", "accept-invitation", body)).status == 404
    (await app.call_internal("POST", "accept-invitation", {**body, "token": renewed["token"]})).ok()
    again = await app.call("POST", path, owner)
    assert (again.status, again.body["code"]) == (409, "already_accepted")


async def test_the_invitation_of_a_removed_or_suspended_operator_is_rejected(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    removed, first = await _invite(app, owner)
    suspended, second = await _invite(app, owner)
    (await app.call("DELETE", f"/api/v1/team/{removed['id']}", owner)).ok()
    (await app.call("PUT", f"/api/v1/team/{suspended['id']}", owner, {"suspended": True})).ok()
    for invitation in (first, second):
        body = {"token": invitation["token"], "password": PASSWORD}
        assert (await app.call_internal("POST", "accept-invitation", body)).status == 404


async def test_a_manager_cannot_renew_the_invitation_of_a_member_of_other_sites(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site, other = await app.create_site(owner), await app.create_site(owner)
    manager = await app.create_member(owner, site["id"], can_manage=True, can_chat=True, can_view_conversations=True)
    invited, _ = await _invite(app, manager, site_ids=[site["id"]])
    both, _ = await _invite(app, owner, site_ids=[site["id"], other["id"]])
    assert (await app.call("POST", f"/api/v1/team/{invited['id']}/invitation", manager)).status == 201
    assert (await app.call("POST", f"/api/v1/team/{both['id']}/invitation", manager)).status == 403
