"""The audit log: entries, filters, paging, permissions."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.runtime.clock import to_rfc3339
from support.admin_app import AdminTestApp


async def _page(app: AdminTestApp, caller: OperatorCaller, **query: Any) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = (await app.call("GET", "/api/v1/audit", caller, **query)).ok()["entries"]
    return entries


async def test_an_entry_has_actor_action_target_time_and_client_ip(isolated_app: AdminTestApp) -> None:
    app = isolated_app
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    await app.admin.audit.record(owner, "conversation.accepted", "conversation:50", site["id"], {"by": "x"})
    entry = (await _page(app, owner))[0]
    assert entry.pop("id") > app.base_id
    assert abs(datetime.fromisoformat(entry.pop("at")) - app.clock()) < timedelta(seconds=10)
    assert entry == {
        "operator": {"id": owner.operator_id, "name": "Olivia Owner"},
        "action": "conversation.accepted",
        "target": {"kind": "conversation", "id": "50"},
        "site_id": site["id"],
        "address": app.client_ip,
        "details": {"by": "x"},
    }


async def test_entries_of_visitors_do_not_identify_them(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    visitor = VisitorCaller(owner.tenant_id, site["id"], "sess_1", "192.0.2.8")
    await app.admin.audit.record(visitor, "conversation.rated", "conversation:1", site["id"])
    entry = await app.wait_for_audit_entry(owner, "conversation.rated")
    assert (entry["operator"], entry["address"]) == ({"id": None, "name": "visitor"}, "192.0.2.8")


async def test_filters_can_be_combined(isolated_app: AdminTestApp) -> None:
    app = isolated_app
    owner = await app.create_tenant()
    sites = [(await app.create_site(owner))["id"] for _ in range(2)]
    others = [await app.create_member(owner, *sites, can_manage=True) for _ in range(2)]
    created = list(product(sites, others, ("a.one", "a.two")))
    for site_id, who, action in created:
        await app.admin.audit.record(who, action, "thing:1", site_id)
    for site, by_whom, action in product((None, *sites), (None, *others), ("a.one", "a.two")):
        query: dict[str, Any] = {"action": action}
        if site is not None:
            query["site_id"] = site
        if by_whom is not None:
            query["operator_id"] = by_whom.operator_id
        entries = await _page(app, owner, **query)
        expected = [
            (at, by.operator_id, did)
            for at, by, did in created
            if did == action and site in (None, at) and by_whom in (None, by)
        ]
        assert [(one["site_id"], one["operator"]["id"], one["action"]) for one in reversed(entries)] == expected
    assert len(await _page(app, owner, operator_id=others[0].operator_id)) == 4


async def test_a_period_includes_its_start_and_excludes_its_end(isolated_app: AdminTestApp) -> None:
    app = isolated_app
    owner = await app.create_tenant()
    times = []
    for number in range(3):
        app.clock.advance(minutes=10)
        times.append(app.clock())
        await app.admin.audit.record(owner, "a.step", f"thing:{number}")
    entries = await _page(app, owner, action="a.step", from_=to_rfc3339(times[1]), to=to_rfc3339(times[2]))
    assert [entry["target"]["id"] for entry in entries] == ["1"]
    assert (await app.call("GET", "/api/v1/audit", owner, from_="yesterday")).status == 422
    assert (await app.call("GET", "/api/v1/audit", owner, from_="2026-01-01T00:00:00")).status == 422


async def test_the_log_is_paged_newest_first_without_gaps_or_duplicates(isolated_app: AdminTestApp) -> None:
    app = isolated_app
    owner = await app.create_tenant()
    for number in range(7):
        await app.admin.audit.record(owner, "a.step", f"thing:{number}")
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = (await app.call("GET", "/api/v1/audit", owner, action="a.step", limit=3, **cursor)).ok()
        seen += [entry["target"]["id"] for entry in page["entries"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(seen) == [str(number) for number in range(7)]
    assert len(seen) == 7
    for wrong in ("nonsense", "WzFd", "WzEsMl0x", "Wzk5OTk5OTk5OTk5OTk5OTk5LDFd"):
        assert (await app.call("GET", "/api/v1/audit", owner, cursor=wrong)).status == 422


async def test_an_owner_sees_all_entries_and_a_manager_those_of_their_sites(app: AdminTestApp) -> None:
    owner, stranger = await app.create_tenant(), await app.create_tenant()
    site, other = await app.create_site(owner), await app.create_site(owner)
    manager = await app.create_member(owner, site["id"], can_manage=True)
    chatting = await app.create_member(owner, site["id"], can_chat=True)
    await app.wait_for_audit_entry(owner, "site.created", site_id=other["id"])
    assert {entry["site_id"] for entry in await _page(app, manager, site_id=site["id"])} == {site["id"]}
    for caller, query in ((manager, {}), (manager, {"site_id": other["id"]}), (chatting, {"site_id": site["id"]})):
        assert (await app.call("GET", "/api/v1/audit", caller, **query)).status == 403
    assert await _page(app, stranger, site_id=site["id"]) == []
    assert all(entry["action"] == "tenant.created" for entry in await _page(app, stranger))


@pytest.mark.parametrize("wrong", [{"action": "A; DROP"}, {"limit": 101}, {"site_id": 0}, {"operator_id": "x"}])
async def test_an_invalid_filter_is_rejected(app: AdminTestApp, wrong: dict[str, Any]) -> None:
    owner = await app.create_tenant()
    assert (await app.call("GET", "/api/v1/audit", owner, **wrong)).status == 422


async def test_a_change_and_its_entry_are_stored_in_one_write(isolated_app: AdminTestApp) -> None:
    app = isolated_app
    owner = await app.create_tenant()
    # As if the process ended after the write: the outbox does not publish.
    await app.outbox.stop()
    site = await app.create_site(owner)
    document = await app.mongo["sites"].find_one({"_id": site["id"]})
    assert document is not None
    assert len(document["outbox"]) == 1
    assert await app.mongo["audit"].find_one({"action": "site.created"}) is None
    assert await app.outbox.sweep(app.clock() + timedelta(seconds=10)) == 1
    assert (await app.wait_for_audit_entry(owner, "site.created"))["site_id"] == site["id"]
    await app.wait_for_event("site.changed", site=site["id"])
    app.outbox._idle.set()
