"""Presence records on a real MongoDB, with a controlled clock and the repositories of two replicas."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parley.common.events import parse_event
from parley.common.mongodb import Mongo, Outbox
from parley.presence.mongo_schema import SCHEMA
from parley.presence.operators.repository import MongoOperatorRepository
from parley.presence.visitors.model import ConversationSnapshot, Heartbeat, PageInfo
from parley.presence.visitors.repository import MongoVisitorRepository
from support.presence import MakeOperator

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
TTL = timedelta(seconds=75)
SITE, TENANT = 5, 3


class UnavailablePublisher:
    """Publisher of a broker that is not reachable."""

    async def publish(self, documents: Sequence[dict[str, Any]]) -> None:
        raise ConnectionError


class RecordingPublisher:
    """Publisher of a broker that takes every event."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    async def publish(self, documents: Sequence[dict[str, Any]]) -> None:
        self.events += documents


@pytest.fixture
async def mongo(mongodb_uri: str, database_prefix: str) -> AsyncIterator[Mongo]:
    mongo = Mongo(mongodb_uri, f"{database_prefix}_presence", SCHEMA)
    await mongo.start()
    await asyncio.wait_for(mongo.schema_ready.wait(), 20)
    yield mongo
    await mongo.client.drop_database(f"{database_prefix}_presence")
    await mongo.stop()


def create_visitor_repository(mongo: Mongo) -> MongoVisitorRepository:
    """Create the repository of one replica."""
    return MongoVisitorRepository(mongo, Outbox(mongo, UnavailablePublisher(), ["visitors"]))


def heartbeat(page: str, seconds: float = 0.0, session: str = "sess_a") -> Heartbeat:
    at = NOW + timedelta(seconds=seconds)
    return Heartbeat(TENANT, SITE, session, PageInfo(f"https://shop.example/{page}"), at, at + TTL)


async def outbox_entries(mongo: Mongo, session: str = "sess_a") -> list[tuple[str, str]]:
    """Return the type and the last letter of the page of each unpublished event."""
    record = await mongo["visitors"].find_one({"session": session})
    assert record is not None
    return [(entry["event"]["type"], entry["event"]["data"]["visitor"]["page"][-1]) for entry in record["outbox"]]


async def test_expired_records_count_as_offline_before_the_sweep(mongo: Mongo, make_operator: MakeOperator) -> None:
    alex = make_operator(SITE)
    operators = MongoOperatorRepository(mongo, Outbox(mongo, UnavailablePublisher(), ["operators"]))
    visitors = create_visitor_repository(mongo)
    await operators.record_heartbeat(alex, [SITE], NOW, NOW + TTL)
    await visitors.save_heartbeats([heartbeat("a")])

    async def online_checks(now: datetime) -> list[bool]:
        (status,) = await operators.get_statuses(alex.operator_id, [SITE], now)
        page = await visitors.list_online([SITE], now, 10, None)
        online = await operators.list_online_operators(SITE, now)
        return [
            status.online,
            status.expires_at is not None,
            online == [alex.operator_id],
            len(page.visitors) == 1,
            await visitors.is_online(SITE, "sess_a", now),
            await visitors.count_online(now) == 1,
            await operators.count_online(now) == 1,
        ]

    assert await online_checks(NOW + TTL - timedelta(milliseconds=1)) == [True] * 7
    assert await online_checks(NOW + TTL) == [False] * 7


async def test_page_change_is_detected_by_a_replica_that_last_wrote_the_same_page(mongo: Mongo) -> None:
    repository_a, repository_b = create_visitor_repository(mongo), create_visitor_repository(mongo)
    await repository_a.save_heartbeats([heartbeat("a", 0)])
    await repository_b.save_heartbeats([heartbeat("b", 1)])
    await repository_a.save_heartbeats([heartbeat("a", 2)])

    page = await repository_a.list_online([SITE], NOW + timedelta(seconds=3), 10, None)
    assert [visitor.page for visitor in page.visitors] == ["https://shop.example/a"]
    assert (await outbox_entries(mongo))[-1] == ("visitor.page", "a")


async def test_late_heartbeat_does_not_overwrite_a_newer_page(mongo: Mongo) -> None:
    repository_a, repository_b = create_visitor_repository(mongo), create_visitor_repository(mongo)
    await repository_a.save_heartbeats([heartbeat("a", 0)])
    await repository_b.save_heartbeats([heartbeat("c", 2)])
    await repository_a.save_heartbeats([heartbeat("b", 1)])

    page = await repository_a.list_online([SITE], NOW + timedelta(seconds=3), 10, None)
    assert [visitor.page for visitor in page.visitors] == ["https://shop.example/c"]
    assert await outbox_entries(mongo) == [("visitor.online", "a"), ("visitor.page", "c")]


