"""Presence when a replica, the broker or the database fails."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from support.presence import BrokerPeer, Deployment, MakeOperator, MakeProxy, MakeVisitor, Replica, fresh_id
from support.wait import wait_until


async def test_other_replica_announces_expiries_of_a_killed_replica(
    deployment: Deployment, broker: BrokerPeer, make_operator: MakeOperator, make_visitor: MakeVisitor
) -> None:
    site = fresh_id()
    alex, guests = make_operator(site), [make_visitor(site) for _ in range(30)]
    recorder = await broker.record_events(site)
    killed, survivor = await asyncio.gather(
        *(deployment.start(PARLEY_ONLINE_SECONDS="3", PARLEY_FLUSH_SECONDS="0.05") for _ in range(2))
    )
    await killed.operator_heartbeat(alex, site)
    await asyncio.gather(*(killed.visitor_heartbeat(guest) for guest in guests))
    await wait_until(lambda: len(recorder.events) >= 31)

    await killed.kill()

    await wait_until(lambda: len(recorder.of_type("visitor.offline")) + len(recorder.of_type("operator.offline")) >= 31)
    assert {event.session for event in recorder.of_type("visitor.offline")} == {guest.session for guest in guests}
    assert len(recorder.events) == 62
    assert (await survivor.get_status(alex))["online"] is False


async def test_heartbeats_work_without_the_broker_and_events_are_published_later(
    deployment: Deployment,
    broker: BrokerPeer,
    make_operator: MakeOperator,
    make_visitor: MakeVisitor,
    make_proxy: MakeProxy,
    amqp_url: str,
) -> None:
    url = urlsplit(amqp_url)
    proxy = await make_proxy(url.hostname or "", url.port or 5672)
    netloc = url.netloc.rsplit("@", 1)[0] + f"@127.0.0.1:{proxy.port}"
    replica = await deployment.start(AMQP_URL=url._replace(netloc=netloc).geturl())
    site = fresh_id()
    alex, guest = make_operator(site), make_visitor(site)
    recorder = await broker.record_events(site)

    proxy.disconnect()
    await wait_until(lambda: is_degraded(replica))
    assert (await replica.operator_heartbeat(alex, site))[0] == 200
    assert (await replica.get_status(alex))["online"] is True
    assert (await replica.visitor_heartbeat(guest, "https://shop.example/a"))[0] == 200
    await wait_until(lambda: is_on_page(replica, alex, "https://shop.example/a"))
    assert (await replica.visitor_heartbeat(guest, "https://shop.example/b"))[0] == 200
    await wait_until(lambda: is_on_page(replica, alex, "https://shop.example/b"))
    code, response = await replica.operator_heartbeat(alex, fresh_id())
    assert (code, response["code"]) == (503, "unavailable")
    assert recorder.events == []

    proxy.reconnect()
    await wait_until(lambda: len(recorder.events) >= 3, timeout=20)
    assert [event.type for event in recorder.events if event.session is None] == ["operator.online"]
    assert [event.type for event in recorder.events if event.session] == ["visitor.online", "visitor.page"]
    await wait_until(replica.is_ready)


async def is_degraded(replica: Replica) -> bool:
    readiness = await replica.readiness()
    assert readiness is not None
    assert readiness["ready"], "requests do without the broker"
    return "rabbitmq" in readiness["degraded"]


async def is_on_page(replica: Replica, caller: OperatorCaller, page: str) -> bool:
    return any(visitor["page"] == page for visitor in (await replica.list_visitors(caller))["visitors"])


async def test_heartbeats_are_refused_without_the_database_and_accepted_ones_are_not_lost(
    deployment: Deployment,
    broker: BrokerPeer,
    make_operator: MakeOperator,
    make_visitor: MakeVisitor,
    make_proxy: MakeProxy,
    mongodb_uri: str,
) -> None:
    url = urlsplit(mongodb_uri)
    host, _, port = url.netloc.rsplit("@", 1)[-1].partition(":")
    proxy = await make_proxy(host, int(port or 27017))
    proxied_uri = mongodb_uri.replace(f"{host}:{port}", f"127.0.0.1:{proxy.port}").replace(
        f"replicaSet={dict(part.split('=') for part in url.query.split('&'))['replicaSet']}", "directConnection=true"
    )
    replica = await deployment.start(MONGODB_URI=proxied_uri)
    site = fresh_id()
    alex, accepted = make_operator(site), make_visitor(site)
    recorder = await broker.record_events(site)

    proxy.disconnect()
    assert (await replica.visitor_heartbeat(accepted))[0] == 200  # before the failure is detected
    await wait_until(lambda: refuses_heartbeats(replica, make_visitor(site)), timeout=20)
    code, response = await replica.operator_heartbeat(alex, site)
    assert (code, response["code"]) == (503, "unavailable")

    proxy.reconnect()
    await wait_until(lambda: any(event.session == accepted.session for event in recorder.events), timeout=20)
    await wait_until(replica.is_ready)
    assert (await replica.operator_heartbeat(alex, site))[0] == 200


async def refuses_heartbeats(replica: Replica, guest: VisitorCaller) -> bool:
    code, _ = await replica.visitor_heartbeat(guest)
    return code == 503
