"""Invitations: a way in that is good once, for seven days, for the one who was meant."""

from __future__ import annotations

import asyncio
from typing import Any

from parley.common.auth.identity import OperatorCaller
from support.office import PASSWORD, Office, new_email


async def _invite(office: Office, owner: OperatorCaller, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    body = {"email": new_email("sam"), "name": "Sam", **more}
    made = (await office.call("POST", "/api/v1/team", owner, body)).ok(201)
    return made["member"], made["invitation"]


async def test_an_invited_person_sets_a_password_and_is_in(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    member, invitation = await _invite(office, owner, site_ids=[site["id"]])
    assert member["status"] == "invited"
    assert invitation["link"] == f"https://chat.test/panel/#invitation={invitation['token']}"
    body = {"token": invitation["token"], "password": PASSWORD, "name": "Samira"}
    login = (await office.errand("POST", "accept-invitation", body)).ok()
    assert (login["access"]["operator_id"], login["access"]["name"]) == (member["id"], "Samira")
    assert login["access"]["sites"] == {str(site["id"]): ["can_chat", "can_view_conversations"]}
    await office.log_in(member["email"])
    assert (await office.call("GET", f"/api/v1/team/{member['id']}", owner)).ok()["member"]["status"] == "active"
    assert (await office.audited(owner, "invitation.accepted"))["operator"]["id"] == member["id"]


async def test_an_invitation_is_good_once(office: Office) -> None:
    owner = await office.new_tenant()
    _, invitation = await _invite(office, owner)
    bodies = [{"token": invitation["token"], "password": f"{PASSWORD} {number}"} for number in range(4)]
    replies = await asyncio.gather(*(office.errand("POST", "accept-invitation", body) for body in bodies))
    statuses = [reply.status for reply in replies]
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 404, 409}
    assert (await office.errand("POST", "accept-invitation", bodies[0])).status == 404


async def test_nobody_logs_in_before_the_invitation_is_accepted(office: Office) -> None:
    owner = await office.new_tenant()
    member, _ = await _invite(office, owner)
    for password in ("the password of nobody", PASSWORD):
        body = {"email": member["email"], "password": password}
        assert (await office.errand("POST", "login", body)).status == 401


async def test_an_invitation_runs_out_after_seven_days_and_can_be_made_anew(own_office: Office) -> None:
    office = own_office
    owner = await office.new_tenant()
    member, invitation = await _invite(office, owner)
    office.clock.pass_by(days=7, seconds=1)
    body = {"token": invitation["token"], "password": PASSWORD}
    late = await office.errand("POST", "accept-invitation", body)
    assert (late.status, late.body["code"]) == (404, "invitation_not_found")
    path = f"/api/v1/team/{member['id']}/invitation"
    fresh = (await office.call("POST", path, owner)).ok(201)["invitation"]
    assert fresh["token"] != invitation["token"]
    assert (await office.errand("POST", "accept-invitation", body)).status == 404
    (await office.errand("POST", "accept-invitation", {**body, "token": fresh["token"]})).ok()
    again = await office.call("POST", path, owner)
    assert (again.status, again.body["code"]) == (409, "already_accepted")


async def test_whoever_was_removed_or_suspended_does_not_come_in_by_an_old_invitation(office: Office) -> None:
    owner = await office.new_tenant()
    removed, first = await _invite(office, owner)
    suspended, second = await _invite(office, owner)
    (await office.call("DELETE", f"/api/v1/team/{removed['id']}", owner)).ok()
    (await office.call("PUT", f"/api/v1/team/{suspended['id']}", owner, {"suspended": True})).ok()
    for invitation in (first, second):
        body = {"token": invitation["token"], "password": PASSWORD}
        assert (await office.errand("POST", "accept-invitation", body)).status == 404


async def test_a_manager_renews_no_invitation_of_somebody_who_works_elsewhere_too(office: Office) -> None:
    owner = await office.new_tenant()
    site, other = await office.new_site(owner), await office.new_site(owner)
    manager = await office.new_member(owner, site["id"], can_manage=True, can_chat=True, can_view_conversations=True)
    ours, _ = await _invite(office, manager, site_ids=[site["id"]])
    both, _ = await _invite(office, owner, site_ids=[site["id"], other["id"]])
    assert (await office.call("POST", f"/api/v1/team/{ours['id']}/invitation", manager)).status == 201
    assert (await office.call("POST", f"/api/v1/team/{both['id']}/invitation", manager)).status == 403
