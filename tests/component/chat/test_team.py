"""The team: who may change whom, and that every change holds at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from parley.common.auth.identity import OperatorCaller, Permission
from support.office import PASSWORD, Office, new_email

NOBODYS = 999_999_999_999
ALL = {"can_chat": True, "can_view_conversations": True, "can_manage": True}


async def _put(office: Office, caller: OperatorCaller, who: OperatorCaller, body: dict[str, Any]) -> int:
    return (await office.call("PUT", f"/api/v1/team/{who.operator_id}", caller, body)).status


async def _owner_of(office: Office, owner: OperatorCaller) -> OperatorCaller:
    body = {"email": new_email("owner"), "name": "Second Owner", "password": PASSWORD, "owner": True}
    made = (await office.call("POST", "/api/v1/team", owner, body)).ok(201)["member"]
    return await office.caller(made["id"])


async def test_a_member_with_a_password_can_log_in_and_do_what_was_granted(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    email = new_email("Sam")
    body = {"email": email, "name": "Sam", "password": PASSWORD, "site_ids": [site["id"]], "permissions": ALL}
    made = (await office.call("POST", "/api/v1/team", owner, body)).ok(201)
    assert made["invitation"] is None
    member = made["member"]
    assert (member["email"], member["status"], member["owner"]) == (email.lower(), "active", False)
    assert member["sites"] == {str(site["id"]): ["can_chat", "can_view_conversations", "can_manage"]}
    caller = await office.caller(await office.log_in(email))
    assert caller.sites == {site["id"]: frozenset(Permission)}
    entry = await office.audited(owner, "member.created")
    assert entry["target"] == {"kind": "operator", "id": str(member["id"])}


async def test_an_address_belongs_to_one_account_alone(office: Office) -> None:
    owner = await office.new_tenant()
    email = new_email("sam")
    body = {"email": email, "name": "Sam", "password": PASSWORD}
    replies = await asyncio.gather(*(office.call("POST", "/api/v1/team", owner, body) for _ in range(3)))
    assert sorted(reply.status for reply in replies) == [201, 409, 409]
    again = await office.call("POST", "/api/v1/team", owner, {**body, "email": email.upper()})
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
async def test_a_member_out_of_bounds_is_refused(office: Office, wrong: dict[str, object]) -> None:
    owner = await office.new_tenant()
    body = {"email": new_email("x"), "name": "X", "password": PASSWORD, **wrong}
    reply = await office.call("POST", "/api/v1/team", owner, body)
    assert reply.status == 422
    assert next(iter(reply.body["errors"])).split(".")[0] == next(iter(wrong))


async def test_a_change_of_permissions_holds_at_once_and_everybody_hears(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    member = await office.new_member(owner, site["id"], can_chat=True)
    path = f"/api/v1/sites/{site['id']}/team/{member.operator_id}"
    (await office.call("PUT", path, owner, {"can_view_conversations": True})).ok()
    now = await office.caller(member.operator_id)
    assert now.sites == {site["id"]: {Permission.VIEW}}
    assert now.access_version == member.access_version + 1
    event = await office.heard("operator.access_changed", operator_id=member.operator_id, version=2)
    assert (event.tenant_id, event.site_id, event.data["suspended"]) == (owner.tenant_id, 0, False)
    assert event.actor.id == owner.operator_id
    entry = await office.audited(owner, "member.granted", site_id=site["id"])
    assert entry["details"] == {"site": site["id"], "permissions": ["can_view_conversations"]}
    (await office.call("DELETE", path, owner)).ok()
    assert (await office.caller(member.operator_id)).sites == {}
    assert (await office.call("DELETE", path, owner)).status == 404


async def test_suspending_and_removing_hold_at_once(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    member = await office.new_member(owner, site["id"], can_chat=True)
    email = (await office.call("GET", f"/api/v1/team/{member.operator_id}", owner)).ok()["member"]["email"]
    assert await _put(office, owner, member, {"suspended": True}) == 200
    await office.heard("operator.access_changed", operator_id=member.operator_id, suspended=True)
    assert await _put(office, owner, member, {"suspended": False}) == 200
    session = await office.log_in(email)
    (await office.call("DELETE", f"/api/v1/team/{member.operator_id}", owner)).ok()
    for query in ({}, {"session_id": session.session_id}):
        assert (await office.errand("GET", f"access/{member.operator_id}", **query)).status == 404
    assert (await office.errand("POST", "login", {"email": email, "password": PASSWORD})).status == 401
    assert (await office.call("GET", f"/api/v1/team/{member.operator_id}", owner)).status == 404
    listed = (await office.call("GET", "/api/v1/team", owner)).ok()["team"]
    assert [one["id"] for one in listed] == [owner.operator_id]
    assert (await office.audited(owner, "member.removed"))["details"] == {"name": "Max Member"}
    # The address is free again.
    body = {"email": email, "name": "Max Again", "password": PASSWORD}
    (await office.call("POST", "/api/v1/team", owner, body)).ok(201)


async def test_the_rest_of_the_service_sees_the_team_as_it_is_now(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    member = await office.new_member(owner, site["id"], can_chat=True)
    team = office.administration.team
    found = await team.member(owner.tenant_id, member.operator_id)
    assert found is not None
    assert (found.name, found.active) == ("Max Member", True)
    assert found.sites == {site["id"]: {Permission.CHAT}}
    first = await team.member(owner.tenant_id, owner.operator_id)
    assert first is not None
    assert first.sites == {site["id"]: frozenset(Permission)}
    stranger = await office.new_tenant()
    assert await team.member(stranger.tenant_id, member.operator_id) is None
    assert [one.id for one in await team.on_site(owner.tenant_id, site["id"])] == [
        owner.operator_id,
        member.operator_id,
    ]
    assert await _put(office, owner, member, {"suspended": True}) == 200
    assert [one.id for one in await team.on_site(owner.tenant_id, site["id"])] == [owner.operator_id]


async def test_another_tenants_people_and_sites_are_not_there(office: Office) -> None:
    owner, stranger = await office.new_tenant(), await office.new_tenant()
    site, theirs = await office.new_site(owner), await office.new_site(stranger)
    member = await office.new_member(owner, site["id"], can_chat=True)
    foreign = await office.call("GET", f"/api/v1/team/{member.operator_id}", stranger)
    absent = await office.call("GET", f"/api/v1/team/{NOBODYS}", stranger)
    assert foreign.status == absent.status == 404
    assert {**foreign.body, "request_id": ""} == {**absent.body, "request_id": ""}
    assert await _put(office, stranger, member, {"suspended": True}) == 404
    path = f"/api/v1/sites/{theirs['id']}/team/{member.operator_id}"
    assert (await office.call("PUT", path, stranger, ALL)).status == 404
    for site_id in (theirs["id"], NOBODYS):
        body = {"email": new_email("x"), "name": "X", "password": PASSWORD, "site_ids": [site["id"], site_id]}
        assert (await office.call("POST", "/api/v1/team", owner, body)).status == 404
        assert await _put(office, owner, member, {"site_ids": [site_id]}) == 404
    assert (await office.caller(member.operator_id)).sites == member.sites
    assert [one["id"] for one in (await office.call("GET", "/api/v1/team", stranger)).ok()["team"]] == [
        stranger.operator_id
    ]


async def test_a_manager_sees_the_people_of_their_sites_and_no_others(office: Office) -> None:
    owner = await office.new_tenant()
    site, other = await office.new_site(owner), await office.new_site(owner)
    manager = await office.new_member(owner, site["id"], can_manage=True)
    both = await office.new_member(owner, site["id"], other["id"], can_chat=True)
    hidden = await office.new_member(owner, other["id"], can_chat=True)
    chatting = await office.new_member(owner, site["id"], can_chat=True)
    team = (await office.call("GET", "/api/v1/team", manager)).ok()["team"]
    assert [one["id"] for one in team] == [one.operator_id for one in (owner, manager, both, chatting)]
    # Nor what their people do elsewhere.
    assert next(one for one in team if one["id"] == both.operator_id)["sites"] == {str(site["id"]): ["can_chat"]}
    on_site = (await office.call("GET", f"/api/v1/sites/{site['id']}/team", manager)).ok()["team"]
    assert on_site == team
    assert (await office.call("GET", f"/api/v1/team/{hidden.operator_id}", manager)).status == 403
    assert (await office.call("GET", f"/api/v1/sites/{other['id']}/team", manager)).status == 403
    assert (await office.call("GET", "/api/v1/team", chatting)).status == 403
    assert (await office.call("GET", f"/api/v1/team/{both.operator_id}", chatting)).status == 403


async def test_the_team_pages_by_cursor(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    made = [owner.operator_id]
    made += [(await office.new_member(owner, site["id"], can_manage=True)).operator_id for _ in range(4)]
    manager = await office.caller(made[1])
    for caller, path in (
        (owner, "/api/v1/team"),
        (manager, "/api/v1/team"),
        (owner, f"/api/v1/sites/{site['id']}/team"),
    ):
        seen: list[int] = []
        cursor: dict[str, Any] = {}
        while True:
            page = (await office.call("GET", path, caller, limit=2, **cursor)).ok()
            assert len(page["team"]) <= 2
            seen += [one["id"] for one in page["team"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert seen == made


async def test_a_manager_grants_nothing_that_they_lack(office: Office) -> None:
    owner = await office.new_tenant()
    site, other = await office.new_site(owner), await office.new_site(owner)
    manager = await office.new_member(owner, site["id"], can_manage=True, can_chat=True)
    member = await office.new_member(owner, site["id"], can_view_conversations=True)
    path = f"/api/v1/sites/{site['id']}/team/{member.operator_id}"
    lacking = await office.call("PUT", path, manager, {**ALL})
    assert lacking.status == 200, "what the member has already is no grant"
    assert (await office.call("PUT", path, manager, {"can_chat": True})).status == 200
    assert (await office.call("PUT", path, manager, {**ALL})).status == 403
    body = {"email": new_email("x"), "name": "X", "password": PASSWORD, "site_ids": [site["id"]]}
    assert (await office.call("POST", "/api/v1/team", manager, {**body, "permissions": ALL})).status == 403
    mine = {"can_chat": True, "can_manage": True}
    assert (await office.call("POST", "/api/v1/team", manager, {**body, "permissions": mine})).status == 201
    elsewhere = {**body, "email": new_email("x"), "site_ids": [other["id"]], "permissions": mine}
    assert (await office.call("POST", "/api/v1/team", manager, elsewhere)).status == 403
    nowhere = {**body, "email": new_email("x"), "site_ids": []}
    assert (await office.call("POST", "/api/v1/team", manager, nowhere)).status == 403
    as_owner = {**body, "email": new_email("x"), "owner": True}
    assert (await office.call("POST", "/api/v1/team", manager, as_owner)).status == 403
    assert await _put(office, manager, member, {"owner": True}) == 403
    assert await _put(office, manager, member, {"site_ids": [site["id"], other["id"]]}) == 403
    there = f"/api/v1/sites/{other['id']}/team/{member.operator_id}"
    assert (await office.call("PUT", there, manager, mine)).status == 403
    assert (await office.caller(member.operator_id)).sites == {site["id"]: {Permission.CHAT}}


async def test_a_manager_touches_no_owner_and_nobody_who_works_elsewhere_too(office: Office) -> None:
    owner = await office.new_tenant()
    site, other = await office.new_site(owner), await office.new_site(owner)
    manager = await office.new_member(owner, site["id"], can_manage=True)
    both = await office.new_member(owner, site["id"], other["id"], can_chat=True)
    for who in (owner, both):
        assert await _put(office, manager, who, {"suspended": True}) == 403
        assert await _put(office, manager, who, {"name": "Renamed"}) == 403
        assert (await office.call("DELETE", f"/api/v1/team/{who.operator_id}", manager)).status == 403
    path = f"/api/v1/sites/{site['id']}/team/{owner.operator_id}"
    assert (await office.call("PUT", path, manager, {})).status == 403
    assert (await office.call("DELETE", path, manager)).status == 403
    # Their own site's team is theirs, and what somebody does elsewhere stays.
    assert await _put(office, manager, both, {"site_ids": []}) == 200
    assert (await office.caller(both.operator_id)).sites == {other["id"]: {Permission.CHAT}}


async def test_a_manager_rules_over_the_people_of_their_own_sites(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    manager = await office.new_member(owner, site["id"], can_manage=True)
    member = await office.new_member(owner, site["id"], can_chat=True)
    assert await _put(office, manager, member, {"name": "Renamed", "suspended": True}) == 200
    assert (await office.call("DELETE", f"/api/v1/team/{member.operator_id}", manager)).status == 200


async def test_a_deleted_site_keeps_nobody_from_ruling_over_their_people(office: Office) -> None:
    owner = await office.new_tenant()
    site, gone = await office.new_site(owner), await office.new_site(owner)
    manager = await office.new_member(owner, site["id"], can_manage=True)
    member = await office.new_member(owner, site["id"], gone["id"], can_chat=True)
    (await office.call("DELETE", f"/api/v1/sites/{gone['id']}", owner)).ok()
    shown = (await office.call("GET", f"/api/v1/team/{member.operator_id}", owner)).ok()["member"]
    assert list(shown["sites"]) == [str(site["id"])]
    assert await _put(office, manager, member, {"suspended": True}) == 200


async def test_nobody_takes_their_own_access_away(office: Office) -> None:
    owner = await office.new_tenant()
    await _owner_of(office, owner)
    site = await office.new_site(owner)
    manager = await office.new_member(owner, site["id"], can_manage=True)
    for who in (owner, manager):
        reply = await office.call("PUT", f"/api/v1/team/{who.operator_id}", who, {"suspended": True})
        assert (reply.status, reply.body["code"]) == (409, "own_account")
        reply = await office.call("DELETE", f"/api/v1/team/{who.operator_id}", who)
        assert (reply.status, reply.body["code"]) == (409, "own_account")
    assert await _put(office, owner, owner, {"owner": False}) == 409
    path = f"/api/v1/sites/{site['id']}/team/{manager.operator_id}"
    assert (await office.call("DELETE", path, manager)).status == 409


async def test_two_owners_who_remove_each_other_at_once_do_not_leave_the_tenant_without(office: Office) -> None:
    first = await office.new_tenant()
    second = await _owner_of(office, first)
    # Somebody who was invited and never came does not count.
    body = {"email": new_email("owner"), "name": "Never Came", "owner": True}
    (await office.call("POST", "/api/v1/team", first, body)).ok(201)
    replies = await asyncio.gather(
        office.call("DELETE", f"/api/v1/team/{second.operator_id}", first),
        office.call("PUT", f"/api/v1/team/{first.operator_id}", second, {"suspended": True}),
    )
    assert sorted(reply.status for reply in replies) == [200, 409]
    assert next(reply for reply in replies if reply.status == 409).body["code"] == "last_owner"


async def test_an_owner_can_be_made_and_unmade(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    member = await office.new_member(owner, site["id"], can_chat=True)
    assert await _put(office, owner, member, {"owner": True}) == 200
    now = await office.caller(member.operator_id)
    assert now.owner
    assert now.sites == {site["id"]: frozenset(Permission)}
    path = f"/api/v1/sites/{site['id']}/team/{member.operator_id}"
    reply = await office.call("PUT", path, owner, {"can_chat": True})
    assert (reply.status, reply.body["code"]) == (409, "owner_has_all")
    body = {"owner": False, "site_ids": [site["id"]], "permissions": {"can_chat": True}}
    assert await _put(office, owner, member, body) == 200
    assert (await office.caller(member.operator_id)).sites == {site["id"]: {Permission.CHAT}}


async def test_of_changes_at_the_same_moment_none_is_lost_unseen(office: Office) -> None:
    owner = await office.new_tenant()
    sites = [await office.new_site(owner) for _ in range(6)]
    member = await office.new_member(owner, can_chat=True)
    replies = await asyncio.gather(
        *(
            office.call("PUT", f"/api/v1/sites/{site['id']}/team/{member.operator_id}", owner, {"can_chat": True})
            for site in sites
        )
    )
    done = {site["id"] for site, reply in zip(sites, replies, strict=True) if reply.status == 200}
    assert done
    assert {reply.status for reply in replies} <= {200, 409}
    now = await office.caller(member.operator_id)
    assert set(now.sites) == done
    assert now.access_version == member.access_version + len(done)
