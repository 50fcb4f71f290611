"""The audit log: every change is in it, with who, what, when and from where, for those who may know."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.runtime.clock import rfc3339
from support.office import Office


async def _page(office: Office, caller: OperatorCaller, **query: Any) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = (await office.call("GET", "/api/v1/audit", caller, **query)).ok()["entries"]
    return entries


async def test_an_entry_says_who_did_what_when_and_from_where(own_office: Office) -> None:
    office = own_office
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    await office.administration.audit.record(owner, "conversation.accepted", "conversation:50", site["id"], {"by": "x"})
    entry = (await _page(office, owner))[0]
    assert entry.pop("id") > office.base
    assert abs(datetime.fromisoformat(entry.pop("at")) - office.clock()) < timedelta(seconds=10)
    assert entry == {
        "operator": {"id": owner.operator_id, "name": "Olivia Owner"},
        "action": "conversation.accepted",
        "target": {"kind": "conversation", "id": "50"},
        "site_id": site["id"],
        "address": office.address,
        "details": {"by": "x"},
    }


async def test_what_a_visitor_did_names_nobody(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    visitor = VisitorCaller(owner.tenant_id, site["id"], "sess_1", "192.0.2.8")
    await office.administration.audit.record(visitor, "conversation.rated", "conversation:1", site["id"])
    entry = await office.audited(owner, "conversation.rated")
    assert (entry["operator"], entry["address"]) == ({"id": None, "name": "visitor"}, "192.0.2.8")


async def test_every_filter_and_every_two_and_three_of_them_find_their_own(own_office: Office) -> None:
    office = own_office
    owner = await office.new_tenant()
    sites = [(await office.new_site(owner))["id"] for _ in range(2)]
    others = [await office.new_member(owner, *sites, can_manage=True) for _ in range(2)]
    made = list(product(sites, others, ("a.one", "a.two")))
    for site_id, who, action in made:
        await office.administration.audit.record(who, action, "thing:1", site_id)
    for site, by_whom, action in product((None, *sites), (None, *others), ("a.one", "a.two")):
        query: dict[str, Any] = {"action": action}
        if site is not None:
            query["site_id"] = site
        if by_whom is not None:
            query["operator_id"] = by_whom.operator_id
        found = await _page(office, owner, **query)
        wanted = [
            (at, by.operator_id, did)
            for at, by, did in made
            if did == action and site in (None, at) and by_whom in (None, by)
        ]
        assert [(one["site_id"], one["operator"]["id"], one["action"]) for one in reversed(found)] == wanted
    assert len(await _page(office, owner, operator_id=others[0].operator_id)) == 4


async def test_a_period_is_from_a_moment_on_and_before_another(own_office: Office) -> None:
    office = own_office
    owner = await office.new_tenant()
    moments = []
    for number in range(3):
        office.clock.pass_by(minutes=10)
        moments.append(office.clock())
        await office.administration.audit.record(owner, "a.step", f"thing:{number}")
    found = await _page(office, owner, action="a.step", from_=rfc3339(moments[1]), to=rfc3339(moments[2]))
    assert [entry["target"]["id"] for entry in found] == ["1"]
    assert (await office.call("GET", "/api/v1/audit", owner, from_="yesterday")).status == 422
    assert (await office.call("GET", "/api/v1/audit", owner, from_="2026-01-01T00:00:00")).status == 422


async def test_the_log_pages_by_cursor_newest_first_without_gap_or_repeat(own_office: Office) -> None:
    office = own_office
    owner = await office.new_tenant()
    for number in range(7):
        await office.administration.audit.record(owner, "a.step", f"thing:{number}")
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = (await office.call("GET", "/api/v1/audit", owner, action="a.step", limit=3, **cursor)).ok()
        seen += [entry["target"]["id"] for entry in page["entries"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(seen) == [str(number) for number in range(7)]
    assert len(seen) == 7
    for wrong in ("nonsense", "WzFd", "WzEsMl0x", "Wzk5OTk5OTk5OTk5OTk5OTk5LDFd"):
        assert (await office.call("GET", "/api/v1/audit", owner, cursor=wrong)).status == 422


async def test_an_owner_sees_the_whole_log_and_a_manager_that_of_their_site(office: Office) -> None:
    owner, stranger = await office.new_tenant(), await office.new_tenant()
    site, other = await office.new_site(owner), await office.new_site(owner)
    manager = await office.new_member(owner, site["id"], can_manage=True)
    chatting = await office.new_member(owner, site["id"], can_chat=True)
    await office.audited(owner, "site.created", site_id=other["id"])
    assert {entry["site_id"] for entry in await _page(office, manager, site_id=site["id"])} == {site["id"]}
    for caller, query in ((manager, {}), (manager, {"site_id": other["id"]}), (chatting, {"site_id": site["id"]})):
        assert (await office.call("GET", "/api/v1/audit", caller, **query)).status == 403
    assert await _page(office, stranger, site_id=site["id"]) == []
    assert all(entry["action"] == "tenant.created" for entry in await _page(office, stranger))


@pytest.mark.parametrize("wrong", [{"action": "A; DROP"}, {"limit": 101}, {"site_id": 0}, {"operator_id": "x"}])
async def test_a_filter_out_of_bounds_is_refused(office: Office, wrong: dict[str, Any]) -> None:
    owner = await office.new_tenant()
    assert (await office.call("GET", "/api/v1/audit", owner, **wrong)).status == 422


async def test_a_change_and_its_entry_are_one_write(own_office: Office) -> None:
    office = own_office
    owner = await office.new_tenant()
    # The process dies after the write and before anything was told: the outbox is never woken.
    await office.outbox.stop()
    site = await office.new_site(owner)
    kept = await office.mongo["sites"].find_one({"_id": site["id"]})
    assert kept is not None
    assert len(kept["outbox"]) == 1
    assert await office.mongo["audit"].find_one({"action": "site.created"}) is None
    assert await office.outbox.sweep(office.clock() + timedelta(seconds=10)) == 1
    assert (await office.audited(owner, "site.created"))["site_id"] == site["id"]
    await office.heard("site.changed", site=site["id"])
    office.outbox._idle.set()
