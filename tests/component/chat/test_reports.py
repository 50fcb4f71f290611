"""Reports: from the events of conversations to the API, with rights, repeated events, erasures and a backfill."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import itertools
import random
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from parley.chat.ai.usage import EngineUsage, TokenUsage, cost_of
from parley.chat.conversations import events, transitions
from parley.chat.conversations.model import Change, Conversation
from parley.chat.conversations.queries import ConversationUsage
from parley.chat.conversations.repository import MongoConversationRepository
from parley.chat.messages.model import MessageDraft
from parley.chat.mongo_schema import SCHEMA
from parley.chat.reports.collector import ReportCollector
from parley.chat.reports.facts import build_fact
from parley.chat.reports.figures import FIRST_FIELDS, SECOND_FIELDS
from parley.chat.reports.repository import DAYS, FACTS, MongoReportRepository
from parley.chat.reports.tables import TableBuilder
from parley.chat.sites.chatbot import AiPrices
from parley.chat.visitors.model import DataSubject, Visitor
from parley.common.auth.identity import OperatorCaller
from parley.common.events import Actor, Event
from parley.common.events.schemas import OperatorRef
from parley.common.mongodb import Mongo
from support.admin_app import AdminTestApp, StartApp
from support.migration_job import create_migrator
from support.wait import wait_until

TIMEOUT = timedelta(minutes=5)
MORNING = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
MARCH: dict[str, Any] = {"from_": "2026-03-01", "to": "2026-03-31"}
_ids = itertools.count(1)


@dataclass(slots=True)
class Reporting:
    """A site whose conversations a test makes, with the events that they publish."""

    app: AdminTestApp
    owner: OperatorCaller
    site_id: int
    conversations: MongoConversationRepository
    events: list[Event] = field(default_factory=list)

    @property
    def collector(self) -> ReportCollector:
        return self.app.admin.report_collector

    @property
    def by(self) -> OperatorRef:
        return OperatorRef(id=self.owner.operator_id, name=self.owner.name)

    async def open(self, at: datetime) -> Conversation:
        visitor = Visitor(self.owner.tenant_id, self.site_id, f"sess_{secrets.token_hex(8)}", version=1)
        change = transitions.open_conversation(visitor, self.app.base_id + next(_ids), None, "ai", at)
        assert await self.conversations.create(change)
        self.events += change.events
        return change.conversation

    async def change(self, conversation: Conversation, transition: Any) -> Conversation:
        change = await self.conversations.change(conversation.tenant_id, conversation.id, transition)
        assert isinstance(change, Change)
        self.events += change.events
        return change.conversation

    async def write(self, conversation: Conversation, at: datetime) -> Conversation:
        draft = MessageDraft(self.app.base_id + next(_ids), "operator", "Hello", sender=self.by)
        return await self.change(
            conversation, lambda current: transitions.add_operator_message(current, draft, self.by, at, TIMEOUT)
        )

    async def served(self, at: datetime) -> Conversation:
        """Asked for after a minute, answered 30 s later, closed ten minutes after the beginning, and rated 5."""
        one = await self.open(at)
        asked, replied, closed = (at + timedelta(seconds=seconds) for seconds in (60, 90, 600))
        one = await self.change(one, lambda current: transitions.request_handoff(current, "asked", asked))
        one = await self.write(one, replied)
        one = await self.change(one, lambda current: transitions.close(current, self.by, closed, overrule=False))
        return await self.change(one, lambda current: transitions.rate(current, 5, "Great", closed))

    async def answered(self, at: datetime, *usage: EngineUsage) -> Conversation:
        """By the AI alone."""
        one = await self.open(at)
        draft = MessageDraft(self.app.base_id + next(_ids), "ai", "Hello")
        return await self.change(
            one, lambda current: transitions.add_ai_message(current, draft, 0, at, knew_answer=True, usage=usage)
        )

    async def details(self, caller: OperatorCaller, conversation: Conversation) -> ConversationUsage | None:
        return (await self.app.conversations.queries.get_details(caller, conversation.id, None, 10)).usage

    async def handle(self, published: Sequence[Event] | None = None) -> None:
        """Handle events as the consumer does: those of different conversations at the same time."""
        handlers = self.collector.handlers()
        wanted = [event for event in (self.events if published is None else published) if event.type in handlers]
        await asyncio.gather(*(handlers[event.type](event) for event in wanted))

    async def build(self) -> None:
        """Build the days that are due, as after a while."""
        self.app.clock.advance(hours=1)
        await self.collector.build_due()

    async def report(self, caller: OperatorCaller | None = None, **query: Any) -> dict[str, Any]:
        response = await self.app.call("GET", "/api/v1/reports", caller or self.owner, **{**MARCH, **query})
        return dict(response.ok())


@pytest.fixture(scope="module")
async def reports_app(start_app: StartApp) -> AsyncIterator[AdminTestApp]:
    async with start_app() as app:
        yield app


@pytest.fixture
async def reporting(reports_app: AdminTestApp) -> Reporting:
    owner = await reports_app.create_tenant()
    site = await reports_app.create_site(owner)
    conversations = MongoConversationRepository(reports_app.mongo, reports_app.outbox)
    return Reporting(reports_app, owner, site["id"], conversations)


async def test_a_report_counts_what_happened_in_the_conversations(reporting: Reporting) -> None:
    await reporting.served(MORNING)
    waiting = await reporting.open(MORNING + timedelta(days=1))
    at = MORNING + timedelta(days=1, seconds=20)
    await reporting.change(waiting, lambda current: transitions.request_handoff(current, "ai_failed", at))
    await reporting.served(MORNING - timedelta(days=20))
    await reporting.handle()
    await reporting.build()
    report = await reporting.report(group_by="day")
    totals = report["totals"]
    assert (totals["chats"], totals["closed"], totals["waiting"], totals["abandoned"]) == (2, 1, 1, 0)
    assert (totals["first_reply"]["count"], totals["first_reply"]["average_seconds"]) == (1, 30)
    assert totals["first_reply"]["median_seconds"] == pytest.approx(30, rel=0.25)
    assert totals["resolution"]["average_seconds"] == 600
    assert totals["handoff_reasons"]["asked"] == totals["handoff_reasons"]["ai_failed"] == 1
    assert totals["ratings"] == {"count": 1, "average": 5, "by_score": {"1": 0, "2": 0, "3": 0, "4": 0, "5": 1}}
    assert (report["previous"]["chats"], report["previous_period"]["first_day"]) == (1, "2026-01-29")
    days = {row["key"]: row["chats"] for row in report["rows"]}
    assert (len(days), days["2026-03-10"], days["2026-03-11"]) == (31, 1, 1)


async def test_rows_are_operators_sites_and_times(reporting: Reporting) -> None:
    await reporting.served(MORNING)
    await reporting.open(MORNING + timedelta(hours=1))
    await reporting.handle()
    await reporting.build()
    by_operator = (await reporting.report(group_by="operator"))["rows"]
    assert [(row["key"], row["name"], row["chats"], row["deleted"]) for row in by_operator] == [
        (str(reporting.owner.operator_id), "Olivia Owner", 1, False),
        (None, None, 1, False),
    ]
    by_site = (await reporting.report(group_by="site"))["rows"]
    assert [(row["key"], row["name"], row["chats"]) for row in by_site] == [(str(reporting.site_id), "Shop", 2)]
    for group_by, keys in (("hour", {"14", "15"}), ("weekday", {"1"}), ("weekday_hour", {"38", "39"})):
        rows = (await reporting.report(group_by=group_by, timezone="Asia/Kathmandu"))["rows"]
        # 9:00 UTC is 14:45 in Nepal, on a Tuesday.
        assert {row["key"] for row in rows if row["chats"]} == keys, group_by
    for group_by in ("team", "label"):
        assert [row["key"] for row in (await reporting.report(group_by=group_by))["rows"]] == [None]


async def test_rows_are_the_labels_that_conversations_have_now(reporting: Reporting) -> None:
    body = {"name": "Refund", "colour": "#aa3322", "scope": "site", "site_id": reporting.site_id}
    label = (await reporting.app.call("POST", "/api/v1/labels", reporting.owner, body)).ok(201)["label"]
    conversation = await reporting.open(MORNING)
    await reporting.handle()
    await reporting.build()
    await reporting.change(
        conversation, lambda current: transitions.set_labels(current, [label["id"]], reporting.by, MORNING)
    )
    await reporting.handle(reporting.events[-1:])
    await reporting.build()
    rows = (await reporting.report(group_by="label"))["rows"]
    assert [(row["key"], row["name"], row["chats"]) for row in rows] == [(str(label["id"]), "Refund", 1)]


async def test_days_begin_in_the_time_zone_of_the_report(reporting: Reporting) -> None:
    # In Nepal it is March 11, 2:30.
    await reporting.served(datetime(2026, 3, 10, 20, 45, tzinfo=UTC))
    await reporting.handle()
    await reporting.build()
    one_day: dict[str, Any] = {"from_": "2026-03-11", "to": "2026-03-11"}
    assert (await reporting.report(**one_day))["totals"]["chats"] == 0
    nepal = await reporting.report(**one_day, timezone="Asia/Kathmandu")
    assert [(row["key"], row["chats"]) for row in nepal["rows"]] == [("2026-03-11", 1)]
    month = await reporting.report(timezone="Asia/Kathmandu")
    assert [row["key"] for row in month["rows"] if row["chats"]] == ["2026-03-11"]
    assert month["totals"]["chats"] == 1


async def test_repeated_late_and_lost_events_count_nothing_twice(reporting: Reporting) -> None:
    """Events come more than once and in any order, and replicas stop anywhere between a fact and its day."""
    for number in range(6):
        await reporting.served(MORNING + timedelta(hours=number % 3))
    await reporting.handle()
    await reporting.build()
    expected = await reporting.report(group_by="hour")
    assert expected["totals"]["chats"] == expected["totals"]["ratings"]["count"] == 6
    shuffled = [*reporting.events, *reporting.events]
    random.Random(20).shuffle(shuffled)
    await reporting.handle(shuffled)
    await reporting.build()
    assert await reporting.report(group_by="hour") == expected


async def test_two_replicas_that_handle_events_and_build_at_once_count_each_conversation_once(
    reporting: Reporting,
) -> None:
    app = reporting.app
    other = ReportCollector(MongoReportRepository(app.mongo), app.admin.site_repository, app.clock)
    for number in range(12):
        await reporting.served(MORNING + timedelta(hours=number % 3, days=number % 2))
    shared = [*reporting.events, *reporting.events]
    random.Random(20).shuffle(shared)
    for start in range(0, len(shared), 30):
        app.clock.advance(hours=1)
        handled = [event for event in shared[start : start + 30] if event.type in other.handlers()]
        await asyncio.gather(
            *(one.handlers()[event.type](event) for event in handled for one in (reporting.collector, other)),
            *(one.build_due() for one in (reporting.collector, other)),
        )
    await reporting.build()
    totals = (await reporting.report())["totals"]
    assert (totals["chats"], totals["closed"], totals["ratings"]["count"]) == (12, 12, 12)
    assert sorted(row["chats"] for row in (await reporting.report(group_by="hour"))["rows"] if row["chats"]) == [4] * 3


class Stopped(Exception):
    """A replica has stopped."""


@dataclass(slots=True)
class StoppingDatabase:
    """A database of a replica that stops before it has made one operation more than `operations`."""

    mongo: Mongo
    operations: int

    def __getitem__(self, name: str) -> Any:
        database, collection = self, self.mongo[name]

        class Collection:
            def __getattr__(self, operation: str) -> Any:
                database.operations -= 1
                if database.operations < 0:
                    raise Stopped
                return getattr(collection, operation)

        return Collection()


@pytest.mark.parametrize("operations", range(6))
async def test_a_replica_that_stops_anywhere_leaves_nothing_out_and_counts_nothing_twice(
    reporting: Reporting, operations: int
) -> None:
    """Facts are stored and deleted and a day is built, each up to some operation; then the events come again."""
    app = reporting.app
    first, erased, last = [await reporting.served(MORNING + timedelta(minutes=20 * number)) for number in range(3)]
    await reporting.handle([event for event in reporting.events if event.conversation_id != last.id])
    await reporting.build()
    assert (await reporting.report())["totals"]["chats"] == 2

    def stopping() -> MongoReportRepository:
        return MongoReportRepository(StoppingDatabase(app.mongo, operations))

    await app.mongo["conversations"].delete_one({"_id": erased.id})
    subject = DataSubject(erased.tenant_id, erased.site_id, erased.visitor.session)
    reporting.events.append(events.visitor_erased(subject, [erased.id], Actor(kind="system")))
    for work in (
        stopping().store_facts([build_fact(first), build_fact(last)], app.clock()),
        stopping().delete_facts([erased.id], app.clock()),
        ReportCollector(stopping(), app.admin.site_repository, app.clock).build_due(),
    ):
        with contextlib.suppress(Stopped):
            await work
    await reporting.handle()
    await reporting.build()
    totals = (await reporting.report())["totals"]
    assert (totals["chats"], totals["closed"], totals["first_reply"]["count"]) == (2, 2, 2)
    hours = (await reporting.report(group_by="hour"))["rows"]
    assert sum(row["chats"] for row in hours) == 2


async def test_tables_of_an_earlier_revision_never_replace_later_ones(reporting: Reporting) -> None:
    repository = MongoReportRepository(reporting.app.mongo)
    await reporting.served(MORNING)
    await reporting.handle()
    reporting.app.clock.advance(hours=1)
    now = reporting.app.clock()
    slow = await repository.claim_day(now, now)
    assert slow is not None
    stale = TableBuilder().build()
    await reporting.served(MORNING)
    await reporting.handle()
    await reporting.build()
    await repository.store_tables(slow, stale, now)
    assert (await reporting.report())["totals"]["chats"] == 2


async def test_a_change_while_a_day_is_built_is_built_afterwards(reporting: Reporting) -> None:
    repository = MongoReportRepository(reporting.app.mongo)
    await reporting.served(MORNING)
    await reporting.handle()
    reporting.app.clock.advance(hours=1)
    now = reporting.app.clock()
    day = await repository.claim_day(now, now + timedelta(minutes=1))
    assert day is not None
    assert await repository.claim_day(now, now) is None, "no other replica builds it meanwhile"
    builder = TableBuilder()
    async for fact in repository.read_day(day.key):
        builder.add(fact)
    await reporting.served(MORNING)
    await reporting.handle()
    await repository.store_tables(day, builder.build(), now)
    assert (await reporting.report())["totals"]["chats"] == 1
    await reporting.build()
    assert (await reporting.report())["totals"]["chats"] == 2


async def test_an_erasure_removes_the_conversation_from_reports_for_good(reporting: Reporting) -> None:
    one, other = await reporting.served(MORNING), await reporting.served(MORNING)
    await reporting.handle()
    await reporting.build()
    await reporting.app.mongo["conversations"].delete_one({"_id": one.id})
    subject = DataSubject(one.tenant_id, one.site_id, one.visitor.session)
    erased = events.visitor_erased(subject, [one.id], Actor(kind="system"))
    # Events of the conversation that come late find it no more.
    await reporting.handle([erased, *reporting.events])
    await reporting.build()
    assert (await reporting.report())["totals"]["chats"] == 1
    facts = [row["_id"] async for row in reporting.app.mongo[FACTS].find({"site_id": reporting.site_id})]
    assert facts == [other.id]


async def test_a_deleted_site_leaves_nothing(reporting: Reporting) -> None:
    await reporting.served(MORNING)
    await reporting.handle()
    await reporting.build()
    app, site_id = reporting.app, reporting.site_id
    await reporting.collector.remove_deleted_sites()
    assert await app.mongo[DAYS].count_documents({"site_id": site_id}) == 1
    (await app.call("DELETE", f"/api/v1/sites/{site_id}", reporting.owner)).ok()
    assert (await reporting.report())["totals"]["chats"] == 0, "not reported even before its facts are deleted"
    response = await app.call("GET", "/api/v1/reports", reporting.owner, **MARCH, site_id=site_id)
    assert response.status == 404
    await reporting.collector.remove_deleted_sites()
    for collection in (FACTS, DAYS):
        assert await app.mongo[collection].count_documents({"site_id": site_id}) == 0


async def test_managers_see_the_sites_that_they_manage(reporting: Reporting) -> None:
    app, owner = reporting.app, reporting.owner
    other_site = (await app.create_site(owner, "Blog"))["id"]
    await reporting.served(MORNING)
    await reporting.handle()
    await reporting.build()
    manager = await app.create_member(owner, other_site, can_manage=True)
    assert (await reporting.report(manager))["totals"]["chats"] == 0
    denied = await app.call("GET", "/api/v1/reports", manager, **MARCH, site_id=reporting.site_id)
    assert denied.status == 403
    agent = await app.create_member(owner, reporting.site_id, can_chat=True, can_view_conversations=True)
    for path in ("/api/v1/reports", "/api/v1/reports/export"):
        assert (await app.call("GET", path, agent, **MARCH)).status == 403
        assert (await app.call("GET", path, agent, **MARCH, site_id=reporting.site_id)).status == 403
    stranger = await app.create_tenant()
    assert (await app.call("GET", "/api/v1/reports", stranger, **MARCH, site_id=reporting.site_id)).status == 404
    assert (await reporting.report(stranger))["totals"]["chats"] == 0


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"from_": "2026-03-32"}, "from"),
        ({"to": "2026-02-28"}, "to"),
        ({"from_": "2025-01-01", "to": "2026-02-05"}, "to"),
        ({"from_": "0001-01-01", "to": "0001-01-02"}, "from"),
        ({"timezone": "Europe/Atlantis"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"group_by": "visitor"}, "group_by"),
        ({"site_id": "0"}, "site_id"),
    ],
)
async def test_a_wrong_parameter_is_named(reporting: Reporting, query: dict[str, Any], wrong: str) -> None:
    response = await reporting.app.call("GET", "/api/v1/reports", reporting.owner, **{**MARCH, **query})
    assert (response.status, list(response.body["errors"])) == (422, [wrong])


async def test_400_days_are_allowed(reporting: Reporting) -> None:
    rows = (await reporting.report(from_="2025-01-01", to="2026-02-04"))["rows"]
    assert len(rows) == 400


async def test_a_report_is_exported_as_csv_without_formulas_and_as_json(reporting: Reporting) -> None:
    app, owner = reporting.app, reporting.owner
    site = (await app.create_site(owner, "=1+1"))["id"]
    reporting.site_id = site
    await reporting.served(MORNING)
    await reporting.handle()
    await reporting.build()
    query: dict[str, Any] = {**MARCH, "group_by": "site"}
    exported = await app.call("GET", "/api/v1/reports/export", owner, **query)
    assert exported.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert exported.headers["Content-Disposition"] == 'attachment; filename="report-site-2026-03-01-2026-03-31.csv"'
    header, row = list(csv.reader(io.StringIO(exported.raw.decode("utf-8-sig"))))
    assert row[:3] == [str(site), "'=1+1", "1"]
    assert dict(zip(header, row, strict=True))["first_reply_average"] == "30.0"
    as_json = await app.call("GET", "/api/v1/reports/export", owner, **query, format="json")
    assert as_json.body == await reporting.report(group_by="site")
    assert (await app.call("GET", "/api/v1/reports/export", owner, **query, format="xml")).status == 422


async def test_costs_are_exact_in_sum_by_day_and_by_engine(reporting: Reporting) -> None:
    app, path = reporting.app, f"/api/v1/sites/{reporting.site_id}/chatbot"
    (await app.call("PUT", path, reporting.owner, {"prices": {"currency": "EUR", "input": 0.5}})).ok()
    small, large, free = AiPrices(input=0.5, output=2), AiPrices(input=10, output=30), AiPrices()

    def used(engine: str, prices: AiPrices, *counts: int) -> EngineUsage:
        return EngineUsage(engine, TokenUsage(*counts), cost_of(TokenUsage(*counts), prices))

    await reporting.answered(MORNING, used("small", small, 1000, 500))
    two = await reporting.answered(MORNING, used("small", small, 200), used("large", large, 100, 100))
    await reporting.change(two, lambda current: transitions.request_handoff(current, "ai_cap_session", MORNING))
    await reporting.answered(MORNING + timedelta(days=1), used("free", free, 70, 7))
    old = await reporting.answered(MORNING + timedelta(days=1), used("small", small, 50))
    await app.mongo["conversations"].update_one({"_id": old.id}, {"$inc": {"tokens": 60}})
    await reporting.handle()
    await reporting.build()

    report = await reporting.report(group_by="day")
    usage = report["totals"]["ai_usage"]
    assert report["totals"]["handoff_reasons"]["ai_cap"] == 1
    assert (usage["conversations"], usage["unknown"], usage["priced"], usage["currency"]) == (3, 1, 2, "EUR")
    assert (usage["input_tokens"], usage["output_tokens"], usage["embedding_tokens"]) == (1370, 607, 0)
    # 1000 * 0.5 + 500 * 2 = 1500 millionths; 200 * 0.5 + 100 * 10 + 100 * 30 = 4100 millionths.
    assert (usage["cost"], usage["cost_per_conversation"], usage["cost_per_resolved"]) == (0.0056, 0.0028, 0.0056)
    days = {row["key"]: row["ai_usage"]["cost"] for row in report["rows"] if row["chats"]}
    assert days == {"2026-03-10": 0.0056, "2026-03-11": None}
    rows = (await reporting.report(group_by="engine"))["rows"]
    assert [(row["key"], row["chats"], row["ai_usage"]["cost"]) for row in rows] == [
        ("large", 1, 0.004),
        ("small", 2, 0.0016),
        ("free", 1, None),
        (None, 1, None),
    ]
    exported = await app.call("GET", "/api/v1/reports/export", reporting.owner, **{**MARCH, "group_by": "engine"})
    table = list(csv.DictReader(io.StringIO(exported.raw.decode("utf-8-sig"))))
    assert [(row["engine"], row["ai_cost"]) for row in table][:2] == [("large", "0.004"), ("small", "0.0016")]

    # What the version before has built since has no such figures: they are unknown, not 0.
    await app.mongo[DAYS].update_many({"site_id": reporting.site_id}, {"$inc": {"built_revision": 1}})
    totals = (await reporting.report(group_by="day"))["totals"]
    assert (totals["chats"], totals["ai_usage"]["unknown"], totals["ai_usage"]["cost"]) == (4, 4, None)


async def test_offline_forms_are_counted_apart_beside_the_version_before(reporting: Reporting) -> None:
    """T17: the version before counts them among the others, and is given no field that it does not know."""
    mongo, of_site = reporting.app.mongo, {"site_id": reporting.site_id}
    for reason in ("offline_form", "offline_form", "of a later version", "asked"):
        ask = partial(transitions.request_handoff, reason=reason, at=MORNING)
        await reporting.change(await reporting.open(MORNING), ask)
    await reporting.handle()
    await reporting.build()

    async def count(**query: Any) -> tuple[int, int, int]:
        reasons = (await reporting.report(**query))["totals"]["handoff_reasons"]
        return reasons["offline_form"], reasons["other"], reasons["asked"]

    assert await count() == (2, 1, 1)
    assert await count(timezone="Asia/Kathmandu") == (2, 1, 1)
    for group_by in ("site", "hour", "team", "engine"):
        rows = (await reporting.report(group_by=group_by))["rows"]
        assert sum(row["handoff_reasons"]["offline_form"] for row in rows) == 2, group_by
    exported = await reporting.app.call(
        "GET", "/api/v1/reports/export", reporting.owner, **{**MARCH, "group_by": "site"}
    )
    [line] = csv.DictReader(io.StringIO(exported.raw.decode("utf-8-sig")))
    assert (line["handoffs_offline_form"], line["handoffs_other"]) == ("2", "1")

    stored = await mongo[DAYS].find_one(of_site)
    assert stored is not None
    for part, known in ((stored["tables"], FIRST_FIELDS), (stored["added"]["tables"], SECOND_FIELDS)):
        assert all(max(table["fields"], default=0) < known for table in part.values())
    # What the version before builds leaves the newer part behind.
    await mongo[DAYS].update_many(of_site, {"$inc": {"revision": 1, "built_revision": 1, "added.revision": 1}})
    assert await count() == (0, 3, 1)
    await mongo["schema"].delete_many({})
    assert await create_migrator(mongo.database, SCHEMA).run() == []
    await reporting.build()
    assert await count() == (2, 1, 1)


async def test_a_conversation_shows_its_cost_to_those_who_may_see_reports(reporting: Reporting) -> None:
    app, path = reporting.app, f"/api/v1/sites/{reporting.site_id}/chatbot"
    (await app.call("PUT", path, reporting.owner, {"prices": {"currency": "EUR"}})).ok()
    one = await reporting.answered(MORNING, EngineUsage("small", TokenUsage(40, 2, 7), 1_500_000))
    member = await app.create_member(reporting.owner, reporting.site_id, can_chat=True)
    colleague, owner = await app.get_caller(member.operator_id), await app.get_caller(reporting.owner.operator_id)
    shown = await reporting.details(owner, one)
    assert shown == ConversationUsage(TokenUsage(40, 2, 7), 1_500_000, "EUR")
    assert await reporting.details(colleague, one) is None


async def test_old_conversations_are_counted_after_the_migration(reporting: Reporting) -> None:
    """With the first messages' times from the messages, as conversations of earlier versions do not have them."""
    mongo = reporting.app.mongo
    one, other = await reporting.served(MORNING), await reporting.served(MORNING + timedelta(days=1))
    await wait_until(lambda: mongo["messages"].find_one({"conversation_id": other.id}))
    old = {"first_operator_message_at": "", "first_ai_message_at": ""}
    await mongo["conversations"].update_many({"_id": {"$in": [one.id, other.id]}}, {"$unset": old})
    # New code took the second message for the first one.
    later = MORNING + timedelta(days=2)
    await mongo["conversations"].update_one({"_id": other.id}, {"$set": {"first_operator_message_at": later}})
    await mongo["schema"].delete_many({})
    assert await create_migrator(mongo.database, SCHEMA).run() == []
    await reporting.build()
    totals = (await reporting.report())["totals"]
    assert (totals["chats"], totals["first_reply"]["count"]) == (2, 2)
    assert totals["first_reply"]["average_seconds"] == 30
    await reporting.handle()
    await reporting.build()
    assert (await reporting.report())["totals"] == totals, "an event does not undo it"
