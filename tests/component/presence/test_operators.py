"""Operators: online while any device beats, offline by hand until set online, on their own sites alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.events.team import OperatorAccessChanged
from parley.common.messaging import Ask
from support.presence import Broker, Lag, MakeOperator, MakeVisitor, Replica, fresh_id
from support.wait import until

REFUSALS = [
    ("POST", "/api/v1/operator/heartbeat", lambda site: {"json": {"site_ids": [site]}}),
    ("POST", "/api/v1/operator/set-status", lambda site: {"json": {"site_id": site, "online": True}}),
    ("GET", "/api/v1/operator/status", lambda site: {"query": {"site_id": site}}),
    ("GET", "/api/v1/operator/online-visitors", lambda site: {"query": {"site_id": site}}),
]


async def test_a_heartbeat_brings_online_on_all_its_sites_and_is_announced_once(
    one: Replica, other: Replica, broker: Broker, operator: MakeOperator
) -> None:
    first, second = fresh_id(), fresh_id()
    alex = operator(first, second)
    ears = await broker.listen(first, second)

    code, answer = await one.operator_beats(alex, first, second, first)
    await other.operator_beats(alex, first, second)

    assert (code, answer) == (200, {"success": True, "expires_in": 75})
    status = await other.status(alex)
    assert status["online"] is True
    assert {site["site_id"]: site["online"] for site in status["sites"]} == {first: True, second: True}
    assert all(datetime.fromisoformat(site["until"]) for site in status["sites"])
    await until(lambda: len(ears.heard) >= 2)
    assert sorted((event.type, event.site_id) for event in ears.heard) == sorted(
        [("operator.online", first), ("operator.online", second)]
    )
    assert ears.heard[0].data == {"operator_id": alex.operator_id}
    assert ears.heard[0].tenant_id == alex.tenant_id
    assert ears.heard[0].actor.id == alex.operator_id


async def test_first_heartbeats_of_many_devices_at_once_are_one_transition(
    one: Replica, other: Replica, broker: Broker, operator: MakeOperator
) -> None:
    site = fresh_id()
    alex = operator(site)
    ears = await broker.listen(site)

    answers = await asyncio.gather(*(replica.operator_beats(alex, site) for replica in (one, other) * 20))
    await one.operator_sets(alex, site, online=False)

    assert {code for code, _ in answers} == {200}
    await until(lambda: ears.of("operator.offline"))
    assert ears.kinds() == ["operator.online", "operator.offline"]


async def test_a_silent_operator_is_announced_offline_once_within_a_second_by_two_replicas(
    quick: list[Replica], broker: Broker, operator: MakeOperator
) -> None:
    site = fresh_id()
    team = [operator(site) for _ in range(40)]
    ears = await broker.listen(site)

    async def beat_once(number: int, alex: OperatorCaller) -> datetime:
        await quick[number % 2].operator_beats(alex, site)
        (there,) = (await quick[0].status(alex))["sites"]
        return datetime.fromisoformat(there["until"])

    ends = await asyncio.gather(*(beat_once(number, alex) for number, alex in enumerate(team)))
    due = {alex.operator_id: end for alex, end in zip(team, ends, strict=True)}

    async with Lag() as lag:
        await until(lambda: len(ears.of("operator.offline")) >= len(team), within=30)
    await asyncio.gather(*(until_swept_again(replica, operator(site + 1), site + 1) for replica in quick))

    gone = ears.of("operator.offline")
    assert sorted(event.data["operator_id"] for event in gone) == sorted(due)
    late = [(event.occurred_at - due[event.data["operator_id"]]).total_seconds() for event in gone]
    assert min(late) >= 0
    assert max(late) < 1.0 + lag.allowance
    status = await quick[1].status(team[0])
    assert status["sites"] == [{"site_id": site, "online": False, "until": None}]


async def until_swept_again(replica: Replica, caller: OperatorCaller, site: int) -> None:
    """Until time ran out for somebody who came later: who went before them has been seen by every sweep."""
    await replica.operator_beats(caller, site)
    await until(lambda: is_offline(replica, caller))


async def is_offline(replica: Replica, caller: OperatorCaller) -> bool:
    return not (await replica.status(caller))["online"]


async def test_any_beating_device_keeps_the_operator_online(
    quick: list[Replica], broker: Broker, operator: MakeOperator
) -> None:
    site = fresh_id()
    alex = operator(site)
    ears = await broker.listen(site)
    laptop, phone = quick
    await laptop.operator_beats(alex, site)

    for _ in range(12):  # three times as long as a heartbeat holds: the laptop has fallen asleep
        await asyncio.sleep(0.5)
        await phone.operator_beats(alex, site)
        assert (await laptop.status(alex))["online"] is True

    assert ears.kinds() == ["operator.online"]
    await until(lambda: ears.kinds() == ["operator.online", "operator.offline"])


async def test_offline_by_hand_outlasts_heartbeats_until_set_online_again(
    one: Replica, other: Replica, broker: Broker, operator: MakeOperator
) -> None:
    site, elsewhere = fresh_id(), fresh_id()
    alex = operator(site, elsewhere)
    ears = await broker.listen(site)
    await one.operator_beats(alex, site, elsewhere)

    code, answer = await one.operator_sets(alex, site, online=False)
    assert (code, answer) == (200, {"success": True, "online": False, "until": None})
    for replica in (one, other):
        await replica.operator_beats(alex, site, elsewhere)
    status = {there["site_id"]: there["online"] for there in (await other.status(alex))["sites"]}
    assert status == {site: False, elsewhere: True}
    assert (await one.status(alex, site_id=site))["online"] is False

    code, answer = await other.operator_sets(alex, site, online=True)
    assert (code, answer["online"]) == (200, True)
    assert (await one.status(alex, site_id=site))["online"] is True
    await until(lambda: len(ears.heard) >= 3)
    assert ears.kinds() == ["operator.online", "operator.offline", "operator.online"]


async def test_setting_offline_who_was_never_online_is_no_news_but_holds(
    one: Replica, broker: Broker, operator: MakeOperator
) -> None:
    site = fresh_id()
    alex, sam = operator(site), operator(site)
    ears = await broker.listen(site)

    await one.operator_sets(alex, site, online=False)
    await one.operator_beats(alex, site)
    await one.operator_beats(sam, site)

    assert (await one.status(alex))["online"] is False
    await until(lambda: ears.heard)
    assert [event.data["operator_id"] for event in ears.heard] == [sam.operator_id]


@pytest.mark.parametrize(("method", "path", "shape"), REFUSALS, ids=[path.rsplit("/", 1)[1] for _, path, _ in REFUSALS])
async def test_what_is_not_the_callers_is_refused(
    one: Replica, broker: Broker, operator: MakeOperator, method: str, path: str, shape: Callable[[int], dict[str, Any]]
) -> None:
    mine, lost, unknown, foreign = (fresh_id() for _ in range(4))
    alex = operator(mine)
    broker.sites.update({lost: alex.tenant_id, foreign: fresh_id()})

    async def ask(caller: Any, site: int) -> tuple[int, dict[str, Any]]:
        asked = shape(site)
        return await one.call(method, path, caller, asked.get("json"), **asked.get("query", {}))

    assert (await ask(alex, mine))[0] == 200
    code_unknown, answer_unknown = await ask(alex, unknown)
    code_foreign, answer_foreign = await ask(alex, foreign)
    assert (code_unknown, code_foreign) == (404, 404)
    for answer in (answer_unknown, answer_foreign):
        answer.pop("request_id")
    assert answer_unknown == answer_foreign
    assert (await ask(alex, lost))[0] == 403
    powerless = operator(mine, granted=frozenset({Permission.MANAGE}))
    assert (await ask(powerless, mine))[0] == (200 if path.endswith("/status") else 403)


async def test_a_heartbeat_with_one_refused_site_writes_nothing(
    one: Replica, broker: Broker, operator: MakeOperator
) -> None:
    mine, lost, unknown = (fresh_id() for _ in range(3))
    alex = operator(mine)
    broker.sites[lost] = alex.tenant_id

    assert (await one.operator_beats(alex, mine, lost))[0] == 403
    assert (await one.operator_beats(alex, mine, unknown))[0] == 404
    assert (await one.operator_beats(alex, lost, unknown))[0] == 404
    assert (await one.status(alex))["online"] is False


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"site_ids": []},
        {"site_ids": [{"$ne": 1}]},
        {"site_ids": {"$ne": 1}},
        {"site_ids": ["1"]},
        {"site_ids": [0]},
    ],
)
async def test_a_heartbeat_of_the_wrong_shape_is_refused(one: Replica, operator: MakeOperator, body: object) -> None:
    code, answer = await one.call("POST", "/api/v1/operator/heartbeat", operator(fresh_id()), body)
    assert (code, answer["code"]) == (422, "invalid")


async def test_a_visitor_is_no_operator(one: Replica, visitor: MakeVisitor) -> None:
    site = fresh_id()
    assert (await one.call("POST", "/api/v1/operator/heartbeat", visitor(site), {"site_ids": [site]}))[0] == 401


async def test_a_suspended_operator_goes_offline_everywhere_at_once_and_stays_so(
    one: Replica, other: Replica, broker: Broker, operator: MakeOperator
) -> None:
    first, second = fresh_id(), fresh_id()
    alex = operator(first, second, version=4)
    ears = await broker.listen(first, second)
    await one.operator_beats(alex, first, second)

    change = OperatorAccessChanged(operator_id=alex.operator_id, version=5, suspended=True)
    await broker.publish(change, tenant_id=alex.tenant_id, site_id=0)

    await until(lambda: len(ears.of("operator.offline")) == 2)
    await other.operator_beats(alex, first, second)  # with an identity from before
    await other.operator_sets(alex, first, online=True)
    assert (await one.status(alex))["online"] is False


async def test_who_loses_a_site_goes_offline_there_alone(one: Replica, broker: Broker, operator: MakeOperator) -> None:
    kept, lost, muted = (fresh_id() for _ in range(3))
    alex = operator(kept, lost, muted)
    ears = await broker.listen(kept, lost, muted)
    await one.operator_beats(alex, kept, lost, muted)
    broker.teams[kept] = [{"operator_id": alex.operator_id, "language": "en", "permissions": ["can_chat"]}]
    broker.teams[muted] = [{"operator_id": alex.operator_id, "language": "en", "permissions": ["can_manage"]}]

    change = OperatorAccessChanged(operator_id=alex.operator_id, version=2)
    await broker.publish(change, tenant_id=alex.tenant_id, site_id=0)

    await until(lambda: len(ears.of("operator.offline")) == 2)
    status = {there["site_id"]: there["online"] for there in (await one.status(alex))["sites"]}
    assert status == {kept: True, lost: False, muted: False}


async def test_one_ended_session_takes_nobody_offline(one: Replica, broker: Broker, operator: MakeOperator) -> None:
    site = fresh_id()
    alex, sam = operator(site), operator(site)
    ears = await broker.listen(site)
    await one.operator_beats(alex, site)
    await one.operator_beats(sam, site)

    logout = OperatorAccessChanged(operator_id=alex.operator_id, version=2, session_id="a", suspended=False)
    await broker.publish(logout, tenant_id=alex.tenant_id, site_id=0)
    suspension = OperatorAccessChanged(operator_id=sam.operator_id, version=2, suspended=True)
    await broker.publish(suspension, tenant_id=sam.tenant_id, site_id=0)

    await until(lambda: ears.of("operator.offline"))
    assert [event.data["operator_id"] for event in ears.of("operator.offline")] == [sam.operator_id]
    assert (await one.status(alex))["online"] is True


async def test_others_may_ask_who_is_online_on_a_site(one: Replica, broker: Broker, operator: MakeOperator) -> None:
    site = fresh_id()
    team = [operator(site) for _ in range(3)]
    ask = Ask("presence")
    await broker.add(ask)
    for alex in team:
        await one.operator_beats(alex, site)
    await one.operator_sets(team[0], site, online=False)

    expected = sorted(alex.operator_id for alex in team[1:])
    assert await ask("operators_online", site_id=site) == {"operator_ids": expected}
    assert await ask("operators_online", site_id=fresh_id()) == {"operator_ids": []}
