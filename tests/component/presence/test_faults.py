"""What becomes of presence when a replica, the broker or the database goes."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from support.presence import Broker, Installation, MakeCable, MakeOperator, MakeVisitor, Replica, fresh_id
from support.wait import until


async def test_what_a_killed_replica_owes_the_other_announces(
    installation: Installation, broker: Broker, operator: MakeOperator, visitor: MakeVisitor
) -> None:
    site = fresh_id()
    alex, guests = operator(site), [visitor(site) for _ in range(30)]
    ears = await broker.listen(site)
    doomed, survivor = await asyncio.gather(
        *(installation.start(PARLEY_ONLINE_SECONDS="3", PARLEY_FLUSH_SECONDS="0.05") for _ in range(2))
    )
    await doomed.operator_beats(alex, site)
    await asyncio.gather(*(doomed.visitor_beats(guest) for guest in guests))
    await until(lambda: len(ears.heard) >= 31)

    await doomed.kill()

    await until(lambda: len(ears.of("visitor.offline")) + len(ears.of("operator.offline")) >= 31)
    assert {event.session for event in ears.of("visitor.offline")} == {guest.session for guest in guests}
    assert len(ears.heard) == 62
    assert (await survivor.status(alex))["online"] is False


async def test_without_the_broker_heartbeats_work_and_the_news_comes_later(
    installation: Installation,
    broker: Broker,
    operator: MakeOperator,
    visitor: MakeVisitor,
    cable: MakeCable,
    amqp_url: str,
) -> None:
    at = urlsplit(amqp_url)
    wire = await cable(at.hostname or "", at.port or 5672)
    netloc = at.netloc.rsplit("@", 1)[0] + f"@127.0.0.1:{wire.port}"
    replica = await installation.start(AMQP_URL=at._replace(netloc=netloc).geturl())
    site = fresh_id()
    alex, guest = operator(site), visitor(site)
    ears = await broker.listen(site)

    await wire.pull()
    await until(lambda: is_not_ready(replica))
    assert (await replica.operator_beats(alex, site))[0] == 200
    assert (await replica.status(alex))["online"] is True
    assert (await replica.visitor_beats(guest, "https://shop.example/a"))[0] == 200
    await until(lambda: sees(replica, alex, "https://shop.example/a"))
    assert (await replica.visitor_beats(guest, "https://shop.example/b"))[0] == 200
    await until(lambda: sees(replica, alex, "https://shop.example/b"))
    code, answer = await replica.operator_beats(alex, fresh_id())
    assert (code, answer["code"]) == (503, "unavailable")
    assert ears.heard == []

    await wire.plug()
    await until(lambda: len(ears.heard) >= 3, within=20)
    assert [event.type for event in ears.heard if event.session is None] == ["operator.online"]
    assert [event.type for event in ears.heard if event.session] == ["visitor.online", "visitor.page"]
    await until(replica.is_ready)


async def is_not_ready(replica: Replica) -> bool:
    return not await replica.is_ready()


async def sees(replica: Replica, caller: OperatorCaller, page: str) -> bool:
    return any(seen["page"] == page for seen in (await replica.visitors(caller))["visitors"])


async def test_without_the_database_heartbeats_are_refused_and_none_taken_before_is_lost(
    installation: Installation,
    broker: Broker,
    operator: MakeOperator,
    visitor: MakeVisitor,
    cable: MakeCable,
    mongodb_uri: str,
) -> None:
    at = urlsplit(mongodb_uri)
    host, _, port = at.netloc.rsplit("@", 1)[-1].partition(":")
    wire = await cable(host, int(port or 27017))
    through = mongodb_uri.replace(f"{host}:{port}", f"127.0.0.1:{wire.port}").replace(
        f"replicaSet={dict(part.split('=') for part in at.query.split('&'))['replicaSet']}", "directConnection=true"
    )
    replica = await installation.start(MONGODB_URI=through)
    site = fresh_id()
    alex, early = operator(site), visitor(site)
    ears = await broker.listen(site)

    await wire.pull()
    assert (await replica.visitor_beats(early))[0] == 200  # taken before the loss was noticed
    await until(lambda: refuses(replica, visitor(site)), within=20)
    code, answer = await replica.operator_beats(alex, site)
    assert (code, answer["code"]) == (503, "unavailable")

    await wire.plug()
    await until(lambda: any(event.session == early.session for event in ears.heard), within=20)
    await until(replica.is_ready)
    assert (await replica.operator_beats(alex, site))[0] == 200


async def refuses(replica: Replica, guest: VisitorCaller) -> bool:
    code, _ = await replica.visitor_beats(guest)
    return code == 503
