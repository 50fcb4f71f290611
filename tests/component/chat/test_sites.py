"""Sites: managed by owners and managers, looked up by the gateway and the other services."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from parley.chat.sites.errors import SiteNotFound
from parley.common.auth.identity import Permission
from support.admin_app import AdminTestApp

UNKNOWN_ID = 999_999_999_999


async def test_an_owner_can_create_a_site_and_use_it_at_once(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    body = {"name": " Shop ", "domains": ["https://Shop.Example.com/", "shop.example.com", "*.example.org:8443"]}
    site = (await app.call("POST", "/api/v1/sites", owner, body)).ok(201)["site"]
    assert re.fullmatch(r"pk_[0-9a-f]{24}", site["site_key"])
    assert site["name"] == "Shop"
    assert site["domains"] == ["shop.example.com", "*.example.org"]
    # `owner` was built before the site existed.
    response = (await app.call("GET", f"/api/v1/sites/{site['id']}", owner)).ok()["site"]
    assert response == site
    event = await app.wait_for_event("site.changed", site=site["id"], deleted=False)
    assert event.tenant_id == owner.tenant_id
    entry = await app.wait_for_audit_entry(owner, "site.created")
    assert entry["target"] == {"kind": "site", "id": str(site["id"])}


async def test_operators_see_only_their_own_sites(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    first, second = await app.create_site(owner, "One"), await app.create_site(owner, "Two")
    member = await app.create_member(owner, second["id"], can_chat=True)
    response = (await app.call("GET", "/api/v1/sites", member)).ok()
    assert [site["id"] for site in response["sites"]] == [second["id"]]
    all_sites = (await app.call("GET", "/api/v1/sites", owner)).ok()
    assert [site["id"] for site in all_sites["sites"]] == [first["id"], second["id"]]


async def test_sites_are_paged_by_cursor(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    created = [(await app.create_site(owner, f"Site {number}"))["id"] for number in range(5)]
    seen: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        page = (await app.call("GET", "/api/v1/sites", owner, limit=2, **cursor)).ok()
        seen += [site["id"] for site in page["sites"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == created
    assert (await app.call("GET", "/api/v1/sites", owner, cursor="nonsense")).status == 422


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
async def test_only_its_managers_have_access_to_a_site(
    app: AdminTestApp, method: str, path: str, body: dict[str, str] | None
) -> None:
    owner, stranger = await app.create_tenant(), await app.create_tenant()
    site, other = await app.create_site(owner), await app.create_site(owner)
    manager_of_other = await app.create_member(owner, other["id"], can_manage=True)
    chat_only = await app.create_member(owner, site["id"], can_chat=True, can_view_conversations=True)
    foreign = await app.call(method, f"/api/v1/sites/{site['id']}{path}", stranger, body)
    absent = await app.call(method, f"/api/v1/sites/{UNKNOWN_ID}{path}", stranger, body)
    assert foreign.status == absent.status == 404
    assert {**foreign.body, "request_id": ""} == {**absent.body, "request_id": ""}
    assert (await app.call(method, f"/api/v1/sites/{site['id']}{path}", manager_of_other, body)).status == 403
    assert (await app.call(method, f"/api/v1/sites/{site['id']}{path}", chat_only, body)).status == 403


async def test_only_an_owner_can_create_and_delete_sites(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    manager = await app.create_member(owner, site["id"], can_manage=True)
    assert (await app.call("POST", "/api/v1/sites", manager, {"name": "Mine"})).status == 403
    assert (await app.call("DELETE", f"/api/v1/sites/{site['id']}", manager)).status == 403
    (await app.call("PUT", f"/api/v1/sites/{site['id']}", manager, {"name": "Store"})).ok()


async def test_a_change_keeps_absent_fields_and_is_audited(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner, domains=["a.example.com"], language="de")
    path = f"/api/v1/sites/{site['id']}"
    changed = (await app.call("PUT", path, owner, {"domains": ["b.example.com"], "any_origin": True})).ok()["site"]
    assert changed == {**site, "domains": ["b.example.com"], "any_origin": True}
    entry = await app.wait_for_audit_entry(owner, "site.updated", site_id=site["id"])
    assert entry["details"] == {"domains": ["b.example.com"], "any_origin": True}
    for wrong in ({"domains": ["not a domain"]}, {"domains": [{"$ne": 1}]}, {"name": ""}, {"any_origin": "yes"}):
        assert (await app.call("PUT", path, owner, wrong)).status == 422


async def test_a_change_based_on_a_stale_read_is_rejected(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    store = app.admin.site_directory.sites
    before = await store.get(owner.tenant_id, site["id"])
    path = f"/api/v1/sites/{site['id']}"
    (await app.call("PUT", path, owner, {"name": "Newer"})).ok()
    audited = await app.admin.site_service.site_changed_event(owner, before, "site.updated", {})
    with pytest.raises(Exception, match="same time"):
        await store.save(before, before, audited)
    assert (await app.call("GET", path, owner)).ok()["site"]["name"] == "Newer"


async def test_a_deleted_site_is_not_found_anywhere(isolated_app: AdminTestApp) -> None:
    app = isolated_app  # No site of another test may allow every origin.
    owner = await app.create_tenant()
    site = await app.create_site(owner, domains=["gone.example.com"])
    member = await app.create_member(owner, site["id"], can_manage=True)
    (await app.call("DELETE", f"/api/v1/sites/{site['id']}", owner)).ok()
    await app.wait_for_event("site.changed", site=site["id"], deleted=True)
    for caller in (owner, member):
        assert (await app.call("GET", f"/api/v1/sites/{site['id']}", caller)).status == 404
    assert (await app.call_internal("GET", "site", site_key=site["site_key"])).status == 404
    assert (await app.call_internal("GET", "origin", origin="https://gone.example.com")).ok()["known"] is False
    assert (await app.get_caller(member.operator_id)).sites == {}
    assert (await app.get_caller(owner.operator_id)).sites == {}
    with pytest.raises(SiteNotFound):
        await app.admin.site_directory.get(owner.tenant_id, site["id"])
    assert await app.admin.rpc_methods()["site"]({"site_id": site["id"]}) is None


async def test_the_gateway_finds_a_site_by_its_current_key_only(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner, domains=["keys.example.com"])
    response = (await app.call_internal("GET", "site", site_key=site["site_key"])).ok()["site"]
    assert response == {
        "id": site["id"],
        "tenant_id": owner.tenant_id,
        "domains": ["keys.example.com"],
        "any_origin": False,
        "page_tracking": True,
        "page_parameters": [],
        "colour": "#2563eb",
        "identity_secret_ids": [],
        "triggers": "",
    }
    rotated = (await app.call("POST", f"/api/v1/sites/{site['id']}/rotate-key", owner)).ok()["site"]
    assert rotated["site_key"] != site["site_key"]
    assert (await app.call_internal("GET", "site", site_key=site["site_key"])).status == 404
    (await app.call_internal("GET", "site", site_key=rotated["site_key"])).ok()


async def test_an_origin_is_known_if_a_site_allows_it(isolated_app: AdminTestApp) -> None:
    owner = await isolated_app.create_tenant()
    await isolated_app.create_site(owner, domains=["shop.example.com", "*.example.org"])

    async def known(origin: str) -> bool:
        answer: bool = (await isolated_app.call_internal("GET", "origin", origin=origin)).ok()["known"]
        return answer

    assert await known("https://shop.example.com")
    assert await known("http://shop.example.com:3000")
    assert await known("https://a.b.example.org")
    for origin in ("https://example.com", "https://example.org", "https://shop.example.com.evil.test", "null", "x:"):
        assert not await known(origin), origin
    await isolated_app.create_site(owner, any_origin=True)
    assert await known("https://anything.test")


async def test_the_widget_code_contains_only_the_public_key(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    answer = (await app.call("GET", f"/api/v1/sites/{site['id']}/widget-code", owner)).ok()
    code = answer["code"]
    attributes = f'src="https://chat.test/widget.js" data-site-key="{site["site_key"]}" data-colour="#2563eb"'
    assert code == f"<script async {attributes}></script>"
    assert f"https://chat.test/widget.js?site_key={site['site_key']}" in answer["tag_manager_code"]


async def test_my_access_returns_the_callers_permissions_on_a_site(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site, other = await app.create_site(owner), await app.create_site(owner)
    member = await app.create_member(owner, site["id"], can_chat=True)
    path = f"/api/v1/sites/{site['id']}/my-access"
    response = (await app.call("GET", path, member)).ok()
    assert response == {"success": True, "permissions": ["can_chat"], "owner": False}
    response = (await app.call("GET", path, owner)).ok()
    assert response["owner"] is True
    assert response["permissions"] == ["can_chat", "can_view_conversations", "can_manage"]
    assert (await app.call("GET", f"/api/v1/sites/{other['id']}/my-access", member)).status == 403


async def test_rpc_methods_return_a_site_and_its_operators(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site, other = await app.create_site(owner), await app.create_site(owner)
    member = await app.create_member(owner, site["id"], can_chat=True)
    await app.create_member(owner, other["id"], can_chat=True)
    gone = await app.create_member(owner, site["id"], can_chat=True)
    (await app.call("PUT", f"/api/v1/team/{gone.operator_id}", owner, {"suspended": True})).ok()
    rpc = app.admin.rpc_methods()
    expected = {"tenant_id": owner.tenant_id, "name": "Shop", "routing": "all", "private_push": False}
    assert await rpc["site"]({"site_id": site["id"]}) == expected
    all_sites = ["can_chat", "can_manage", "can_view_conversations"]
    assert await rpc["site_operators"]({"site_id": site["id"]}) == {
        "operators": [
            {"operator_id": owner.operator_id, "language": "en", "permissions": all_sites, "team_ids": []},
            {"operator_id": member.operator_id, "language": "en", "permissions": ["can_chat"], "team_ids": []},
        ]
    }
    assert await rpc["site_operators"]({"site_id": UNKNOWN_ID}) is None


async def test_a_forged_site_id_in_the_identity_gives_no_access_to_another_tenant(app: AdminTestApp) -> None:
    owner, stranger = await app.create_tenant(), await app.create_tenant()
    site = await app.create_site(owner)
    forged = replace(stranger, owner=False, sites={site["id"]: frozenset(Permission)})
    assert (await app.call("GET", f"/api/v1/sites/{site['id']}", forged)).status == 404
    assert (await app.call("GET", "/api/v1/sites", forged)).ok()["sites"] == []


async def test_owner_chooses_what_operators_see_of_pages(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    assert (site["page_tracking"], site["page_parameters"]) == (True, [])
    path = f"/api/v1/sites/{site['id']}"
    assert (site["sound"], site["read_receipts"], site["transcript_email"]) == (True, True, True)
    quiet = {"sound": False, "read_receipts": False, "transcript_email": False}
    fields = {"page_tracking": False, "page_parameters": ["product", "product", "utm_source"], **quiet}

    changed = (await app.call("PUT", path, owner, fields)).ok()["site"]

    assert (changed["page_tracking"], changed["page_parameters"]) == (False, ["product", "utm_source"])
    assert (changed["sound"], changed["read_receipts"], changed["transcript_email"]) == (False, False, False)
    for wrong in (["a&b"], [""], ["x" * 65], [str(n) for n in range(21)]):
        assert (await app.call("PUT", path, owner, {"page_parameters": wrong})).status == 422
