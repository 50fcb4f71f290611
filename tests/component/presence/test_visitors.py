"""Visitors: written in batches, announced once, seen by the operators of their site alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parley.common.auth.identity import OperatorCaller, Permission, VisitorCaller
from parley.common.events import EventData
from parley.common.events.conversations import ConversationAccepted, ConversationClosed, ConversationCreated
from parley.common.events.schemas import ConversationView, Mode, VisitorView
from parley.common.events.team import OperatorAccessChanged
from parley.common.messaging import Ask
from support.presence import Broker, Installation, Lag, MakeOperator, MakeVisitor, Replica, fresh_id
from support.wait import until

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


async def test_an_operator_sees_who_is_there_and_where(
    one: Replica, other: Replica, operator: MakeOperator, visitor: MakeVisitor, broker: Broker
) -> None:
    site = fresh_id()
    alex, guest = operator(site), visitor(site)
    ears = await broker.listen(site)

    code, answer = await one.visitor_beats(
        guest, "https://shop.example/$cart", title="$5 off", referrer="https://search.example/?q=a", lang="de-AT"
    )

    assert (code, answer) == (200, {"success": True, "expires_in": 75})
    (event,) = await until(lambda: ears.heard)
    (seen,) = (await other.visitors(alex))["visitors"]
    since = seen.pop("since")
    assert abs((datetime.fromisoformat(since) - datetime.now(UTC)).total_seconds()) < 10
    assert seen == {
        "site_id": site,
        "session_id": guest.session,
        "page": "https://shop.example/$cart",
        "title": "$5 off",
        "referrer": "https://search.example/?q=a",
        "language": "de-AT",
        "conversation_id": None,
    }
    assert event.type == "visitor.online"
    assert event.data["visitor"] == {**seen, "since": since}
    assert (event.session, event.tenant_id, event.site_id) == (guest.session, guest.tenant_id, site)


async def test_long_fields_are_cut_and_useless_ones_dropped(
    one: Replica, operator: MakeOperator, visitor: MakeVisitor
) -> None:
    site = fresh_id()
    alex = operator(site)
    page = "https://shop.example/" + "a" * 5000
    await one.visitor_beats(visitor(site), page, title="t\n" * 400, referrer="javascript:alert(1)", lang="")

    (seen,) = (await until(lambda: shown(one, alex, 1)))["visitors"]
    assert seen["page"] == page[:2048]
    assert seen["title"] == ("t " * 400)[:300]
    assert (seen["referrer"], seen["language"]) == (None, None)


async def shown(replica: Replica, caller: OperatorCaller, count: int, **query: Any) -> dict[str, Any] | None:
    answer = await replica.visitors(caller, **query)
    return answer if len(answer["visitors"]) >= count else None


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
async def test_a_heartbeat_of_the_wrong_shape_is_refused(one: Replica, visitor: MakeVisitor, body: object) -> None:
    code, answer = await one.call("POST", "/api/v1/chat/heartbeat", visitor(fresh_id()), body)
    assert (code, answer["code"]) == (422, "invalid")


async def test_lists_show_only_the_callers_sites(one: Replica, operator: MakeOperator, visitor: MakeVisitor) -> None:
    tenant = fresh_id()
    mine, blind, foreign = (fresh_id() for _ in range(3))
    guests = {site: visitor(site, tenant) for site in (mine, blind, foreign)}
    await asyncio.gather(*(one.visitor_beats(guest) for guest in guests.values()))
    alex, stranger = operator(mine, tenant=tenant), operator(foreign)
    no_view = operator(blind, tenant=tenant, granted=frozenset({Permission.CHAT}))

    await until(lambda: shown(one, stranger, 1))
    (seen,) = (await until(lambda: shown(one, alex, 1)))["visitors"]
    assert seen["session_id"] == guests[mine].session
    assert (await one.call("GET", "/api/v1/operator/all-online-visitors", no_view))[0] == 403
    sees_one = replace(alex, sites={mine: alex.sites[mine], blind: frozenset({Permission.CHAT})})
    assert [seen["session_id"] for seen in (await one.visitors(sees_one))["visitors"]] == [guests[mine].session]
    assert (await one.visitors(operator()))["visitors"] == []


async def test_the_only_site_may_be_left_out_and_no_other(
    one: Replica, operator: MakeOperator, visitor: MakeVisitor
) -> None:
    mine, second = fresh_id(), fresh_id()
    alex = operator(mine)
    guest = visitor(mine)
    await one.visitor_beats(guest)
    await until(lambda: shown(one, alex, 1))

    code, answer = await one.call("GET", "/api/v1/operator/online-visitors", alex)
    assert (code, [seen["session_id"] for seen in answer["visitors"]]) == (200, [guest.session])
    code, answer = await one.call("GET", "/api/v1/operator/online-visitors", operator(mine, second))
    assert (code, list(answer["errors"])) == (422, ["site_id"])


async def test_a_list_is_paged_to_its_end_without_gap_or_double(
    one: Replica, other: Replica, operator: MakeOperator, visitor: MakeVisitor
) -> None:
    sites = [fresh_id(), fresh_id()]
    alex = operator(*sites)
    guests = [visitor(sites[number % 2]) for number in range(23)]
    await asyncio.gather(*(one.visitor_beats(guest) for guest in guests))
    await until(lambda: shown(one, alex, 23))

    seen: list[dict[str, Any]] = []
    query: dict[str, Any] = {}
    while True:
        page = await other.visitors(alex, limit=5, **query)
        seen.extend(page["visitors"])
        assert len(page["visitors"]) <= 5
        if page["next_cursor"] is None:
            break
        query = {"cursor": page["next_cursor"]}

    assert sorted(row["session_id"] for row in seen) == sorted(guest.session for guest in guests)
    assert [row["since"] for row in seen] == sorted((row["since"] for row in seen), reverse=True)
    code, answer = await one.call("GET", "/api/v1/operator/all-online-visitors", alex, cursor="bm9wZQ")
    assert (code, list(answer["errors"])) == (422, ["cursor"])


async def test_another_page_is_announced_once_and_the_same_page_never(
    one: Replica, other: Replica, broker: Broker, operator: MakeOperator, visitor: MakeVisitor
) -> None:
    site = fresh_id()
    alex, guest = operator(site), visitor(site)
    ears = await broker.listen(site)
    await one.visitor_beats(guest, "https://shop.example/a", title="A")
    await until(lambda: ears.of("visitor.online"))

    await one.visitor_beats(guest, "https://shop.example/a", title="A, loaded")
    await until(lambda: titled(one, alex, "A, loaded"))
    await one.visitor_beats(guest, "https://shop.example/b")
    await until(lambda: ears.of("visitor.page"))
    await other.visitor_beats(guest, "https://shop.example/b")
    await one.visitor_beats(guest, "https://shop.example/b")
    await one.visitor_beats(guest, "https://shop.example/c")
    await until(lambda: len(ears.of("visitor.page")) >= 2)

    assert ears.kinds() == ["visitor.online", "visitor.page", "visitor.page"]
    assert [event.data["visitor"]["page"][-1] for event in ears.heard] == ["a", "b", "c"]
    assert len({event.data["visitor"]["since"] for event in ears.heard}) == 1


async def titled(replica: Replica, caller: OperatorCaller, title: str) -> bool:
    return any(seen["title"] == title for seen in (await replica.visitors(caller))["visitors"])


async def test_a_burst_is_written_in_batches_and_everyone_is_online(
    one: Replica, broker: Broker, operator: MakeOperator, visitor: MakeVisitor
) -> None:
    site = fresh_id()
    alex = operator(site)
    ears = await broker.listen(site)
    guests = [visitor(site) for _ in range(2000)]
    before = [await one.metric(f"parley_presence_batch_heartbeats_{part}") for part in ("count", "sum")]

    answers = await asyncio.gather(*(one.visitor_beats(guest) for guest in guests))
    assert {code for code, _ in answers} == {200}
    await until(lambda: len(ears.heard) >= 2000, within=60)

    assert {event.session for event in ears.heard} == {guest.session for guest in guests}
    assert ears.kinds() == ["visitor.online"] * 2000
    count, total = [await one.metric(f"parley_presence_batch_heartbeats_{part}") for part in ("count", "sum")]
    assert total - before[1] == 2000
    assert count - before[0] <= 100
    seen: set[str] = set()
    query: dict[str, Any] = {}
    while True:
        page = await one.visitors(alex, limit=100, **query)
        seen |= {row["session_id"] for row in page["visitors"]}
        if page["next_cursor"] is None:
            break
        query = {"cursor": page["next_cursor"]}
    assert len(seen) == 2000


async def test_two_replicas_that_hear_the_same_visitor_announce_them_once(
    one: Replica, other: Replica, broker: Broker, visitor: MakeVisitor
) -> None:
    site = fresh_id()
    guests = [visitor(site) for _ in range(50)]
    marker = visitor(site)
    ears = await broker.listen(site)

    await asyncio.gather(*(replica.visitor_beats(guest) for guest in guests for replica in (one, other)))
    await until(lambda: len({event.session for event in ears.heard}) == 50)
    for replica in (one, other):  # what is written after it has been told before it
        await replica.visitor_beats(marker, f"https://shop.example/{replica.port}")
        await until(lambda: ears.heard[-1].session == marker.session)

    assert len([event for event in ears.heard if event.session != marker.session]) == 50


async def test_many_silent_visitors_are_announced_offline_once_and_in_time(
    quick: list[Replica], broker: Broker, operator: MakeOperator, visitor: MakeVisitor
) -> None:
    site = fresh_id()
    guests = [visitor(site) for _ in range(300)]
    ears = await broker.listen(site)
    async with Lag() as lag:
        await asyncio.gather(*(quick[n % 2].visitor_beats(guest) for n, guest in enumerate(guests)))
        await until(lambda: len(ears.of("visitor.offline")) >= 300, within=30)
    late = visitor(site)
    for replica in quick:
        await replica.visitor_beats(late)
    await until(lambda: any(event.session == late.session for event in ears.of("visitor.offline")))

    gone = [event for event in ears.of("visitor.offline") if event.session != late.session]
    assert sorted(str(event.session) for event in gone) == sorted(guest.session for guest in guests)
    since = {event.session: event.occurred_at for event in ears.of("visitor.online")}
    over = [(event.occurred_at - since[event.session]).total_seconds() - 2 for event in gone]
    assert min(over) >= 0
    assert max(over) < 1.0 + lag.allowance
    assert (await quick[0].visitors(operator(site)))["visitors"] == []


async def test_who_comes_back_is_online_anew_with_a_new_since(
    quick: list[Replica], broker: Broker, visitor: MakeVisitor
) -> None:
    site = fresh_id()
    guest = visitor(site)
    ears = await broker.listen(site)
    for times in (1, 2):
        await quick[0].visitor_beats(guest)
        await until(lambda: len(ears.of("visitor.offline")) >= times)  # noqa: B023 - awaited in the loop

    assert ears.kinds() == ["visitor.online", "visitor.offline"] * 2
    assert len({event.data["visitor"]["since"] for event in ears.heard}) == 2


async def test_a_visitor_who_beats_on_stays_online(quick: list[Replica], broker: Broker, visitor: MakeVisitor) -> None:
    site = fresh_id()
    guest, gone = visitor(site), visitor(site)
    ears = await broker.listen(site)
    await quick[0].visitor_beats(gone)
    for turn in range(10):
        await quick[turn % 2].visitor_beats(guest)
        await asyncio.sleep(0.5)

    assert [event.type for event in ears.heard if event.session == guest.session] == ["visitor.online"]
    assert [event.type for event in ears.heard if event.session == gone.session] == [
        "visitor.online",
        "visitor.offline",
    ]


async def test_an_orderly_stop_writes_and_tells_what_waits(
    installation: Installation, broker: Broker, visitor: MakeVisitor
) -> None:
    site = fresh_id()
    guests = [visitor(site) for _ in range(20)]
    ears = await broker.listen(site)
    slow = await installation.start(PARLEY_FLUSH_SECONDS="5")
    await asyncio.gather(*(slow.visitor_beats(guest) for guest in guests))
    assert ears.heard == []

    assert await slow.stop() == 0

    await until(lambda: len(ears.heard) >= 20)
    assert {event.session for event in ears.heard} == {guest.session for guest in guests}


def told(
    kind: Callable[..., EventData],
    guest: VisitorCaller,
    number: int,
    version: int,
    *,
    mode: Mode = "ai",
    started: datetime = NOW,
) -> EventData:
    view = ConversationView(
        id=number,
        site_id=guest.site_id,
        mode=mode,
        visitor=VisitorView(session_id=guest.session),
        created_at=started,
        updated_at=started,
        version=version,
    )
    return kind(mode=mode, conversation=view)


async def test_a_visitors_open_conversation_stands_beside_them_in_whatever_order_its_events_come(
    one: Replica, broker: Broker, operator: MakeOperator, visitor: MakeVisitor
) -> None:
    site = fresh_id()
    alex, guest = operator(site), visitor(site)
    old, new = fresh_id(), fresh_id()
    about: dict[str, Any] = {"tenant_id": guest.tenant_id, "site_id": site, "session": guest.session}

    async def beside() -> list[int | None]:
        return [seen["conversation_id"] for seen in (await one.visitors(alex))["visitors"]]

    async def apply(event: EventData, number: int) -> None:
        await broker.publish(event, conversation_id=number, **about)

    await apply(told(ConversationCreated, guest, old, 1), old)  # before the first heartbeat
    await one.visitor_beats(guest)
    await until(lambda: is_now(beside, [old]))

    await apply(told(ConversationClosed, guest, old, 5, mode="closed"), old)
    await until(lambda: is_now(beside, [None]))

    later = NOW + timedelta(minutes=5)
    await apply(told(ConversationAccepted, guest, old, 3, mode="operator"), old)  # late: it is closed already
    await apply(told(ConversationAccepted, guest, new, 2, mode="operator", started=later), new)
    await until(lambda: is_now(beside, [new]))
    await apply(told(ConversationCreated, guest, new, 1, started=later), new)
    await apply(told(ConversationClosed, guest, old, 6, mode="closed"), old)

    marker = visitor(site)
    await one.visitor_beats(marker)
    await broker.publish(
        told(ConversationCreated, marker, 77, 1), tenant_id=1, site_id=site, session=marker.session, conversation_id=77
    )
    await until(lambda: is_now(beside, [77, new]))


async def is_now(ask: Callable[[], Awaitable[list[int | None]]], expected: list[int | None]) -> bool:
    return await ask() == expected


async def test_others_may_ask_whether_a_visitor_is_online(
    one: Replica, broker: Broker, operator: MakeOperator, visitor: MakeVisitor
) -> None:
    site = fresh_id()
    guest = visitor(site)
    ask = Ask("presence")
    await broker.add(ask)
    await one.visitor_beats(guest)
    await until(lambda: shown(one, operator(site), 1))

    assert await ask("visitor_online", site_id=site, session=guest.session) == {"online": True}
    assert await ask("visitor_online", site_id=fresh_id(), session=guest.session) == {"online": False}


async def test_every_query_is_answered_from_an_index(
    shared: Installation, quick: list[Replica], broker: Broker, operator: MakeOperator, visitor: MakeVisitor
) -> None:
    site, second = fresh_id(), fresh_id()
    alex, guests = operator(site, second), [visitor(site) for _ in range(30)]
    replica = quick[0]
    ask = Ask("presence")
    await broker.add(ask)
    async with shared.database() as database:
        await database.command("profile", 2)
        await asyncio.gather(*(replica.visitor_beats(guest) for guest in guests))
        await replica.operator_beats(alex, site, second)
        page = await until(lambda: shown(replica, alex, 5, limit=5))
        await replica.visitors(alex, limit=5, cursor=page["next_cursor"])
        await replica.operator_beats(alex, site, second)
        await ask("operators_online", site_id=site)
        change = OperatorAccessChanged(operator_id=alex.operator_id, version=9, suspended=True)
        await broker.publish(change, tenant_id=alex.tenant_id, site_id=0)
        await until(lambda: nobody(replica, alex))
        await database.command("profile", 0)
        rows = await database["system.profile"].find({"ns": {"$regex": r"\.(operators|visitors)$"}}).to_list()

    assert {row["op"] for row in rows} >= {"query", "update"}
    scans = [row for row in rows if "COLLSCAN" in row.get("planSummary", "") or row.get("hasSortStage")]
    assert [(row["op"], row.get("planSummary"), row["command"]) for row in scans] == []


async def nobody(replica: Replica, caller: OperatorCaller) -> bool:
    visitors = (await replica.visitors(caller))["visitors"]
    return not visitors and not (await replica.status(caller))["online"]
