"""Benchmark `reports`: a report about a year of a busy site, grouped in each way."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from pymongo import AsyncMongoClient

from bench.baselines import Document, run_repeatedly
from bench.benchmarks.send import to_round
from bench.driver import LoadResult, Worker, closed_loop, get
from bench.harness import BenchmarkContext
from bench.measurement import Benchmark, Metric, Round, Target, alternate
from bench.seeding import FIRST_ID, SeedTarget
from parley.chat.reports.model import Fact
from parley.chat.reports.ports import DueDay
from parley.chat.reports.repository import DAYS, MongoReportRepository
from parley.chat.reports.tables import Dimension, TableBuilder

_CONVERSATIONS = 120_000
"""With eight or nine messages each: a million messages."""
_QUICK_CONVERSATIONS = 2_000
_YEAR = 2025
_OPERATORS, _TEAMS, _LABELS = 20, 5, 12
_BUSY_HOURS = (8, 20)
_GROUPS = {
    "day": Dimension.HOUR,
    "weekday_hour": Dimension.HOUR,
    "operator": Dimension.OPERATOR,
    "label": Dimension.LABEL,
}
_MAX_MILLISECONDS = 100


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Measure a year's report in each grouping."""
    scenario = bench.scenario
    target = SeedTarget(
        bench.mongodb_uri, bench.database("chat"), scenario.tenant_id, scenario.site_id, scenario.operator_id
    )
    started = time.monotonic()
    size = bench.size(_CONVERSATIONS, _QUICK_CONVERSATIONS)
    await bench.run_in_subprocess(seed_facts, target, size)
    bench.output(f"reports: seeded the facts of {size} conversations in {time.monotonic() - started:.0f} s")
    metrics: list[Metric] = []
    for group_by, dimension in _GROUPS.items():
        period = f"from={_YEAR}-01-01&to={_YEAR}-12-31&timezone=Europe/Berlin"
        request = get(f"/api/v1/reports?{period}&group_by={group_by}", scenario.owner_token)
        result = await alternate(
            bench.rounds(),
            lambda dimension=dimension: _fetch(bench, target, dimension),  # type: ignore[misc]
            lambda request=request: _request(bench, request),  # type: ignore[misc]
        )
        name = f"a year of {size} conversations by {group_by}, p50"
        metrics.append(result.latency_metric(name, "p50", Target("p50", "at most", _MAX_MILLISECONDS)))
    return metrics


async def seed_facts(target: SeedTarget, conversations: int) -> None:
    """Write the facts of a year, and build the tables of its days."""
    days: dict[date, list[Fact]] = {}
    for fact in _facts(target, conversations):
        days.setdefault(fact.began_at.date(), []).append(fact)
    async with AsyncMongoClient[Document](target.uri, tz_aware=True) as client:
        repository = MongoReportRepository(client[target.database])
        for facts in days.values():
            # Never due: they are built here.
            await repository.store_facts(facts, datetime(_YEAR + 1000, 1, 1, tzinfo=UTC))
        now = datetime.now(UTC)
        while (day := await _claim(repository, now)) is not None:
            builder = TableBuilder()
            async for fact in repository.read_day(day.key):
                builder.add(fact)
            await repository.store_tables(day, builder.build(), now)


async def _claim(repository: MongoReportRepository, now: datetime) -> DueDay | None:
    later = datetime(_YEAR + 2000, 1, 1, tzinfo=UTC)
    return await repository.claim_day(later, now)


def _facts(target: SeedTarget, conversations: int) -> Iterator[Fact]:
    """Most conversations begin in the daytime. Half are handed off, and most of these get a reply."""
    chance = random.Random(20)  # noqa: S311 - made-up data
    for number in range(conversations):
        hour = chance.randint(*_BUSY_HOURS) if chance.random() < 0.9 else chance.randrange(24)
        began_at = datetime(_YEAR, 1, 1, hour, tzinfo=UTC) + timedelta(
            days=chance.randrange(365), seconds=chance.randrange(3600)
        )
        handed_off = chance.random() < 0.5
        requested_at = began_at + timedelta(seconds=chance.expovariate(1 / 90)) if handed_off else None
        replied_at = None
        if requested_at is not None and chance.random() < 0.9:
            replied_at = requested_at + timedelta(seconds=chance.lognormvariate(4, 1.2))
        yield Fact(
            FIRST_ID + number,
            target.tenant_id,
            target.site_id,
            version=9,
            began_at=began_at,
            handed_off_at=requested_at,
            handoff_reason=chance.choice(("asked", "ai_does_not_know", "ai_failed")) if handed_off else None,
            requested_at=requested_at,
            assigned_at=replied_at,
            first_ai_message_at=began_at,
            first_operator_message_at=replied_at,
            closed_at=began_at + timedelta(seconds=chance.lognormvariate(6.5, 1.5)),
            operator_id=1 + chance.randrange(_OPERATORS) if replied_at else None,
            team_id=1 + chance.randrange(_TEAMS) if handed_off else None,
            label_ids=tuple(sorted({1 + chance.randrange(_LABELS) for _ in range(chance.randrange(3))})),
            rating=chance.choice((None, None, None, 5, 5, 4, 2)),
        )


async def fetch_tables(target: SeedTarget, dimension: Dimension, seconds: float) -> LoadResult:
    """Fetch the tables that a report is computed from, undecoded, one year at a time."""
    query = {
        "tenant_id": target.tenant_id,
        "site_id": {"$in": [target.site_id]},
        "day": {"$gte": f"{_YEAR}-01-01", "$lte": f"{_YEAR}-12-30"},
    }
    fields = {"day": 1, f"tables.{dimension}": 1}
    async with AsyncMongoClient[Document](target.uri) as client:
        opened = client[target.database][DAYS]

        async def fetch_year() -> None:
            await opened.find(query, fields).to_list()

        await fetch_year()
        return await run_repeatedly(fetch_year, 1, seconds)


async def _fetch(bench: BenchmarkContext, target: SeedTarget, dimension: Dimension) -> Round:
    return to_round(await bench.run_in_subprocess(fetch_tables, target, dimension, bench.seconds(3)))


async def _request(bench: BenchmarkContext, request: bytes) -> Round:
    scenario = bench.scenario
    measured = await bench.run_in_subprocess(
        closed_loop, scenario.host, scenario.port, [Worker((request,))], bench.seconds(3), secrets.token_hex(4)
    )
    if measured.result.rejected or not measured.result.latencies:
        raise RuntimeError(f"{measured.result.rejected} requests were rejected")
    return to_round(measured)


BENCHMARK = Benchmark(
    "reports",
    "a report about a year of a busy site, one request at a time.",
    "the find of the tables that it is computed from, with the database driver, undecoded.",
    run,
)
