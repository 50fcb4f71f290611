"""The records themselves, on the real MongoDB, with time in the test's hand and two replicas' stores side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parley.common.mongodb import Mongo, Outbox
from parley.presence.model import Beat, OpenConversation, Place
from parley.presence.mongo_schema import SCHEMA
from parley.presence.operators.repository import MongoOperators
from parley.presence.visitors.repository import MongoVisitors
from support.presence import MakeOperator

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
TTL = timedelta(seconds=75)
SITE, TENANT = 5, 3


class Silence:
    """A broker that is away."""

    async def publish(self, documents: Sequence[dict[str, Any]]) -> None:
        raise ConnectionError


@pytest.fixture
async def mongo(mongodb_uri: str, database_prefix: str) -> AsyncIterator[Mongo]:
    mongo = Mongo(mongodb_uri, f"{database_prefix}_presence", SCHEMA)
    await mongo.start()
    await asyncio.wait_for(mongo.prepared.wait(), 20)
    yield mongo
    await mongo.client.drop_database(f"{database_prefix}_presence")
    await mongo.stop()


def visitors_of(mongo: Mongo) -> MongoVisitors:
    """What one replica has."""
    return MongoVisitors(mongo, Outbox(mongo, Silence(), ["visitors"]))


def beat(page: str, seconds: float = 0.0, session: str = "sess_a") -> Beat:
    at = NOW + timedelta(seconds=seconds)
    return Beat(TENANT, SITE, session, Place(f"https://shop.example/{page}"), at, at + TTL)


async def told(mongo: Mongo, session: str = "sess_a") -> list[tuple[str, str]]:
    """What waits for the broker: types, and the last letter of the page."""
    record = await mongo["visitors"].find_one({"session": session})
    assert record is not None
    return [(entry["event"]["type"], entry["event"]["data"]["visitor"]["page"][-1]) for entry in record["outbox"]]


async def test_nobody_is_online_past_their_time_though_no_sweep_has_come(mongo: Mongo, operator: MakeOperator) -> None:
    alex = operator(SITE)
    operators, visitors = MongoOperators(mongo, Outbox(mongo, Silence(), ["operators"])), visitors_of(mongo)
    await operators.beat(alex, [SITE], NOW, NOW + TTL)
    await visitors.beat([beat("a")])

    async def seen(at: datetime) -> list[bool]:
        (standing,) = await operators.standings(alex.operator_id, [SITE], at)
        listed, _ = await visitors.online([SITE], at, 10, None)
        online = await operators.online_on(SITE, at)
        return [
            standing.online,
            standing.until is not None,
            online == [alex.operator_id],
            len(listed) == 1,
            await visitors.is_online(SITE, "sess_a", at),
            await visitors.count(at) == 1,
            await operators.count(at) == 1,
        ]

    assert await seen(NOW + TTL - timedelta(milliseconds=1)) == [True] * 7
    assert await seen(NOW + TTL) == [False] * 7


async def test_a_page_is_noticed_by_a_replica_that_last_saw_the_visitor_where_they_are_again(mongo: Mongo) -> None:
    one, other = visitors_of(mongo), visitors_of(mongo)
    await one.beat([beat("a", 0)])
    await other.beat([beat("b", 1)])
    await one.beat([beat("a", 2)])

    listed, _ = await one.online([SITE], NOW + timedelta(seconds=3), 10, None)
    assert [visitor.page for visitor in listed] == ["https://shop.example/a"]
    assert (await told(mongo))[-1] == ("visitor.page", "a")


async def test_a_heartbeat_that_a_newer_one_overtook_moves_nobody_back(mongo: Mongo) -> None:
    one, other = visitors_of(mongo), visitors_of(mongo)
    await one.beat([beat("a", 0)])
    await other.beat([beat("c", 2)])
    await one.beat([beat("b", 1)])

    listed, _ = await one.online([SITE], NOW + timedelta(seconds=3), 10, None)
    assert [visitor.page for visitor in listed] == ["https://shop.example/c"]
    assert await told(mongo) == [("visitor.online", "a"), ("visitor.page", "c")]


async def test_who_was_taken_offline_by_another_replica_comes_online_anew(mongo: Mongo) -> None:
    one, other = visitors_of(mongo), visitors_of(mongo)
    await one.beat([beat("a"), beat("a", session="sess_b")])
    # The other's clock runs ahead: it has taken them offline before this one thinks their time is over.
    assert await other.expire(NOW + TTL) == 2
    await one.beat([beat("a", 74), beat("a", 74, session="sess_b")])

    assert [kind for kind, _ in await told(mongo)] == ["visitor.online", "visitor.offline", "visitor.online"]
    assert await one.is_online(SITE, "sess_b", NOW + TTL)


async def test_of_two_replicas_that_expire_the_same_records_each_record_is_told_once(mongo: Mongo) -> None:
    one, other = visitors_of(mongo), visitors_of(mongo)
    sessions = [f"sess_{number}" for number in range(500)]
    await one.beat([beat("a", session=session) for session in sessions])

    await asyncio.gather(*(store.expire(NOW + TTL) for store in (one, other, one, other)))

    records = await mongo["visitors"].find().to_list()
    assert len(records) == 500
    for record in records:
        assert [entry["event"]["type"] for entry in record["outbox"]] == ["visitor.online", "visitor.offline"]
    assert len({entry["id"] for record in records for entry in record["outbox"]}) == 1000


async def test_times_of_a_records_events_never_run_backwards_whatever_the_clocks_say(mongo: Mongo) -> None:
    one, other = visitors_of(mongo), visitors_of(mongo)
    await one.beat([beat("a", 0)])
    await other.expire(NOW + TTL + timedelta(seconds=9))
    await one.beat([beat("a", 75)])

    record = await mongo["visitors"].find_one({"session": "sess_a"})
    assert record is not None
    times = [entry["event"]["occurred_at"] for entry in record["outbox"]]
    assert len(times) == 3
    assert times == sorted(set(times))


async def test_while_the_broker_is_away_pages_do_not_pile_up_in_the_record(mongo: Mongo) -> None:
    visitors = visitors_of(mongo)
    for second in range(60):
        await visitors.beat([beat(str(second % 10), second)])

    assert await told(mongo) == [("visitor.online", "0"), ("visitor.page", "9")]


async def test_a_record_is_kept_for_a_day_after_the_visitor_left_and_longer_with_an_open_conversation(
    mongo: Mongo,
) -> None:
    visitors = visitors_of(mongo)
    await visitors.beat([beat("a"), beat("a", session="sess_b")])
    talk = OpenConversation(TENANT, SITE, "sess_b", 50, 1, NOW, closed=False)
    await visitors.converse(talk, NOW)

    async def removal() -> list[datetime | None]:
        records = await mongo["visitors"].find().sort("session", 1).to_list()
        return [record.get("remove_at") for record in records]

    assert await removal() == [None, None]
    gone = NOW + TTL
    await visitors.expire(gone)
    assert await removal() == [gone + timedelta(days=1), gone + timedelta(days=30)]
    await visitors.converse(OpenConversation(TENANT, SITE, "sess_b", 50, 2, NOW, closed=True), gone)
    assert await removal() == [gone + timedelta(days=1)] * 2
    later = timedelta(hours=1).total_seconds()
    await visitors.beat([beat("a", later)])
    assert (await removal())[0] is None


async def test_who_is_erased_goes_offline_and_nothing_of_them_stays(mongo: Mongo) -> None:
    records = visitors_of(mongo)
    await records.beat([beat("a"), beat("b", session="sess_b")])
    kept = await records.kept(SITE, "sess_a")
    assert kept is not None
    assert kept["page"] == "https://shop.example/a"

    await records.erase(SITE, "sess_a", NOW)
    await records.erase(SITE, "sess_a", NOW)

    assert await records.kept(SITE, "sess_a") is None
    record = await mongo["visitors"].find_one({"session": "sess_a"})
    assert record is not None
    assert record["remove_at"] <= NOW + timedelta(minutes=1), "the database removes it when it has been told"
    assert [entry["event"]["type"] for entry in record["outbox"]] == ["visitor.offline"]
    assert "shop.example" not in repr(record)
    assert not await records.is_online(SITE, "sess_a", NOW)
    assert await records.is_online(SITE, "sess_b", NOW), "and nobody else"

    await records.beat([beat("c", 5)])
    assert await records.is_online(SITE, "sess_a", NOW), "who is still there comes online anew"
    assert (await mongo["visitors"].find_one({"session": "sess_a"}) or {}).get("remove_at") is None


async def test_erasing_somebody_who_was_never_there_makes_no_record(mongo: Mongo) -> None:
    await visitors_of(mongo).erase(SITE, "sess_nobody", NOW)
    assert await mongo["visitors"].count_documents({}) == 0


async def test_a_visitor_known_by_a_conversation_alone_is_erased_too(mongo: Mongo) -> None:
    records = visitors_of(mongo)
    told_of = OpenConversation(TENANT, SITE, "sess_a", 50, 1, NOW, closed=False)
    await records.converse(told_of, NOW)
    assert await records.kept(SITE, "sess_a") is not None
    await records.erase(SITE, "sess_a", NOW)
    assert await records.kept(SITE, "sess_a") is None
