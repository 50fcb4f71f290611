"""The team: who may change whom, and that changes are effective immediately."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from parley.common.auth.identity import OperatorCaller, Permission
from support.admin_app import PASSWORD, AdminTestApp, unique_email
from support.api import ApiResponse

UNKNOWN_ID = 999_999_999_999
ALL = {"can_chat": True, "can_view_conversations": True, "can_manage": True}


async def _put(app: AdminTestApp, caller: OperatorCaller, operator: OperatorCaller, body: dict[str, Any]) -> int:
    return (await app.call("PUT", f"/api/v1/team/{operator.operator_id}", caller, body)).status


async def _load_owner(app: AdminTestApp, owner: OperatorCaller) -> OperatorCaller:
    body = {"email": unique_email("owner"), "name": "Second Owner", "password": PASSWORD, "owner": True}
    created = (await app.call("POST", "/api/v1/team", owner, body)).ok(201)["member"]
    return await app.get_caller(created["id"])


async def test_a_member_with_a_password_can_log_in_with_the_granted_permissions(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    email = unique_email("Sam")
    body = {"email": email, "name": "Sam", "password": PASSWORD, "site_ids": [site["id"]], "permissions": ALL}
    created = (await app.call("POST", "/api/v1/team", owner, body)).ok(201)
    assert created["invitation"] is None
    member = created["member"]
    assert (member["email"], member["status"], member["owner"]) == (email.lower(), "active", False)
    assert member["sites"] == {str(site["id"]): ["can_chat", "can_view_conversations", "can_manage"]}
    caller = await app.get_caller(await app.log_in(email))
    assert caller.sites == {site["id"]: frozenset(Permission)}
    entry = await app.wait_for_audit_entry(owner, "member.created")
    assert entry["target"] == {"kind": "operator", "id": str(member["id"])}


async def test_an_email_address_is_unique_in_a_team(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    email = unique_email("sam")
    body = {"email": email, "name": "Sam", "password": PASSWORD}
    responses = await asyncio.gather(*(app.call("POST", "/api/v1/team", owner, body) for _ in range(3)))
    assert sorted(response.status for response in responses) == [201, 409, 409]
    again = await app.call("POST", "/api/v1/team", owner, {**body, "email": email.upper()})
    assert (again.status, again.body["code"]) == (409, "email_taken")


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "no address"},
        {"email": {"$ne": 1}},
        {"email": "a@" + "b" * 300},
        {"password": "short"},
        {"site_ids": ["1"]},
        {"site_ids": [0]},
        {"permissions": {"can_chat": "yes"}},
        {"name": "two\nlines"},
    ],
)
async def test_an_invalid_member_is_rejected(app: AdminTestApp, wrong: dict[str, object]) -> None:
    owner = await app.create_tenant()
    body = {"email": unique_email("x"), "name": "X", "password": PASSWORD, **wrong}
    response = await app.call("POST", "/api/v1/team", owner, body)
    assert response.status == 422
    assert next(iter(response.body["errors"])).split(".")[0] == next(iter(wrong))


async def test_a_change_of_permissions_is_effective_at_once_and_published(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    member = await app.create_member(owner, site["id"], can_chat=True)
    path = f"/api/v1/sites/{site['id']}/team/{member.operator_id}"
    (await app.call("PUT", path, owner, {"can_view_conversations": True})).ok()
    now = await app.get_caller(member.operator_id)
    assert now.sites == {site["id"]: {Permission.VIEW}}
    assert now.access_version == member.access_version + 1
    event = await app.wait_for_event("operator.access_changed", operator_id=member.operator_id, version=2)
    assert (event.tenant_id, event.site_id, event.data["suspended"]) == (owner.tenant_id, 0, False)
    assert event.actor.id == owner.operator_id
    entry = await app.wait_for_audit_entry(owner, "member.granted", site_id=site["id"])
    assert entry["details"] == {"site": site["id"], "permissions": ["can_view_conversations"]}
    (await app.call("DELETE", path, owner)).ok()
    assert (await app.get_caller(member.operator_id)).sites == {}
    assert (await app.call("DELETE", path, owner)).status == 404


async def test_suspension_and_removal_are_effective_at_once(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    member = await app.create_member(owner, site["id"], can_chat=True)
    email = (await app.call("GET", f"/api/v1/team/{member.operator_id}", owner)).ok()["member"]["email"]
    assert await _put(app, owner, member, {"suspended": True}) == 200
    await app.wait_for_event("operator.access_changed", operator_id=member.operator_id, suspended=True)
    assert await _put(app, owner, member, {"suspended": False}) == 200
    session = await app.log_in(email)
    (await app.call("DELETE", f"/api/v1/team/{member.operator_id}", owner)).ok()
    for query in ({}, {"session_id": session.session_id}):
        assert (await app.call_internal("GET", f"access/{member.operator_id}", **query)).status == 404
    assert (await app.call_internal("POST", "login", {"email": email, "password": PASSWORD})).status == 401
    assert (await app.call("GET", f"/api/v1/team/{member.operator_id}", owner)).status == 404
    listed = (await app.call("GET", "/api/v1/team", owner)).ok()["team"]
    assert [one["id"] for one in listed] == [owner.operator_id]
    assert (await app.wait_for_audit_entry(owner, "member.removed"))["details"] == {"name": "Max Member"}
    # The e-mail address can be used again.
    body = {"email": email, "name": "Max Again", "password": PASSWORD}
    (await app.call("POST", "/api/v1/team", owner, body)).ok(201)


async def test_the_team_directory_returns_the_current_team(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    member = await app.create_member(owner, site["id"], can_chat=True)
    team = app.admin.team_directory
    found_member = await team.member(owner.tenant_id, member.operator_id)
    assert found_member is not None
    assert (found_member.name, found_member.active) == ("Max Member", True)
    assert found_member.sites == {site["id"]: {Permission.CHAT}}
    first = await team.member(owner.tenant_id, owner.operator_id)
    assert first is not None
    assert first.sites == {site["id"]: frozenset(Permission)}
    stranger = await app.create_tenant()
    assert await team.member(stranger.tenant_id, member.operator_id) is None
    assert [one.id for one in await team.on_site(owner.tenant_id, site["id"])] == [
        owner.operator_id,
        member.operator_id,
    ]
    assert await _put(app, owner, member, {"suspended": True}) == 200
    assert [one.id for one in await team.on_site(owner.tenant_id, site["id"])] == [owner.operator_id]


async def test_members_and_sites_of_another_tenant_are_not_found(app: AdminTestApp) -> None:
    owner, stranger = await app.create_tenant(), await app.create_tenant()
    site, theirs = await app.create_site(owner), await app.create_site(stranger)
    member = await app.create_member(owner, site["id"], can_chat=True)
    foreign = await app.call("GET", f"/api/v1/team/{member.operator_id}", stranger)
    absent = await app.call("GET", f"/api/v1/team/{UNKNOWN_ID}", stranger)
    assert foreign.status == absent.status == 404
    assert {**foreign.body, "request_id": ""} == {**absent.body, "request_id": ""}
    assert await _put(app, stranger, member, {"suspended": True}) == 404
    path = f"/api/v1/sites/{theirs['id']}/team/{member.operator_id}"
    assert (await app.call("PUT", path, stranger, ALL)).status == 404
    for site_id in (theirs["id"], UNKNOWN_ID):
        body = {"email": unique_email("x"), "name": "X", "password": PASSWORD, "site_ids": [site["id"], site_id]}
        assert (await app.call("POST", "/api/v1/team", owner, body)).status == 404
        assert await _put(app, owner, member, {"site_ids": [site_id]}) == 404
    assert (await app.get_caller(member.operator_id)).sites == member.sites
    assert [one["id"] for one in (await app.call("GET", "/api/v1/team", stranger)).ok()["team"]] == [
        stranger.operator_id
    ]


async def test_a_manager_sees_only_the_members_of_their_sites(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site, other = await app.create_site(owner), await app.create_site(owner)
    manager = await app.create_member(owner, site["id"], can_manage=True)
    both = await app.create_member(owner, site["id"], other["id"], can_chat=True)
    hidden = await app.create_member(owner, other["id"], can_chat=True)
    chat_only = await app.create_member(owner, site["id"], can_chat=True)
    team = (await app.call("GET", "/api/v1/team", manager)).ok()["team"]
    assert [one["id"] for one in team] == [one.operator_id for one in (owner, manager, both, chat_only)]
    # Nor their permissions on other sites.
    assert next(one for one in team if one["id"] == both.operator_id)["sites"] == {str(site["id"]): ["can_chat"]}
    on_site = (await app.call("GET", f"/api/v1/sites/{site['id']}/team", manager)).ok()["team"]
    assert on_site == team
    assert (await app.call("GET", f"/api/v1/team/{hidden.operator_id}", manager)).status == 403
    assert (await app.call("GET", f"/api/v1/sites/{other['id']}/team", manager)).status == 403
    assert (await app.call("GET", "/api/v1/team", chat_only)).status == 403
    assert (await app.call("GET", f"/api/v1/team/{both.operator_id}", chat_only)).status == 403


async def test_the_team_is_paged_by_cursor(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    created = [owner.operator_id]
    created += [(await app.create_member(owner, site["id"], can_manage=True)).operator_id for _ in range(4)]
    manager = await app.get_caller(created[1])
    for caller, path in (
        (owner, "/api/v1/team"),
        (manager, "/api/v1/team"),
        (owner, f"/api/v1/sites/{site['id']}/team"),
    ):
        seen: list[int] = []
        cursor: dict[str, Any] = {}
        while True:
            page = (await app.call("GET", path, caller, limit=2, **cursor)).ok()
            assert len(page["team"]) <= 2
            seen += [one["id"] for one in page["team"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert seen == created


async def test_a_manager_cannot_grant_permissions_they_lack(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site, other = await app.create_site(owner), await app.create_site(owner)
    manager = await app.create_member(owner, site["id"], can_manage=True, can_chat=True)
    member = await app.create_member(owner, site["id"], can_view_conversations=True)
    path = f"/api/v1/sites/{site['id']}/team/{member.operator_id}"
    kept = await app.call("PUT", path, manager, {**ALL})
    assert kept.status == 200, "permissions that the member already has can be kept"
    assert (await app.call("PUT", path, manager, {"can_chat": True})).status == 200
    assert (await app.call("PUT", path, manager, {**ALL})).status == 403
    body = {"email": unique_email("x"), "name": "X", "password": PASSWORD, "site_ids": [site["id"]]}
    assert (await app.call("POST", "/api/v1/team", manager, {**body, "permissions": ALL})).status == 403
    own = {"can_chat": True, "can_manage": True}
    assert (await app.call("POST", "/api/v1/team", manager, {**body, "permissions": own})).status == 201
    elsewhere = {**body, "email": unique_email("x"), "site_ids": [other["id"]], "permissions": own}
    assert (await app.call("POST", "/api/v1/team", manager, elsewhere)).status == 403
    nowhere = {**body, "email": unique_email("x"), "site_ids": []}
    assert (await app.call("POST", "/api/v1/team", manager, nowhere)).status == 403
    as_owner = {**body, "email": unique_email("x"), "owner": True}
    assert (await app.call("POST", "/api/v1/team", manager, as_owner)).status == 403
    assert await _put(app, manager, member, {"owner": True}) == 403
    assert await _put(app, manager, member, {"site_ids": [site["id"], other["id"]]}) == 403
    there = f"/api/v1/sites/{other['id']}/team/{member.operator_id}"
    assert (await app.call("PUT", there, manager, own)).status == 403
    assert (await app.get_caller(member.operator_id)).sites == {site["id"]: {Permission.CHAT}}


async def test_a_manager_cannot_change_an_owner_or_a_member_of_other_sites(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site, other = await app.create_site(owner), await app.create_site(owner)
    manager = await app.create_member(owner, site["id"], can_manage=True)
    both = await app.create_member(owner, site["id"], other["id"], can_chat=True)
    for operator in (owner, both):
        assert await _put(app, manager, operator, {"suspended": True}) == 403
        assert await _put(app, manager, operator, {"name": "Renamed"}) == 403
        assert (await app.call("DELETE", f"/api/v1/team/{operator.operator_id}", manager)).status == 403
    path = f"/api/v1/sites/{site['id']}/team/{owner.operator_id}"
    assert (await app.call("PUT", path, manager, {})).status == 403
    assert (await app.call("DELETE", path, manager)).status == 403
    # They may remove a member from their own site; permissions on other sites stay.
    assert await _put(app, manager, both, {"site_ids": []}) == 200
    assert (await app.get_caller(both.operator_id)).sites == {other["id"]: {Permission.CHAT}}


async def test_a_manager_can_change_and_remove_members_of_their_sites(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    manager = await app.create_member(owner, site["id"], can_manage=True)
    member = await app.create_member(owner, site["id"], can_chat=True)
    assert await _put(app, manager, member, {"name": "Renamed", "suspended": True}) == 200
    assert (await app.call("DELETE", f"/api/v1/team/{member.operator_id}", manager)).status == 200


async def test_a_deleted_site_does_not_restrict_a_manager(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site, gone = await app.create_site(owner), await app.create_site(owner)
    manager = await app.create_member(owner, site["id"], can_manage=True)
    member = await app.create_member(owner, site["id"], gone["id"], can_chat=True)
    (await app.call("DELETE", f"/api/v1/sites/{gone['id']}", owner)).ok()
    shown = (await app.call("GET", f"/api/v1/team/{member.operator_id}", owner)).ok()["member"]
    assert list(shown["sites"]) == [str(site["id"])]
    assert await _put(app, manager, member, {"suspended": True}) == 200


async def test_operators_cannot_remove_their_own_access(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    await _load_owner(app, owner)
    site = await app.create_site(owner)
    manager = await app.create_member(owner, site["id"], can_manage=True)
    for operator in (owner, manager):
        response = await app.call("PUT", f"/api/v1/team/{operator.operator_id}", operator, {"suspended": True})
        assert (response.status, response.body["code"]) == (409, "own_account")
        response = await app.call("DELETE", f"/api/v1/team/{operator.operator_id}", operator)
        assert (response.status, response.body["code"]) == (409, "own_account")
    assert await _put(app, owner, owner, {"owner": False}) == 409
    path = f"/api/v1/sites/{site['id']}/team/{manager.operator_id}"
    assert (await app.call("DELETE", path, manager)).status == 409


async def test_owners_who_remove_each_other_at_once_leave_one_owner(
    app: AdminTestApp,
) -> None:
    first = await app.create_tenant()
    second = await _load_owner(app, first)
    # An invited owner who has not accepted does not count.
    body = {"email": unique_email("owner"), "name": "Invited Owner", "owner": True}
    (await app.call("POST", "/api/v1/team", first, body)).ok(201)
    responses = await asyncio.gather(
        app.call("DELETE", f"/api/v1/team/{second.operator_id}", first),
        app.call("PUT", f"/api/v1/team/{first.operator_id}", second, {"suspended": True}),
    )
    assert sorted(response.status for response in responses) == [200, 409]
    assert next(response for response in responses if response.status == 409).body["code"] == "last_owner"


async def test_ownership_can_be_granted_and_revoked(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    member = await app.create_member(owner, site["id"], can_chat=True)
    assert await _put(app, owner, member, {"owner": True}) == 200
    now = await app.get_caller(member.operator_id)
    assert now.owner
    assert now.sites == {site["id"]: frozenset(Permission)}
    path = f"/api/v1/sites/{site['id']}/team/{member.operator_id}"
    response = await app.call("PUT", path, owner, {"can_chat": True})
    assert (response.status, response.body["code"]) == (409, "owner_has_all")
    body = {"owner": False, "site_ids": [site["id"]], "permissions": {"can_chat": True}}
    assert await _put(app, owner, member, body) == 200
    assert (await app.get_caller(member.operator_id)).sites == {site["id"]: {Permission.CHAT}}


async def test_concurrent_changes_are_either_applied_or_rejected(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    sites = [await app.create_site(owner) for _ in range(6)]
    member = await app.create_member(owner, can_chat=True)
    responses = await asyncio.gather(
        *(
            app.call("PUT", f"/api/v1/sites/{site['id']}/team/{member.operator_id}", owner, {"can_chat": True})
            for site in sites
        )
    )
    granted = {site["id"] for site, response in zip(sites, responses, strict=True) if response.status == 200}
    assert granted
    assert {response.status for response in responses} <= {200, 409}
    now = await app.get_caller(member.operator_id)
    assert set(now.sites) == granted
    assert now.access_version == member.access_version + len(granted)


async def test_adding_a_member_does_not_tell_whether_the_address_has_an_account_elsewhere(app: AdminTestApp) -> None:
    owner, stranger = await app.create_tenant(), await app.create_tenant()
    email, unused = unique_email("Ina"), unique_email("unused")

    async def add(caller: OperatorCaller, address: str, **more: str) -> ApiResponse:
        return await app.call("POST", "/api/v1/team", caller, {"email": address, "name": "Ina", **more})

    theirs = (await add(owner, email, password=PASSWORD)).ok(201)["member"]
    answers = [(await add(stranger, address)).ok(201) for address in (email, unused)]
    for answer in answers:
        for varying in ("id", "email", "created_at"):
            answer["member"].pop(varying)
        answer.pop("invitation"), answer.pop("request_id", None)
    assert answers[0] == answers[1]
    for address in (email, unused):
        again = await add(stranger, address.upper(), password=PASSWORD)
        assert (again.status, again.body["code"]) == (409, "email_taken"), "a colleague, whom they see anyway"
    assert (await app.log_in(email)).operator_id == theirs["id"], "the account elsewhere is as it was"


async def test_a_grant_that_names_no_permission_is_refused(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    member = await app.create_member(owner, site["id"], can_chat=True)
    path = f"/api/v1/sites/{site['id']}/team/{member.operator_id}"
    for body in ({}, {"can_reply": True}, {"permissions": {"can_chat": True}}):
        assert (await app.call("PUT", path, owner, body)).status == 422, body
    unknown = {"permissions": {"can_reply": True}}
    assert await _put(app, owner, member, unknown) == 422
    new = {"email": unique_email("new"), "name": "New", "site_ids": [site["id"]], **unknown}
    assert (await app.call("POST", "/api/v1/team", owner, new)).status == 422
    assert (await app.get_caller(member.operator_id)).sites == {site["id"]: frozenset({Permission.CHAT})}
    (await app.call("PUT", path, owner, {"can_chat": False})).ok()
    assert (await app.get_caller(member.operator_id)).sites == {site["id"]: frozenset()}
