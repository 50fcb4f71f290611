"""Visitor presence: batched heartbeats, transitions announced once, and lists limited to the operator's sites."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parley.common.auth.identity import OperatorCaller, Permission, VisitorCaller
from parley.common.events import EventData
from parley.common.events.conversations import ConversationAccepted, ConversationClosed, ConversationCreated
from parley.common.events.schemas import ConversationSchema, Mode, VisitorSchema
from parley.common.events.team import OperatorAccessChanged
from parley.common.messaging import RpcClient
from support.presence import BrokerPeer, Deployment, MakeOperator, MakeVisitor, Replica, fresh_id
from support.wait import SchedulingDelay, wait_until

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


async def test_operator_sees_online_visitors_and_their_pages(
    replica_a: Replica, replica_b: Replica, make_operator: MakeOperator, make_visitor: MakeVisitor, broker: BrokerPeer
) -> None:
    site = fresh_id()
    alex, guest = make_operator(site), make_visitor(site)
    recorder = await broker.record_events(site)

    code, response = await replica_a.visitor_heartbeat(
        guest, "https://shop.example/$cart", title="$5 off", referrer="https://search.example/?q=a", lang="de-AT"
    )

    assert (code, response["expires_in"]) == (200, 75)
    (event,) = await wait_until(lambda: recorder.events)
    (visitor,) = (await replica_b.list_visitors(alex))["visitors"]
    since = visitor.pop("since")
    assert abs((datetime.fromisoformat(since) - datetime.now(UTC)).total_seconds()) < 10
    assert visitor == {
        "site_id": site,
        "session_id": guest.session,
        "page": "https://shop.example/$cart",
        "title": "$5 off",
        "referrer": "https://search.example/",
        "language": "de-AT",
        "conversation_id": None,
    }
    assert event.type == "visitor.online"
    assert event.data["visitor"] == {**visitor, "since": since}
    assert (event.session, event.tenant_id, event.site_id) == (guest.session, guest.tenant_id, site)


async def test_list_of_a_site_says_where_its_widget_was_last_seen(
    replica_a: Replica, replica_b: Replica, make_operator: MakeOperator, make_visitor: MakeVisitor
) -> None:
    site = fresh_id()
    alex = make_operator(site)
    guest = replace(make_visitor(site), page_tracking=False)

    async def list_site() -> dict[str, Any]:
        code, body = await replica_b.call("GET", "/api/v1/operator/online-visitors", alex, site_id=site)
        assert code == 200, body
        return body

    async def find_widget() -> Any:
        return (await list_site())["widget"]

    # Every site has the demo page: it says nothing about the site's own pages.
    await replica_a.visitor_heartbeat(make_visitor(site), "https://parley.example/demo?site_key=pk_1")

    async def find_visitors() -> Any:
        return (await list_site())["visitors"]

    await wait_until(find_visitors)
    assert await find_widget() is None
    await replica_a.visitor_heartbeat(guest, "https://user@shop.example:8443/cart?token=1")
    widget = await wait_until(find_widget)
    assert widget["origin"] == "https://shop.example:8443"
    assert abs((datetime.fromisoformat(widget["seen_at"]) - datetime.now(UTC)).total_seconds()) < 10


async def test_heartbeat_tells_the_widget_what_the_site_has_set(replica_a: Replica, make_visitor: MakeVisitor) -> None:
    guest = replace(
        make_visitor(fresh_id()),
        colour="#7a1fa2",
        page_tracking=False,
        page_parameters=("product", "size"),
        triggers="v1",
    )
    _, response = await replica_a.visitor_heartbeat(guest, lang="de-AT")
    assert response == {
        "success": True,
        "expires_in": 75,
        "colour": "#7a1fa2",
        "page_tracking": False,
        "page_parameters": ["product", "size"],
        "triggers": "v1",
        "texts": {
            "language": "de",
            "open_chat": "Chat öffnen",
            "load_failed": "Der Chat konnte nicht geladen werden. Neuer Versuch …",
        },
    }
    _, response = await replica_a.visitor_heartbeat(guest, lang="tlh")
    assert (response["texts"]["language"], response["texts"]["open_chat"]) == ("en", "Open chat")


async def test_long_fields_are_truncated_and_invalid_referrers_dropped(
    replica_a: Replica, make_operator: MakeOperator, make_visitor: MakeVisitor
) -> None:
    site = fresh_id()
    alex = make_operator(site)
    page = "https://shop.example/" + "a" * 5000
    await replica_a.visitor_heartbeat(
        make_visitor(site), page, title="t\n" * 400, referrer="javascript:alert(1)", lang=""
    )

    (visitor,) = (await wait_until(lambda: has_visitors(replica_a, alex, 1)))["visitors"]
    assert visitor["page"] == page[:2048]
    assert visitor["title"] == ("t " * 400)[:300]
    assert (visitor["referrer"], visitor["language"]) == (None, None)


async def has_visitors(replica: Replica, caller: OperatorCaller, count: int, **query: Any) -> dict[str, Any] | None:
    response = await replica.list_visitors(caller, **query)
    return response if len(response["visitors"]) >= count else None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"page": ""},
        {"page": "javascript:alert(1)"},
        {"page": "https://"},
        {"page": "https://a b/"},
        {"page": {"$ne": 1}},
        {"page": 5},
        {"page": "https://shop.example/", "lang": "de_AT!"},
        {"page": "https://shop.example/", "lang": "a" * 36},
        {"page": "https://shop.example/", "title": ["x"]},
        {"page": "https://shop.example/" + "a" * 17_000},
    ],
)
async def test_malformed_heartbeat_is_refused(replica_a: Replica, make_visitor: MakeVisitor, body: object) -> None:
    code, response = await replica_a.call("POST", "/api/v1/chat/heartbeat", make_visitor(fresh_id()), body)
    assert (code, response["code"]) == (422, "invalid")


async def test_lists_contain_only_the_callers_sites(
    replica_a: Replica, make_operator: MakeOperator, make_visitor: MakeVisitor
) -> None:
    tenant = fresh_id()
    own, blind, foreign = (fresh_id() for _ in range(3))
    guests = {site: make_visitor(site, tenant) for site in (own, blind, foreign)}
    await asyncio.gather(*(replica_a.visitor_heartbeat(guest) for guest in guests.values()))
    alex, stranger = make_operator(own, tenant=tenant), make_operator(foreign)
    no_view = make_operator(blind, tenant=tenant, granted=frozenset({Permission.CHAT}))

    await wait_until(lambda: has_visitors(replica_a, stranger, 1))
    (visitor,) = (await wait_until(lambda: has_visitors(replica_a, alex, 1)))["visitors"]
    assert visitor["session_id"] == guests[own].session
    assert (await replica_a.call("GET", "/api/v1/operator/all-online-visitors", no_view))[0] == 403
    limited = replace(alex, sites={own: alex.sites[own], blind: frozenset({Permission.CHAT})})
    assert [visitor["session_id"] for visitor in (await replica_a.list_visitors(limited))["visitors"]] == [
        guests[own].session
    ]
    assert (await replica_a.list_visitors(make_operator()))["visitors"] == []


async def test_site_is_optional_only_for_callers_with_one_site(
    replica_a: Replica, make_operator: MakeOperator, make_visitor: MakeVisitor
) -> None:
    own, second = fresh_id(), fresh_id()
    alex = make_operator(own)
    guest = make_visitor(own)
    await replica_a.visitor_heartbeat(guest)
    await wait_until(lambda: has_visitors(replica_a, alex, 1))

    code, response = await replica_a.call("GET", "/api/v1/operator/online-visitors", alex)
    assert (code, [visitor["session_id"] for visitor in response["visitors"]]) == (200, [guest.session])
    code, response = await replica_a.call("GET", "/api/v1/operator/online-visitors", make_operator(own, second))
    assert (code, list(response["errors"])) == (422, ["site_id"])


async def test_paging_returns_every_visitor_exactly_once(
    replica_a: Replica, replica_b: Replica, make_operator: MakeOperator, make_visitor: MakeVisitor
) -> None:
    sites = [fresh_id(), fresh_id()]
    alex = make_operator(*sites)
    guests = [make_visitor(sites[number % 2]) for number in range(23)]
    await asyncio.gather(*(replica_a.visitor_heartbeat(guest) for guest in guests))
    await wait_until(lambda: has_visitors(replica_a, alex, 23))

    rows: list[dict[str, Any]] = []
    query: dict[str, Any] = {}
    while True:
        page = await replica_b.list_visitors(alex, limit=5, **query)
        rows.extend(page["visitors"])
        assert len(page["visitors"]) <= 5
        if page["next_cursor"] is None:
            break
        query = {"cursor": page["next_cursor"]}

    assert sorted(row["session_id"] for row in rows) == sorted(guest.session for guest in guests)
    assert [row["since"] for row in rows] == sorted((row["since"] for row in rows), reverse=True)
    code, response = await replica_a.call("GET", "/api/v1/operator/all-online-visitors", alex, cursor="bm9wZQ")
    assert (code, list(response["errors"])) == (422, ["cursor"])


async def test_page_change_is_announced_once_and_the_same_page_never(
    replica_a: Replica, replica_b: Replica, broker: BrokerPeer, make_operator: MakeOperator, make_visitor: MakeVisitor
) -> None:
    site = fresh_id()
    alex, guest = make_operator(site), make_visitor(site)
    recorder = await broker.record_events(site)
    await replica_a.visitor_heartbeat(guest, "https://shop.example/a", title="A")
    await wait_until(lambda: recorder.of_type("visitor.online"))

    await replica_a.visitor_heartbeat(guest, "https://shop.example/a", title="A, loaded")
    await wait_until(lambda: has_title(replica_a, alex, "A, loaded"))
    await replica_a.visitor_heartbeat(guest, "https://shop.example/b")
    await wait_until(lambda: recorder.of_type("visitor.page"))
    await replica_b.visitor_heartbeat(guest, "https://shop.example/b")
    await replica_a.visitor_heartbeat(guest, "https://shop.example/b")
    await replica_a.visitor_heartbeat(guest, "https://shop.example/c")
    await wait_until(lambda: len(recorder.of_type("visitor.page")) >= 2)

    assert recorder.event_types() == ["visitor.online", "visitor.page", "visitor.page"]
    assert [event.data["visitor"]["page"][-1] for event in recorder.events] == ["a", "b", "c"]
    assert len({event.data["visitor"]["since"] for event in recorder.events}) == 1


async def has_title(replica: Replica, caller: OperatorCaller, title: str) -> bool:
    return any(visitor["title"] == title for visitor in (await replica.list_visitors(caller))["visitors"])


async def test_burst_of_heartbeats_is_written_in_batches(
    replica_a: Replica, broker: BrokerPeer, make_operator: MakeOperator, make_visitor: MakeVisitor
) -> None:
    site = fresh_id()
    alex = make_operator(site)
    recorder = await broker.record_events(site)
    guests = [make_visitor(site) for _ in range(2000)]
    before = [await replica_a.metric(f"parley_presence_batch_heartbeats_{part}") for part in ("count", "sum")]

    responses = await asyncio.gather(*(replica_a.visitor_heartbeat(guest) for guest in guests))
    assert {code for code, _ in responses} == {200}
    await wait_until(lambda: len(recorder.events) >= 2000, timeout=60)

    assert {event.session for event in recorder.events} == {guest.session for guest in guests}
    assert recorder.event_types() == ["visitor.online"] * 2000
    count, total = [await replica_a.metric(f"parley_presence_batch_heartbeats_{part}") for part in ("count", "sum")]
    assert total - before[1] == 2000
    assert count - before[0] <= 100
    sessions: set[str] = set()
    query: dict[str, Any] = {}
    while True:
        page = await replica_a.list_visitors(alex, limit=100, **query)
        sessions |= {row["session_id"] for row in page["visitors"]}
        if page["next_cursor"] is None:
            break
        query = {"cursor": page["next_cursor"]}
    assert len(sessions) == 2000


async def test_heartbeats_at_two_replicas_are_announced_once(
    replica_a: Replica, replica_b: Replica, broker: BrokerPeer, make_visitor: MakeVisitor
) -> None:
    site = fresh_id()
    guests = [make_visitor(site) for _ in range(50)]
    marker = make_visitor(site)
    recorder = await broker.record_events(site)

    await asyncio.gather(*(replica.visitor_heartbeat(guest) for guest in guests for replica in (replica_a, replica_b)))
    await wait_until(lambda: len({event.session for event in recorder.events}) == 50)
    for replica in (replica_a, replica_b):  # marks that all earlier writes are published
        await replica.visitor_heartbeat(marker, f"https://shop.example/{replica.port}")
        await wait_until(lambda: recorder.events[-1].session == marker.session)

    assert len([event for event in recorder.events if event.session != marker.session]) == 50


async def test_many_expired_visitors_are_announced_once_within_a_second(
    short_ttl_replicas: list[Replica], broker: BrokerPeer, make_operator: MakeOperator, make_visitor: MakeVisitor
) -> None:
    site = fresh_id()
    guests = [make_visitor(site) for _ in range(300)]
    recorder = await broker.record_events(site)
    async with SchedulingDelay() as delay:
        await asyncio.gather(*(short_ttl_replicas[n % 2].visitor_heartbeat(guest) for n, guest in enumerate(guests)))
        await wait_until(lambda: len(recorder.of_type("visitor.offline")) >= 300, timeout=30)
    late = make_visitor(site)
    for replica in short_ttl_replicas:
        await replica.visitor_heartbeat(late)
    await wait_until(lambda: any(event.session == late.session for event in recorder.of_type("visitor.offline")))

    offline_events = [event for event in recorder.of_type("visitor.offline") if event.session != late.session]
    assert sorted(str(event.session) for event in offline_events) == sorted(guest.session for guest in guests)
    since = {event.session: event.occurred_at for event in recorder.of_type("visitor.online")}
    delays = [(event.occurred_at - since[event.session]).total_seconds() - 2 for event in offline_events]
    assert min(delays) >= 0
    assert max(delays) < 1.0 + delay.tolerance_seconds
    assert (await short_ttl_replicas[0].list_visitors(make_operator(site)))["visitors"] == []


async def test_returning_visitor_comes_online_with_a_new_since(
    short_ttl_replicas: list[Replica], broker: BrokerPeer, make_visitor: MakeVisitor
) -> None:
    site = fresh_id()
    guest = make_visitor(site)
    recorder = await broker.record_events(site)
    for times in (1, 2):
        await short_ttl_replicas[0].visitor_heartbeat(guest)
        await wait_until(lambda: len(recorder.of_type("visitor.offline")) >= times)  # noqa: B023 - awaited in the loop

    assert recorder.event_types() == ["visitor.online", "visitor.offline"] * 2
    assert len({event.data["visitor"]["since"] for event in recorder.events}) == 2


async def test_visitor_with_heartbeats_stays_online(
    short_ttl_replicas: list[Replica], broker: BrokerPeer, make_visitor: MakeVisitor
) -> None:
    site = fresh_id()
    guest, silent = make_visitor(site), make_visitor(site)
    recorder = await broker.record_events(site)
    await short_ttl_replicas[0].visitor_heartbeat(silent)
    turns = itertools.cycle(short_ttl_replicas)

    async def silent_is_offline() -> bool:
        await next(turns).visitor_heartbeat(guest)
        return any(event.type == "visitor.offline" for event in recorder.events)

    await wait_until(silent_is_offline, timeout=20, description="one without heartbeats is offline")
    assert [event.type for event in recorder.events if event.session == guest.session] == ["visitor.online"]
    assert [event.type for event in recorder.events if event.session == silent.session] == [
        "visitor.online",
        "visitor.offline",
    ]


async def test_orderly_stop_writes_and_publishes_pending_heartbeats(
    deployment: Deployment, broker: BrokerPeer, make_visitor: MakeVisitor
) -> None:
    site = fresh_id()
    guests = [make_visitor(site) for _ in range(20)]
    recorder = await broker.record_events(site)
    replica = await deployment.start(PARLEY_FLUSH_SECONDS="5")
    await asyncio.gather(*(replica.visitor_heartbeat(guest) for guest in guests))
    assert recorder.events == []

    assert await replica.stop() == 0

    await wait_until(lambda: len(recorder.events) >= 20)
    assert {event.session for event in recorder.events} == {guest.session for guest in guests}


def conversation_event(
    event_class: Callable[..., EventData],
    guest: VisitorCaller,
    conversation_id: int,
    version: int,
    *,
    mode: Mode = "ai",
    started_at: datetime = NOW,
) -> EventData:
    conversation = ConversationSchema(
        id=conversation_id,
        site_id=guest.site_id,
        mode=mode,
        visitor=VisitorSchema(session_id=guest.session),
        created_at=started_at,
        updated_at=started_at,
        version=version,
    )
    return event_class(mode=mode, conversation=conversation)


async def test_open_conversation_is_shown_regardless_of_event_order(
    replica_a: Replica, broker: BrokerPeer, make_operator: MakeOperator, make_visitor: MakeVisitor
) -> None:
    site = fresh_id()
    alex, guest = make_operator(site), make_visitor(site)
    old, new = fresh_id(), fresh_id()
    envelope: dict[str, Any] = {"tenant_id": guest.tenant_id, "site_id": site, "session": guest.session}

    async def listed_conversations() -> list[int | None]:
        return [visitor["conversation_id"] for visitor in (await replica_a.list_visitors(alex))["visitors"]]

    async def apply(event: EventData, number: int) -> None:
        await broker.publish(event, conversation_id=number, **envelope)

    await apply(conversation_event(ConversationCreated, guest, old, 1), old)  # before the first heartbeat
    await replica_a.visitor_heartbeat(guest)
    await wait_until(lambda: equals(listed_conversations, [old]))

    await apply(conversation_event(ConversationClosed, guest, old, 5, mode="closed"), old)
    await wait_until(lambda: equals(listed_conversations, [None]))

    later = NOW + timedelta(minutes=5)
    await apply(conversation_event(ConversationAccepted, guest, old, 3, mode="operator"), old)  # late
    await apply(conversation_event(ConversationAccepted, guest, new, 2, mode="operator", started_at=later), new)
    await wait_until(lambda: equals(listed_conversations, [new]))
    await apply(conversation_event(ConversationCreated, guest, new, 1, started_at=later), new)
    await apply(conversation_event(ConversationClosed, guest, old, 6, mode="closed"), old)

    marker = make_visitor(site)
    await replica_a.visitor_heartbeat(marker)
    await broker.publish(
        conversation_event(ConversationCreated, marker, 77, 1),
        tenant_id=1,
        site_id=site,
        session=marker.session,
        conversation_id=77,
    )
    await wait_until(lambda: equals(listed_conversations, [77, new]))
    assert await listed_conversations() == [77, new]


async def test_visitor_is_not_followed_after_their_conversation_was_closed(
    replica_a: Replica, broker: BrokerPeer, make_operator: MakeOperator, make_visitor: MakeVisitor
) -> None:
    site = fresh_id()
    alex, guest = make_operator(site), make_visitor(site)

    async def publish(event: EventData) -> None:
        await broker.publish(event, tenant_id=1, site_id=site, session=guest.session, conversation_id=51)

    async def pages() -> list[tuple[Any, Any, Any]]:
        visitors = (await replica_a.list_visitors(alex))["visitors"]
        return [(row["page"], row["title"], row["conversation_id"]) for row in visitors]

    await replica_a.visitor_heartbeat(guest, "https://shop.example/a", title="A")
    await publish(conversation_event(ConversationCreated, guest, 51, 1))
    await wait_until(lambda: equals(pages, [("https://shop.example/a", "A", 51)]))

    await publish(conversation_event(ConversationClosed, guest, 51, 2, mode="closed"))
    await wait_until(lambda: equals(pages, [(None, None, None)]))
    await replica_a.visitor_heartbeat(guest, "https://shop.example/private", title="Private")
    assert await pages() == [(None, None, None)]

    later = NOW + timedelta(minutes=5)
    await publish(conversation_event(ConversationCreated, guest, 52, 1, started_at=later))
    await wait_until(lambda: equals(pages, [(None, None, 52)]))
    await replica_a.visitor_heartbeat(guest, "https://shop.example/b", title="B")
    await wait_until(lambda: equals(pages, [("https://shop.example/b", "B", 52)]))


async def equals(query: Callable[[], Awaitable[list[Any]]], expected: list[Any]) -> bool:
    return await query() == expected


async def test_rpc_returns_whether_a_visitor_is_online(
    replica_a: Replica, broker: BrokerPeer, make_operator: MakeOperator, make_visitor: MakeVisitor
) -> None:
    site = fresh_id()
    guest = make_visitor(site)
    presence = RpcClient("presence")
    await broker.add_sessions(presence)
    await replica_a.visitor_heartbeat(guest)
    await wait_until(lambda: has_visitors(replica_a, make_operator(site), 1))

    assert await presence("visitor_online", site_id=site, session=guest.session) == {"online": True}
    assert await presence("visitor_online", site_id=fresh_id(), session=guest.session) == {"online": False}


async def test_every_query_uses_an_index(
    shared_deployment: Deployment,
    short_ttl_replicas: list[Replica],
    broker: BrokerPeer,
    make_operator: MakeOperator,
    make_visitor: MakeVisitor,
) -> None:
    site, second = fresh_id(), fresh_id()
    alex, guests = make_operator(site, second), [make_visitor(site) for _ in range(30)]
    replica = short_ttl_replicas[0]
    presence = RpcClient("presence")
    await broker.add_sessions(presence)
    async with shared_deployment.database() as database:
        await database.command("profile", 2)
        await asyncio.gather(*(replica.visitor_heartbeat(guest) for guest in guests))
        await replica.operator_heartbeat(alex, site, second)
        page = await wait_until(lambda: has_visitors(replica, alex, 5, limit=5))
        await replica.list_visitors(alex, limit=5, cursor=page["next_cursor"])
        await replica.operator_heartbeat(alex, site, second)
        await presence("operators_online", site_id=site)
        change = OperatorAccessChanged(operator_id=alex.operator_id, version=9, suspended=True)
        await broker.publish(change, tenant_id=alex.tenant_id, site_id=0)
        await wait_until(lambda: is_empty(replica, alex))
        await database.command("profile", 0)
        rows = await database["system.profile"].find({"ns": {"$regex": r"\.(operators|visitors)$"}}).to_list()

    assert {row["op"] for row in rows} >= {"query", "update"}
    scans = [row for row in rows if "COLLSCAN" in row.get("planSummary", "") or row.get("hasSortStage")]
    assert [(row["op"], row.get("planSummary"), row["command"]) for row in scans] == []


async def is_empty(replica: Replica, caller: OperatorCaller) -> bool:
    visitors = (await replica.list_visitors(caller))["visitors"]
    return not visitors and not (await replica.get_status(caller))["online"]