async def test_visitor_taken_offline_by_another_replica_comes_online_again(mongo: Mongo) -> None:
    repository_a, repository_b = create_visitor_repository(mongo), create_visitor_repository(mongo)
    await repository_a.save_heartbeats([heartbeat("a"), heartbeat("a", session="sess_b")])
    # The clock of replica B is ahead: it takes the visitors offline before replica A considers them expired.
    assert await repository_b.expire_due(NOW + TTL) == 2
    await repository_a.save_heartbeats([heartbeat("a", 74), heartbeat("a", 74, session="sess_b")])

    assert [event_type for event_type, _ in await outbox_entries(mongo)] == [
        "visitor.online",
        "visitor.offline",
        "visitor.online",
    ]
    assert await repository_a.is_online(SITE, "sess_b", NOW + TTL)


async def test_concurrent_expiry_by_two_replicas_stores_one_event_per_record(mongo: Mongo) -> None:
    repository_a, repository_b = create_visitor_repository(mongo), create_visitor_repository(mongo)
    sessions = [f"sess_{number}" for number in range(500)]
    await repository_a.save_heartbeats([heartbeat("a", session=session) for session in sessions])

    await asyncio.gather(*(repository.expire_due(NOW + TTL) for repository in (repository_a, repository_b) * 2))

    records = await mongo["visitors"].find().to_list()
    assert len(records) == 500
    for record in records:
        assert [entry["event"]["type"] for entry in record["outbox"]] == ["visitor.online", "visitor.offline"]
    assert len({entry["id"] for record in records for entry in record["outbox"]}) == 1000


async def test_visitors_who_vanish_together_are_announced_once_and_in_few_writes(mongo: Mongo) -> None:
    sessions = [f"sess_{number}" for number in range(2500)]
    await create_visitor_repository(mongo).save_heartbeats([heartbeat("a", session=session) for session in sessions])
    publisher = RecordingPublisher()
    # The events are of the past, so that with the usual grace the sweeper of the other replica would publish them too.
    outboxes = [Outbox(mongo, publisher, ["visitors"], grace=timedelta(days=3650)) for _ in range(2)]
    written_before = await count_updates(mongo)
    for outbox in outboxes:
        await outbox.start()

    await asyncio.gather(*(expire_all(MongoVisitorRepository(mongo, outbox)) for outbox in outboxes))
    for outbox in outboxes:
        await outbox.stop()

    types: dict[str, list[str]] = {}
    for event in publisher.events:
        types.setdefault(event["session"], []).append(event["type"])
    assert types == {session: ["visitor.online", "visitor.offline"] for session in sessions}
    assert await mongo["visitors"].count_documents({"outbox": {"$ne": []}}) == 0
    assert await count_updates(mongo) - written_before < 40


async def expire_all(repository: MongoVisitorRepository) -> None:
    while await repository.expire_due(NOW + TTL):
        pass


async def count_updates(mongo: Mongo) -> int:
    """Return how many updates the database has run on visitors; each may write many records."""
    totals = (await mongo.client.admin.command("top"))["totals"]
    count: int = totals[mongo["visitors"].full_name]["update"]["count"]
    return count


async def test_published_events_are_removed_and_newer_ones_are_kept(mongo: Mongo) -> None:
    repository = create_visitor_repository(mongo)
    await repository.save_heartbeats([heartbeat("a"), heartbeat("a", session="sess_b")])
    publisher = RecordingPublisher()
    outbox = Outbox(mongo, publisher, ["visitors"], grace=timedelta(days=3650))
    for record in await mongo["visitors"].find().to_list():
        outbox.enqueue("visitors", record)
    # Written by another replica, while this one publishes.
    await repository.save_heartbeats([heartbeat("b", 1)])

    await outbox.start()
    await outbox.stop()

    assert [event["type"] for event in publisher.events] == ["visitor.online"] * 2
    assert await outbox_entries(mongo) == [("visitor.page", "b")]
    assert await outbox_entries(mongo, "sess_b") == []


async def test_event_times_of_a_record_increase_despite_clock_skew(mongo: Mongo) -> None:
    repository_a, repository_b = create_visitor_repository(mongo), create_visitor_repository(mongo)
    await repository_a.save_heartbeats([heartbeat("a", 0)])
    await repository_b.expire_due(NOW + TTL + timedelta(seconds=9))
    await repository_a.save_heartbeats([heartbeat("a", 75)])

    record = await mongo["visitors"].find_one({"session": "sess_a"})
    assert record is not None
    times = [entry["event"]["occurred_at"] for entry in record["outbox"]]
    assert len(times) == 3
    assert times == sorted(set(times))


