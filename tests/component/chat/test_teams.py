"""Teams and routing: who sees and changes them, and what they may contain."""

from __future__ import annotations

from typing import Any

from parley.common.auth.identity import OperatorCaller
from support.admin_app import AdminTestApp

TEAMS = "/api/v1/teams"


async def _names(app: AdminTestApp, caller: OperatorCaller, **query: Any) -> list[str]:
    return [team["name"] for team in (await app.call("GET", TEAMS, caller, **query)).ok()["teams"]]


async def test_a_team_is_created_changed_and_deleted(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    shop, blog = [(await app.create_site(owner, name))["id"] for name in ("Shop", "Blog")]
    member = await app.create_member(owner, shop, can_chat=True)
    body = {"name": "Billing", "site_ids": [shop], "operator_ids": [member.operator_id, owner.operator_id]}
    team = (await app.call("POST", TEAMS, owner, body)).ok(201)["team"]
    assert team["operator_ids"] == sorted([member.operator_id, owner.operator_id])
    event = await app.wait_for_event("team.changed", team_id=team["id"], deleted=False)
    assert event.data["site_ids"] == [shop]
    entry = await app.wait_for_audit_entry(owner, "team.created")
    assert (entry["target"], entry["details"]["name"]) == ({"kind": "team", "id": str(team["id"])}, "Billing")

    assert (await app.call("POST", TEAMS, owner, {**body, "name": "billing"})).status == 409, "the same name"
    one = f"{TEAMS}/{team['id']}"
    changed = (await app.call("PUT", one, owner, {"name": "Invoices", "site_ids": [shop, blog]})).ok()["team"]
    assert (changed["name"], changed["site_ids"], changed["operator_ids"]) == ("Invoices", [shop, blog], [])
    (await app.call("DELETE", one, owner)).ok()
    assert await _names(app, owner) == []
    assert (await app.call("PUT", one, owner, body)).status == 404
    (await app.call("POST", TEAMS, owner, {**body, "name": "Invoices"})).ok(201)


async def test_operators_see_the_teams_of_their_sites_and_managers_change_them(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    shop, blog = [(await app.create_site(owner, name))["id"] for name in ("Shop", "Blog")]
    manager = await app.create_member(owner, shop, can_manage=True)
    reader = await app.create_member(owner, blog, can_chat=True)
    stranger = await app.create_tenant()
    both = {"name": "Both", "site_ids": [shop, blog]}
    team = (await app.call("POST", TEAMS, owner, both)).ok(201)["team"]
    (await app.call("POST", TEAMS, manager, {"name": "Shop only", "site_ids": [shop]})).ok(201)

    assert await _names(app, reader) == ["Both"]
    assert await _names(app, manager) == ["Both", "Shop only"]
    assert await _names(app, owner, site_id=blog) == ["Both"]
    assert (await app.call("GET", TEAMS, reader, site_id=shop)).status == 403
    assert await _names(app, stranger) == []

    one = f"{TEAMS}/{team['id']}"
    assert (await app.call("POST", TEAMS, manager, {**both, "name": "More"})).status == 403, "manages only one site"
    assert (await app.call("DELETE", one, manager)).status == 403
    assert (await app.call("POST", TEAMS, reader, {"name": "Mine", "site_ids": [blog]})).status == 403
    assert (await app.call("DELETE", one, stranger)).status == 404
    assert (await app.call("PUT", one, owner, {**both, "operator_ids": [stranger.operator_id]})).status == 422


async def test_the_routing_of_a_site_is_set_by_its_managers(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    shop, blog = [(await app.create_site(owner, name))["id"] for name in ("Shop", "Blog")]
    member = await app.create_member(owner, shop, can_chat=True)
    of_shop, of_blog = [
        (await app.call("POST", TEAMS, owner, {"name": f"Team {site}", "site_ids": [site]})).ok(201)["team"]["id"]
        for site in (shop, blog)
    ]
    path = f"/api/v1/sites/{shop}/routing"
    assert (await app.call("GET", f"/api/v1/sites/{shop}", owner)).ok()["site"]["assignment"]["routing"] == "manual"
    body = {
        "routing": "least_busy",
        "capacity": 4,
        "team_id": of_shop,
        "fallbacks": [{"team_id": None, "after_seconds": 60}, {"team_id": of_shop, "after_seconds": 30}],
    }
    routing = (await app.call("PUT", path, owner, body)).ok()["routing"]
    assert [one["after_seconds"] for one in routing["fallbacks"]] == [30, 60], "in the order of their time"
    assert (await app.call("GET", f"/api/v1/sites/{shop}", owner)).ok()["site"]["assignment"] == routing
    (await app.call("PUT", f"/api/v1/sites/{shop}/chatbot", owner, {"name": "Robin"})).ok()
    assert (await app.call("GET", f"/api/v1/sites/{shop}", owner)).ok()["site"]["assignment"] == routing
    entry = await app.wait_for_audit_entry(owner, "site.routing_changed")
    assert entry["details"]["routing"] == "least_busy"

    assert (await app.call("PUT", path, member, body)).status == 403
    foreign = await app.call("PUT", path, owner, {**body, "team_id": of_blog})
    assert (foreign.status, list(foreign.body["errors"])) == (422, ["team_id"])
    for wrong in ({"routing": "random"}, {"routing": "manual", "capacity": 0}, {"routing": "manual", "capacity": 101}):
        assert (await app.call("PUT", path, owner, wrong)).status == 422


async def test_a_member_has_a_capacity_of_their_own(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    shop = (await app.create_site(owner))["id"]
    member = await app.create_member(owner, shop, can_chat=True)
    path = f"/api/v1/team/{member.operator_id}"
    assert (await app.call("GET", path, owner)).ok()["member"]["capacity"] is None
    assert (await app.call("PUT", path, owner, {"capacity": 2})).ok()["member"]["capacity"] == 2
    assert (await app.call("PUT", path, owner, {"name": "Max"})).ok()["member"]["capacity"] == 2
    assert (await app.call("PUT", path, owner, {"capacity": 0})).ok()["member"]["capacity"] is None
    assert (await app.call("PUT", path, owner, {"capacity": 101})).status == 422
