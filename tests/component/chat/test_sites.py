"""Sites: made, shown, changed and deleted by whom they belong to, and looked up by everybody else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from parley.chat.sites.service import SiteNotFound
from support.office import Office, without

NOBODYS = 999_999_999_999


async def test_an_owner_makes_a_site_and_can_use_it_at_once(office: Office) -> None:
    owner = await office.new_tenant()
    body = {"name": " Shop ", "domains": ["https://Shop.Example.com/", "shop.example.com", "*.example.org:8443"]}
    site = (await office.call("POST", "/api/v1/sites", owner, body)).ok(201)["site"]
    assert re.fullmatch(r"pk_[0-9a-f]{24}", site["site_key"])
    assert site["name"] == "Shop"
    assert site["domains"] == ["shop.example.com", "*.example.org"]
    # `owner` was signed before the site was there.
    shown = (await office.call("GET", f"/api/v1/sites/{site['id']}", owner)).ok()["site"]
    assert shown == site
    event = await office.heard("site.changed", site=site["id"], deleted=False)
    assert event.tenant_id == owner.tenant_id
    entry = await office.audited(owner, "site.created")
    assert entry["target"] == {"kind": "site", "id": str(site["id"])}


async def test_an_operator_sees_only_the_sites_they_are_on(office: Office) -> None:
    owner = await office.new_tenant()
    first, second = await office.new_site(owner, "One"), await office.new_site(owner, "Two")
    member = await office.new_member(owner, second["id"], can_chat=True)
    mine = (await office.call("GET", "/api/v1/sites", member)).ok()
    assert [site["id"] for site in mine["sites"]] == [second["id"]]
    everything = (await office.call("GET", "/api/v1/sites", owner)).ok()
    assert [site["id"] for site in everything["sites"]] == [first["id"], second["id"]]


async def test_sites_page_by_cursor(office: Office) -> None:
    owner = await office.new_tenant()
    made = [(await office.new_site(owner, f"Site {number}"))["id"] for number in range(5)]
    seen: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        page = (await office.call("GET", "/api/v1/sites", owner, limit=2, **cursor)).ok()
        seen += [site["id"] for site in page["sites"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == made
    assert (await office.call("GET", "/api/v1/sites", owner, cursor="nonsense")).status == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"name": "Theirs"}),
        ("POST", "/rotate-key", None),
        ("GET", "/widget-code", None),
        ("PUT", "/chatbot", {"name": "Theirs"}),
        ("POST", "/chatbot/knowledge", {"question": "Why?", "answer": "Because."}),
        ("PUT", "/chatbot/knowledge/1", {"question": "Why?", "answer": "Because."}),
        ("DELETE", "/chatbot/knowledge/1", None),
        ("GET", "/team", None),
    ],
)
async def test_a_site_is_there_for_its_own_managers_alone(
    office: Office, method: str, path: str, body: dict[str, str] | None
) -> None:
    owner, stranger = await office.new_tenant(), await office.new_tenant()
    site, other = await office.new_site(owner), await office.new_site(owner)
    elsewhere = await office.new_member(owner, other["id"], can_manage=True)
    chatting = await office.new_member(owner, site["id"], can_chat=True, can_view_conversations=True)
    foreign = await office.call(method, f"/api/v1/sites/{site['id']}{path}", stranger, body)
    absent = await office.call(method, f"/api/v1/sites/{NOBODYS}{path}", stranger, body)
    assert foreign.status == absent.status == 404
    assert {**foreign.body, "request_id": ""} == {**absent.body, "request_id": ""}
    assert (await office.call(method, f"/api/v1/sites/{site['id']}{path}", elsewhere, body)).status == 403
    assert (await office.call(method, f"/api/v1/sites/{site['id']}{path}", chatting, body)).status == 403


async def test_only_an_owner_makes_and_deletes_sites(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    manager = await office.new_member(owner, site["id"], can_manage=True)
    assert (await office.call("POST", "/api/v1/sites", manager, {"name": "Mine"})).status == 403
    assert (await office.call("DELETE", f"/api/v1/sites/{site['id']}", manager)).status == 403
    (await office.call("PUT", f"/api/v1/sites/{site['id']}", manager, {"name": "Store"})).ok()


async def test_a_change_keeps_what_is_left_out_and_is_told(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner, domains=["a.example.com"], language="de")
    path = f"/api/v1/sites/{site['id']}"
    changed = (await office.call("PUT", path, owner, {"domains": ["b.example.com"], "any_origin": True})).ok()["site"]
    assert changed == {**site, "domains": ["b.example.com"], "any_origin": True}
    entry = await office.audited(owner, "site.updated", site_id=site["id"])
    assert entry["details"] == {"domains": ["b.example.com"], "any_origin": True}
    for wrong in ({"domains": ["not a domain"]}, {"domains": [{"$ne": 1}]}, {"name": ""}, {"any_origin": "yes"}):
        assert (await office.call("PUT", path, owner, wrong)).status == 422


async def test_of_two_changes_at_once_none_is_lost_unseen(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    store = office.administration.sites.store
    before = await store.get(owner.tenant_id, site["id"])
    path = f"/api/v1/sites/{site['id']}"
    (await office.call("PUT", path, owner, {"name": "Newer"})).ok()
    stale = await office.administration.site_use._told(owner, before, "site.updated", {})
    with pytest.raises(Exception, match="same moment"):
        await store.save(before, before, stale)
    assert (await office.call("GET", path, owner)).ok()["site"]["name"] == "Newer"


async def test_a_deleted_site_is_gone_for_everybody(own_office: Office) -> None:
    office = own_office  # no other test's site may take every origin here
    owner = await office.new_tenant()
    site = await office.new_site(owner, domains=["gone.example.com"])
    member = await office.new_member(owner, site["id"], can_manage=True)
    (await office.call("DELETE", f"/api/v1/sites/{site['id']}", owner)).ok()
    await office.heard("site.changed", site=site["id"], deleted=True)
    for caller in (owner, member):
        assert (await office.call("GET", f"/api/v1/sites/{site['id']}", caller)).status == 404
    assert (await office.errand("GET", "site", site_key=site["site_key"])).status == 404
    assert (await office.errand("GET", "origin", origin="https://gone.example.com")).ok()["known"] is False
    assert (await office.caller(member.operator_id)).sites == {}
    assert (await office.caller(owner.operator_id)).sites == {}
    with pytest.raises(SiteNotFound):
        await office.administration.sites.get(owner.tenant_id, site["id"])
    assert await office.administration.questions()["site"]({"site_id": site["id"]}) is None


async def test_the_gateway_finds_a_site_by_its_key_until_the_key_is_rotated(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner, domains=["keys.example.com"])
    found = (await office.errand("GET", "site", site_key=site["site_key"])).ok()["site"]
    assert found == {
        "id": site["id"],
        "tenant_id": owner.tenant_id,
        "domains": ["keys.example.com"],
        "any_origin": False,
    }
    rotated = (await office.call("POST", f"/api/v1/sites/{site['id']}/rotate-key", owner)).ok()["site"]
    assert rotated["site_key"] != site["site_key"]
    assert (await office.errand("GET", "site", site_key=site["site_key"])).status == 404
    (await office.errand("GET", "site", site_key=rotated["site_key"])).ok()


async def test_an_origin_is_known_when_some_site_takes_it(own_office: Office) -> None:
    owner = await own_office.new_tenant()
    await own_office.new_site(owner, domains=["shop.example.com", "*.example.org"])

    async def known(origin: str) -> bool:
        answer: bool = (await own_office.errand("GET", "origin", origin=origin)).ok()["known"]
        return answer

    assert await known("https://shop.example.com")
    assert await known("http://shop.example.com:3000")
    assert await known("https://a.b.example.org")
    for stranger in ("https://example.com", "https://example.org", "https://shop.example.com.evil.test", "null", "x:"):
        assert not await known(stranger), stranger
    await own_office.new_site(owner, any_origin=True)
    assert await known("https://anything.test")


async def test_the_widgets_code_names_the_key_and_nothing_secret(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    code = (await office.call("GET", f"/api/v1/sites/{site['id']}/widget-code", owner)).ok()["code"]
    assert code == f'<script async src="https://chat.test/widget.js" data-site-key="{site["site_key"]}"></script>'


async def test_my_access_says_what_i_may_do_on_a_site(office: Office) -> None:
    owner = await office.new_tenant()
    site, other = await office.new_site(owner), await office.new_site(owner)
    member = await office.new_member(owner, site["id"], can_chat=True)
    path = f"/api/v1/sites/{site['id']}/my-access"
    mine = (await office.call("GET", path, member)).ok()
    assert mine == {"success": True, "permissions": ["can_chat"], "owner": False}
    theirs = (await office.call("GET", path, owner)).ok()
    assert theirs["owner"] is True
    assert theirs["permissions"] == ["can_chat", "can_view_conversations", "can_manage"]
    assert (await office.call("GET", f"/api/v1/sites/{other['id']}/my-access", member)).status == 403


async def test_the_other_services_may_ask_about_a_site_and_its_operators(office: Office) -> None:
    owner = await office.new_tenant()
    site, other = await office.new_site(owner), await office.new_site(owner)
    member = await office.new_member(owner, site["id"], can_chat=True)
    await office.new_member(owner, other["id"], can_chat=True)
    gone = await office.new_member(owner, site["id"], can_chat=True)
    (await office.call("PUT", f"/api/v1/team/{gone.operator_id}", owner, {"suspended": True})).ok()
    ask = office.administration.questions()
    told = {"tenant_id": owner.tenant_id, "name": "Shop", "routing": "all", "private_push": False}
    assert await ask["site"]({"site_id": site["id"]}) == told
    everything = ["can_chat", "can_manage", "can_view_conversations"]
    assert await ask["site_operators"]({"site_id": site["id"]}) == {
        "operators": [
            {"operator_id": owner.operator_id, "language": "en", "permissions": everything},
            {"operator_id": member.operator_id, "language": "en", "permissions": ["can_chat"]},
        ]
    }
    assert await ask["site_operators"]({"site_id": NOBODYS}) is None


async def test_a_forged_site_in_the_identity_opens_no_other_tenants_site(office: Office) -> None:
    owner, stranger = await office.new_tenant(), await office.new_tenant()
    site = await office.new_site(owner)
    forged = without(stranger, owner=False, sites={site["id"]: frozenset(owner.needing(None).sites)})
    assert (await office.call("GET", f"/api/v1/sites/{site['id']}", forged)).status == 404
    assert (await office.call("GET", "/api/v1/sites", forged)).ok()["sites"] == []
