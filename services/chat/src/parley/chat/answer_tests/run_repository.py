"""Runs of answer tests and their results in MongoDB. A run is a lease in its document."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from pymongo import InsertOne, ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError

from parley.chat.answer_tests.errors import TestRunActive, TestRunNotFound
from parley.chat.answer_tests.mappers import (
    answer_fields,
    result_document,
    run_document,
    summary_document,
    to_result,
    to_run,
)
from parley.chat.answer_tests.model import (
    ResultKind,
    RunError,
    RunResult,
    RunSummary,
    TestRun,
    Totals,
    Verdict,
)
from parley.chat.answer_tests.ports import ClaimedRun
from parley.chat.sites.engine_check import PRIMARY_ENGINE
from parley.common.mongodb import Document, Index, Mongo

RUNS = "answer_test_runs"
RESULTS = "answer_test_results"
RETENTION = timedelta(days=30)
_DUPLICATE_KEY = 11000
_ACTIVE = {"partialFilterExpression": {"active": True}}

INDEXES = [
    Index(RUNS, [("tenant_id", 1), ("site_id", 1), ("_id", -1)], {"name": "of_site"}),
    Index(RUNS, [("site_id", 1), ("candidate.hash", 1), ("_id", -1)], {"name": "of_candidate"}),
    Index(RUNS, [("site_id", 1)], {"name": "one_at_a_time", "unique": True, **_ACTIVE}),
    Index(RUNS, [("active", 1), ("created_at", 1)], {"name": "active", **_ACTIVE}),
    Index(RUNS, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0}),
    Index(RESULTS, [("run_id", 1), ("position", 1)], {"name": "of_run"}),
    Index(RESULTS, [("site_id", 1)], {"name": "site"}),
    Index(
        RESULTS,
        [("conversation_id", 1)],
        {"name": "of_conversation", "partialFilterExpression": {"conversation_id": {"$type": "number"}}},
    ),
    Index(RESULTS, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0}),
]


class MongoTestRunRepository:
    """A TestRunRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def add(self, run: TestRun) -> None:
        try:
            await self._mongo[RUNS].insert_one({**run_document(run), "expires_at": run.created_at + RETENTION})
        except DuplicateKeyError:
            raise TestRunActive from None

    async def get(self, tenant_id: int, site_id: int, run_id: int) -> TestRun:
        row = await self._mongo[RUNS].find_one({"_id": run_id, "tenant_id": tenant_id, "site_id": site_id})
        if row is None:
            raise TestRunNotFound
        return await self._to_run(row)

    async def list_page(self, tenant_id: int, site_id: int, before: int, limit: int) -> list[TestRun]:
        query: Document = {"tenant_id": tenant_id, "site_id": site_id}
        if before:
            query["_id"] = {"$lt": before}
        return [await self._to_run(row) async for row in self._mongo[RUNS].find(query, limit=limit).sort("_id", -1)]

    async def find_latest(
        self, site_id: int, candidate_hash: str, since: datetime, *, of_fallback: bool = False
    ) -> TestRun | None:
        name = "tested_fallbacks.hash" if of_fallback else "candidate.hash"
        query = {"site_id": site_id, name: candidate_hash, "created_at": {"$gte": since}}
        row = await self._mongo[RUNS].find_one(query, sort=[("_id", -1)])
        return None if row is None else await self._to_run(row)

    async def claim(self, now: datetime, until: datetime) -> ClaimedRun | None:
        lease_id = secrets.token_hex(8)
        row = await self._mongo[RUNS].find_one_and_update(
            {"active": True, "lease_until": {"$not": {"$gt": now}}},
            [
                {
                    "$set": {
                        "state": "running",
                        "lease_id": lease_id,
                        "lease_until": until,
                        "started_at": {"$ifNull": ["$started_at", now]},
                        "attempts": {"$add": ["$attempts", 1]},
                    }
                }
            ],
            sort=[("created_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return None if row is None else ClaimedRun(to_run(row), lease_id)

    async def renew(self, claimed: ClaimedRun, until: datetime) -> bool:
        result = await self._mongo[RUNS].update_one(_held(claimed), {"$set": {"lease_until": until}})
        return result.matched_count == 1

    async def prepare(self, claimed: ClaimedRun, results: Sequence[RunResult]) -> None:
        run = claimed.run
        expires_at = run.created_at + RETENTION
        documents = [{**result_document(run, result), "expires_at": expires_at} for result in results]
        if documents:
            try:
                await self._mongo[RESULTS].bulk_write([InsertOne(one) for one in documents], ordered=False)
            except BulkWriteError as exc:
                # The replica before ended here.
                if any(error["code"] != _DUPLICATE_KEY for error in exc.details["writeErrors"]):
                    raise
        await self._mongo[RUNS].update_one(_held(claimed), {"$set": {"prepared": True, "total": len(results)}})

    async def next_unanswered(self, run: TestRun, limit: int) -> list[RunResult]:
        cursor = self._mongo[RESULTS].find({"run_id": run.id, "done": False}, limit=limit)
        return [to_result(row) async for row in cursor.sort("position", 1)]

    async def store_result(self, run: TestRun, result: RunResult) -> None:
        query = {"_id": f"{run.id}:{result.position}", "done": False}
        await self._mongo[RESULTS].update_one(query, {"$set": answer_fields(result)})

    async def summarize(self, run: TestRun) -> RunSummary:
        columns = {name: _sum_column(name) for name in ("candidate", "live")}
        group: Document = {"_id": "$kind", "count": {"$sum": 1}, "changed": _count({"$eq": ["$changed", True]})}
        for name, sums in columns.items():
            group |= {f"{name}_{key}": value for key, value in sums.items()}
        pipeline = [{"$match": {"run_id": run.id, "done": True}}, {"$group": group}]
        rows = {row["_id"]: row async for row in await self._mongo[RESULTS].aggregate(pipeline)}
        tests, replays = rows.get("test", {}), rows.get("replay", {})
        candidate = _to_totals("candidate", tests, replays)
        live = None if run.is_live else _to_totals("live", tests, {})
        return RunSummary(candidate, live, replays.get("count", 0), replays.get("changed", 0))

    async def finish(self, claimed: ClaimedRun, error: RunError | None, now: datetime) -> None:
        summary = await self.summarize(claimed.run)
        change: Document = {
            "state": "failed" if error else "done",
            "finished_at": now,
            "summary": summary_document(summary),
            "fault": {"code": error.code, "message": error.message} if error else None,
            "done": await self._count_done(claimed.run.id),
        }
        await self._mongo[RUNS].update_one(_held(claimed), {"$set": change, "$unset": _ENDED})

    async def cancel(self, run: TestRun, now: datetime) -> None:
        change = {
            "state": "cancelled",
            "finished_at": now,
            "summary": summary_document(await self.summarize(run)),
            "done": await self._count_done(run.id),
        }
        await self._mongo[RUNS].update_one({"_id": run.id, "active": True}, {"$set": change, "$unset": _ENDED})

    async def list_results(
        self, run: TestRun, kind: ResultKind, verdict: Verdict | None, changed: bool | None, after: int, limit: int
    ) -> list[RunResult]:
        query: Document = {"run_id": run.id, "kind": kind, "done": True, "position": {"$gt": after}}
        if verdict is not None:
            query["candidate.verdict"] = verdict
        if changed is not None:
            query["changed"] = changed
        return [to_result(row) async for row in self._mongo[RESULTS].find(query, limit=limit).sort("position", 1)]

    async def list_not_right(self, run: TestRun, engine_id: str, limit: int, *, by_itself: bool) -> list[RunResult]:
        reasons: list[Document] = [{"candidate.verdict": {"$in": ["wrong", "unknown"]}}]
        if by_itself:
            reasons.append({"candidate.engine": {"$ne": engine_id}})
        query = {**_tested(run, engine_id), "done": True, "$or": reasons}
        return [to_result(row) async for row in self._mongo[RESULTS].find(query, limit=limit).sort("position", 1)]

    async def count_right(self, run: TestRun, engine_id: str, *, by_itself: bool) -> int:
        query = {**_tested(run, engine_id), "candidate.verdict": "right"}
        if by_itself:
            # Also for a fallback: a replica of a version that does not know `tested_engine` asks the first engine.
            query["candidate.engine"] = engine_id
        return await self._mongo[RESULTS].count_documents(query)

    async def remove_site(self, site_id: int) -> None:
        await self._mongo[RUNS].delete_many({"site_id": site_id})
        await self._mongo[RESULTS].delete_many({"site_id": site_id})

    async def _to_run(self, row: Document) -> TestRun:
        return to_run(row, await self._count_done(row["_id"]) if row.get("active") else 0)

    async def _count_done(self, run_id: int) -> int:
        return await self._mongo[RESULTS].count_documents({"run_id": run_id, "done": True})


_ENDED = {"active": "", "lease_id": "", "lease_until": ""}


def _tested(run: TestRun, engine_id: str) -> Document:
    # Results of the version before have no `tested_engine`.
    engine = {"$in": [PRIMARY_ENGINE, None]} if engine_id == PRIMARY_ENGINE else engine_id
    return {"run_id": run.id, "kind": "test", "tested_engine": engine}


def _held(claimed: ClaimedRun) -> Document:
    return {"_id": claimed.run.id, "lease_id": claimed.lease_id, "active": True}


def _count(condition: Document) -> Document:
    return {"$sum": {"$cond": [condition, 1, 0]}}


def _sum_column(name: str) -> Document:
    verdicts = {one: _count({"$eq": [f"${name}.verdict", one]}) for one in ("right", "wrong", "unknown")}
    return {**verdicts, "tokens": {"$sum": f"${name}.tokens"}, "seconds": {"$sum": f"${name}.seconds"}}


def _to_totals(name: str, tests: Document, replays: Document) -> Totals:
    def total(key: str) -> float:
        return float(tests.get(f"{name}_{key}", 0) + replays.get(f"{name}_{key}", 0))

    return Totals(
        int(total("right")),
        int(total("wrong")),
        int(total("unknown")),
        int(total("tokens")),
        round(total("seconds"), 3),
    )