async def test_offline_event_has_the_time_of_the_change_that_its_record_keeps(mongo: Mongo) -> None:
    repository = create_visitor_repository(mongo)
    await repository.save_heartbeats([heartbeat("a")])
    # Written by a replica whose clock is ahead.
    changed_at = NOW + TTL + timedelta(seconds=5)
    before = await mongo["visitors"].find_one_and_update({}, {"$set": {"changed_at": changed_at}})

    await repository.expire_due(NOW + TTL)

    record = await mongo["visitors"].find_one({})
    assert before is not None
    assert record is not None
    entry = record["outbox"][-1]
    assert record["changed_at"] == entry["at"] == changed_at + timedelta(milliseconds=1)
    assert parse_event(entry["event"]).occurred_at == entry["at"]
    assert record.keys() - before.keys() == {"remove_at"}


async def test_page_events_do_not_accumulate_while_the_broker_is_away(mongo: Mongo) -> None:
    visitors = create_visitor_repository(mongo)
    for second in range(60):
        await visitors.save_heartbeats([heartbeat(str(second % 10), second)])

    assert await outbox_entries(mongo) == [("visitor.online", "0"), ("visitor.page", "9")]


async def test_record_is_kept_for_a_day_and_for_30_days_with_an_open_conversation(
    mongo: Mongo,
) -> None:
    visitors = create_visitor_repository(mongo)
    await visitors.save_heartbeats([heartbeat("a"), heartbeat("a", session="sess_b")])
    conversation = ConversationSnapshot(TENANT, SITE, "sess_b", 50, 1, NOW, closed=False)
    await visitors.save_conversation(conversation, NOW)

    async def removal_times() -> list[datetime | None]:
        records = await mongo["visitors"].find().sort("session", 1).to_list()
        return [record.get("remove_at") for record in records]

    assert await removal_times() == [None, None]
    offline_at = NOW + TTL
    await visitors.expire_due(offline_at)
    assert await removal_times() == [offline_at + timedelta(days=1), offline_at + timedelta(days=30)]
    await visitors.save_conversation(ConversationSnapshot(TENANT, SITE, "sess_b", 50, 2, NOW, closed=True), offline_at)
    assert await removal_times() == [offline_at + timedelta(days=1)] * 2
    later = timedelta(hours=1).total_seconds()
    await visitors.save_heartbeats([heartbeat("a", later)])
    assert (await removal_times())[0] is None


async def test_erased_visitor_goes_offline_and_no_personal_data_remains(mongo: Mongo) -> None:
    repository = create_visitor_repository(mongo)
    await repository.save_heartbeats([heartbeat("a"), heartbeat("b", session="sess_b")])
    data = await repository.get_personal_data(SITE, "sess_a")
    assert data is not None
    assert data["page"] == "https://shop.example/a"

    await repository.erase(SITE, "sess_a", NOW)
    await repository.erase(SITE, "sess_a", NOW)

    assert await repository.get_personal_data(SITE, "sess_a") is None
    record = await mongo["visitors"].find_one({"session": "sess_a"})
    assert record is not None
    assert record["remove_at"] <= NOW + timedelta(minutes=1), "the database removes it after the event is published"
    assert [entry["event"]["type"] for entry in record["outbox"]] == ["visitor.offline"]
    assert "shop.example" not in repr(record)
    assert not await repository.is_online(SITE, "sess_a", NOW)
    assert await repository.is_online(SITE, "sess_b", NOW), "other visitors stay online"

    await repository.save_heartbeats([heartbeat("c", 5)])
    assert await repository.is_online(SITE, "sess_a", NOW), "the next heartbeat brings the visitor online again"
    assert (await mongo["visitors"].find_one({"session": "sess_a"}) or {}).get("remove_at") is None


async def test_erasing_an_unknown_visitor_creates_no_record(mongo: Mongo) -> None:
    await create_visitor_repository(mongo).erase(SITE, "sess_nobody", NOW)
    assert await mongo["visitors"].count_documents({}) == 0


async def test_visitor_with_only_a_conversation_is_erased(mongo: Mongo) -> None:
    repository = create_visitor_repository(mongo)
    conversation = ConversationSnapshot(TENANT, SITE, "sess_a", 50, 1, NOW, closed=False)
    await repository.save_conversation(conversation, NOW)
    assert await repository.get_personal_data(SITE, "sess_a") is not None
    await repository.erase(SITE, "sess_a", NOW)
    assert await repository.get_personal_data(SITE, "sess_a") is None
