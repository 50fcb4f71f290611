"""Operator presence: heartbeats, expiry, manual status and access changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.events.team import OperatorAccessChanged
from parley.common.messaging import RpcClient
from support.presence import BrokerPeer, MakeOperator, MakeVisitor, Replica, fresh_id
from support.wait import SchedulingDelay, wait_until

SITE_ENDPOINTS = [
    ("POST", "/api/v1/operator/heartbeat", lambda site: {"json": {"site_ids": [site]}}),
    ("POST", "/api/v1/operator/set-status", lambda site: {"json": {"site_id": site, "online": True}}),
    ("GET", "/api/v1/operator/status", lambda site: {"query": {"site_id": site}}),
    ("GET", "/api/v1/operator/online-visitors", lambda site: {"query": {"site_id": site}}),
]


async def test_heartbeat_brings_operator_online_on_all_its_sites_with_one_event_each(
    replica_a: Replica, replica_b: Replica, broker: BrokerPeer, make_operator: MakeOperator
) -> None:
    first, second = fresh_id(), fresh_id()
    alex = make_operator(first, second)
    recorder = await broker.record_events(first, second)

    code, response = await replica_a.operator_heartbeat(alex, first, second, first)
    await replica_b.operator_heartbeat(alex, first, second)

    assert (code, response) == (200, {"success": True, "expires_in": 75})
    status = await replica_b.get_status(alex)
    assert status["online"] is True
    assert {site["site_id"]: site["online"] for site in status["sites"]} == {first: True, second: True}
    assert all(datetime.fromisoformat(site["until"]) for site in status["sites"])
    await wait_until(lambda: len(recorder.events) >= 2)
    assert sorted((event.type, event.site_id) for event in recorder.events) == sorted(
        [("operator.online", first), ("operator.online", second)]
    )
    assert recorder.events[0].data == {"operator_id": alex.operator_id}
    assert recorder.events[0].tenant_id == alex.tenant_id
    assert recorder.events[0].actor.id == alex.operator_id


async def test_concurrent_first_heartbeats_of_many_devices_are_one_transition(
    replica_a: Replica, replica_b: Replica, broker: BrokerPeer, make_operator: MakeOperator
) -> None:
    site = fresh_id()
    alex = make_operator(site)
    recorder = await broker.record_events(site)

    responses = await asyncio.gather(
        *(replica.operator_heartbeat(alex, site) for replica in (replica_a, replica_b) * 20)
    )
    await replica_a.set_operator_status(alex, site, online=False)

    assert {code for code, _ in responses} == {200}
    await wait_until(lambda: recorder.of_type("operator.offline"))
    assert recorder.event_types() == ["operator.online", "operator.offline"]


async def test_two_replicas_announce_an_expired_operator_once_within_a_second(
    short_ttl_replicas: list[Replica], broker: BrokerPeer, make_operator: MakeOperator
) -> None:
    site = fresh_id()
    team = [make_operator(site) for _ in range(40)]
    recorder = await broker.record_events(site)

    async with SchedulingDelay() as delay:
        await asyncio.gather(
            *(short_ttl_replicas[number % 2].operator_heartbeat(alex, site) for number, alex in enumerate(team))
        )
        await wait_until(lambda: len(recorder.of_type("operator.offline")) >= len(team), timeout=30)
    await asyncio.gather(
        *(wait_for_next_sweep(replica, make_operator(site + 1), site + 1) for replica in short_ttl_replicas)
    )

    offline_events = recorder.of_type("operator.offline")
    assert sorted(event.data["operator_id"] for event in offline_events) == sorted(alex.operator_id for alex in team)
    online_at = {event.data["operator_id"]: event.occurred_at for event in recorder.of_type("operator.online")}
    delays = [
        (event.occurred_at - online_at[event.data["operator_id"]]).total_seconds() - 2 for event in offline_events
    ]
    assert min(delays) >= 0
    assert max(delays) < 1.0 + delay.tolerance_seconds
    status = await short_ttl_replicas[1].get_status(team[0])
    assert status["sites"] == [{"site_id": site, "online": False, "until": None}]


async def wait_for_next_sweep(replica: Replica, caller: OperatorCaller, site: int) -> None:
    """Wait until an operator who came online later has expired: every sweep has then seen the earlier records."""
    await replica.operator_heartbeat(caller, site)
    await wait_until(lambda: is_offline(replica, caller))


async def is_offline(replica: Replica, caller: OperatorCaller) -> bool:
    return not (await replica.get_status(caller))["online"]


async def test_heartbeats_of_any_device_keep_the_operator_online(
    short_ttl_replicas: list[Replica], broker: BrokerPeer, make_operator: MakeOperator
) -> None:
    site = fresh_id()
    alex = make_operator(site)
    recorder = await broker.record_events(site)
    laptop, phone = short_ttl_replicas
    await laptop.operator_heartbeat(alex, site)

    for _ in range(12):  # three times the time to live: the laptop is asleep
        await asyncio.sleep(0.5)
        await phone.operator_heartbeat(alex, site)
        assert (await laptop.get_status(alex))["online"] is True

    assert recorder.event_types() == ["operator.online"]
    await wait_until(lambda: recorder.event_types() == ["operator.online", "operator.offline"])


async def test_manual_offline_overrides_heartbeats_until_set_online_again(
    replica_a: Replica, replica_b: Replica, broker: BrokerPeer, make_operator: MakeOperator
) -> None:
    site, elsewhere = fresh_id(), fresh_id()
    alex = make_operator(site, elsewhere)
    recorder = await broker.record_events(site)
    await replica_a.operator_heartbeat(alex, site, elsewhere)

    code, response = await replica_a.set_operator_status(alex, site, online=False)
    assert (code, response) == (200, {"success": True, "online": False, "until": None})
    for replica in (replica_a, replica_b):
        await replica.operator_heartbeat(alex, site, elsewhere)
    status = {
        site_status["site_id"]: site_status["online"] for site_status in (await replica_b.get_status(alex))["sites"]
    }
    assert status == {site: False, elsewhere: True}
    assert (await replica_a.get_status(alex, site_id=site))["online"] is False

    code, response = await replica_b.set_operator_status(alex, site, online=True)
    assert (code, response["online"]) == (200, True)
    assert (await replica_a.get_status(alex, site_id=site))["online"] is True
    await wait_until(lambda: len(recorder.events) >= 3)
    assert recorder.event_types() == ["operator.online", "operator.offline", "operator.online"]


async def test_setting_offline_before_the_first_heartbeat_publishes_nothing_but_holds(
    replica_a: Replica, broker: BrokerPeer, make_operator: MakeOperator
) -> None:
    site = fresh_id()
    alex, sam = make_operator(site), make_operator(site)
    recorder = await broker.record_events(site)

    await replica_a.set_operator_status(alex, site, online=False)
    await replica_a.operator_heartbeat(alex, site)
    await replica_a.operator_heartbeat(sam, site)

    assert (await replica_a.get_status(alex))["online"] is False
    await wait_until(lambda: recorder.events)
    assert [event.data["operator_id"] for event in recorder.events] == [sam.operator_id]


@pytest.mark.parametrize(
    ("method", "path", "build_arguments"), SITE_ENDPOINTS, ids=[path.rsplit("/", 1)[1] for _, path, _ in SITE_ENDPOINTS]
)
async def test_sites_of_other_operators_and_tenants_are_refused(
    replica_a: Replica,
    broker: BrokerPeer,
    make_operator: MakeOperator,
    method: str,
    path: str,
    build_arguments: Callable[[int], dict[str, Any]],
) -> None:
    own, unassigned, unknown, foreign = (fresh_id() for _ in range(4))
    alex = make_operator(own)
    broker.tenant_by_site.update({unassigned: alex.tenant_id, foreign: fresh_id()})

    async def ask(caller: Any, site: int) -> tuple[int, dict[str, Any]]:
        arguments = build_arguments(site)
        return await replica_a.call(method, path, caller, arguments.get("json"), **arguments.get("query", {}))

    assert (await ask(alex, own))[0] == 200
    code_unknown, response_unknown = await ask(alex, unknown)
    code_foreign, response_foreign = await ask(alex, foreign)
    assert (code_unknown, code_foreign) == (404, 404)
    for response in (response_unknown, response_foreign):
        response.pop("request_id")
    assert response_unknown == response_foreign
    assert (await ask(alex, unassigned))[0] == 403
    manager = make_operator(own, granted=frozenset({Permission.MANAGE}))
    assert (await ask(manager, own))[0] == (200 if path.endswith("/status") else 403)


async def test_heartbeat_with_one_refused_site_changes_nothing(
    replica_a: Replica, broker: BrokerPeer, make_operator: MakeOperator
) -> None:
    own, unassigned, unknown = (fresh_id() for _ in range(3))
    alex = make_operator(own)
    broker.tenant_by_site[unassigned] = alex.tenant_id

    assert (await replica_a.operator_heartbeat(alex, own, unassigned))[0] == 403
    assert (await replica_a.operator_heartbeat(alex, own, unknown))[0] == 404
    assert (await replica_a.operator_heartbeat(alex, unassigned, unknown))[0] == 404
    assert (await replica_a.get_status(alex))["online"] is False


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
async def test_malformed_heartbeat_is_refused(replica_a: Replica, make_operator: MakeOperator, body: object) -> None:
    code, response = await replica_a.call("POST", "/api/v1/operator/heartbeat", make_operator(fresh_id()), body)
    assert (code, response["code"]) == (422, "invalid")


async def test_visitor_cannot_call_operator_endpoints(replica_a: Replica, make_visitor: MakeVisitor) -> None:
    site = fresh_id()
    assert (await replica_a.call("POST", "/api/v1/operator/heartbeat", make_visitor(site), {"site_ids": [site]}))[
        0
    ] == 401


async def test_suspended_operator_goes_offline_on_every_site_and_stays_offline(
    replica_a: Replica, replica_b: Replica, broker: BrokerPeer, make_operator: MakeOperator
) -> None:
    first, second = fresh_id(), fresh_id()
    alex = make_operator(first, second, version=4)
    recorder = await broker.record_events(first, second)
    await replica_a.operator_heartbeat(alex, first, second)

    change = OperatorAccessChanged(operator_id=alex.operator_id, version=5, suspended=True)
    await broker.publish(change, tenant_id=alex.tenant_id, site_id=0)

    await wait_until(lambda: len(recorder.of_type("operator.offline")) == 2)
    await replica_b.operator_heartbeat(alex, first, second)  # with an identity issued before the suspension
    await replica_b.set_operator_status(alex, first, online=True)
    assert (await replica_a.get_status(alex))["online"] is False


async def test_operator_who_loses_a_site_goes_offline_on_that_site_only(
    replica_a: Replica, broker: BrokerPeer, make_operator: MakeOperator
) -> None:
    kept, unassigned, muted = (fresh_id() for _ in range(3))
    alex = make_operator(kept, unassigned, muted)
    recorder = await broker.record_events(kept, unassigned, muted)
    await replica_a.operator_heartbeat(alex, kept, unassigned, muted)
    broker.team_by_site[kept] = [{"operator_id": alex.operator_id, "language": "en", "permissions": ["can_chat"]}]
    broker.team_by_site[muted] = [{"operator_id": alex.operator_id, "language": "en", "permissions": ["can_manage"]}]

    change = OperatorAccessChanged(operator_id=alex.operator_id, version=2)
    await broker.publish(change, tenant_id=alex.tenant_id, site_id=0)

    await wait_until(lambda: len(recorder.of_type("operator.offline")) == 2)
    status = {
        site_status["site_id"]: site_status["online"] for site_status in (await replica_a.get_status(alex))["sites"]
    }
    assert status == {kept: True, unassigned: False, muted: False}


async def test_end_of_one_session_does_not_take_the_operator_offline(
    replica_a: Replica, broker: BrokerPeer, make_operator: MakeOperator
) -> None:
    site = fresh_id()
    alex, sam = make_operator(site), make_operator(site)
    recorder = await broker.record_events(site)
    await replica_a.operator_heartbeat(alex, site)
    await replica_a.operator_heartbeat(sam, site)

    logout = OperatorAccessChanged(operator_id=alex.operator_id, version=2, session_id="a", suspended=False)
    await broker.publish(logout, tenant_id=alex.tenant_id, site_id=0)
    suspension = OperatorAccessChanged(operator_id=sam.operator_id, version=2, suspended=True)
    await broker.publish(suspension, tenant_id=sam.tenant_id, site_id=0)

    await wait_until(lambda: recorder.of_type("operator.offline"))
    assert [event.data["operator_id"] for event in recorder.of_type("operator.offline")] == [sam.operator_id]
    assert (await replica_a.get_status(alex))["online"] is True


async def test_rpc_returns_the_operators_online_on_a_site(
    replica_a: Replica, broker: BrokerPeer, make_operator: MakeOperator
) -> None:
    site = fresh_id()
    team = [make_operator(site) for _ in range(3)]
    presence = RpcClient("presence")
    await broker.add_sessions(presence)
    for alex in team:
        await replica_a.operator_heartbeat(alex, site)
    await replica_a.set_operator_status(team[0], site, online=False)

    expected = sorted(alex.operator_id for alex in team[1:])
    assert await presence("operators_online", site_id=site) == {"operator_ids": expected}
    assert await presence("operators_online", site_id=fresh_id()) == {"operator_ids": []}
