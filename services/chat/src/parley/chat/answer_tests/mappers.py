"""Answer tests, runs and results to and from MongoDB documents."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any, TypeVar

from parley.chat.answer_tests.model import (
    AnswerTest,
    Candidate,
    Expectation,
    GivenAnswer,
    JudgedAnswer,
    Origin,
    Reason,
    Replay,
    RunError,
    RunResult,
    RunSummary,
    TestedFallback,
    TestRun,
    Totals,
)
from parley.chat.sites.chatbot import AiSettings, FallbackEngine
from parley.chat.sites.engine_check import PRIMARY_ENGINE
from parley.common.events.schemas import MessageSource, OperatorRef
from parley.common.mongodb import Document

T = TypeVar("T")


def test_document(test: AnswerTest) -> Document:
    return {
        "_id": test.id,
        "tenant_id": test.tenant_id,
        "site_id": test.site_id,
        **mutable_fields(test),
        "created_at": test.created_at,
    }


def mutable_fields(test: AnswerTest) -> Document:
    return {
        "question": test.question,
        "language": test.language,
        "expectation": _expectation_document(test.expectation),
        "enabled": test.enabled,
        "origin": asdict(test.origin),
        "updated_at": test.updated_at,
    }


def to_test(row: Document) -> AnswerTest:
    return AnswerTest(
        id=row["_id"],
        tenant_id=row["tenant_id"],
        site_id=row["site_id"],
        question=row["question"],
        language=row["language"],
        expectation=_to_expectation(row["expectation"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        enabled=row["enabled"],
        origin=_known(Origin, row["origin"]),
    )


def run_document(run: TestRun) -> Document:
    return {
        "_id": run.id,
        "tenant_id": run.tenant_id,
        "site_id": run.site_id,
        "candidate": {**asdict(run.candidate), "hash": run.candidate.hash},
        "is_live": run.is_live,
        "replays": run.replays,
        "created_at": run.created_at,
        "created_by": run.created_by.model_dump(),
        "tests_hash": run.tests_hash,
        "state": run.state,
        "active": True,
        "prepared": False,
        "total": run.total,
        "attempts": 0,
        "tested_fallbacks": [asdict(one) for one in run.tested_fallbacks],
        "entries_version": run.entries_version,
    }


def to_run(row: Document, done: int = 0) -> TestRun:
    error, summary = row.get("fault"), row.get("summary")
    return TestRun(
        id=row["_id"],
        tenant_id=row["tenant_id"],
        site_id=row["site_id"],
        candidate=_to_candidate(row["candidate"]),
        is_live=row["is_live"],
        replays=row["replays"],
        created_at=row["created_at"],
        created_by=OperatorRef.model_validate(row["created_by"]),
        tests_hash=row["tests_hash"],
        state=row["state"],
        prepared=row["prepared"],
        total=row["total"],
        done=row.get("done", done),
        started_at=row.get("started_at"),
        finished_at=row.get("finished_at"),
        error=error and _known(RunError, error),
        summary=summary and _to_summary(summary),
        attempts=row["attempts"],
        tested_fallbacks=tuple(_known(TestedFallback, one) for one in row.get("tested_fallbacks", ())),
        entries_version=row.get("entries_version"),
    )


def _to_candidate(row: Document) -> Candidate:
    fallbacks = row.get("fallbacks")
    if fallbacks is not None:
        fallbacks = tuple(_known(FallbackEngine, one) for one in fallbacks)
    return _known(Candidate, {**row, "ai": _known(AiSettings, row["ai"]), "fallbacks": fallbacks})


def result_document(run: TestRun, result: RunResult) -> Document:
    return {
        "_id": f"{run.id}:{result.position}",
        "run_id": run.id,
        "tenant_id": run.tenant_id,
        "site_id": run.site_id,
        "position": result.position,
        "kind": result.kind,
        "question": result.question,
        "language": result.language,
        "test_id": result.test_id,
        "expectation": _expectation_document(result.expectation),
        "replay": result.replay and asdict(result.replay),
        "conversation_id": result.conversation_id,
        "tested_engine": result.tested_engine,
        "done": False,
    }


def answer_fields(result: RunResult) -> Document:
    return {
        "done": True,
        "candidate": _judged_document(result.candidate),
        "live": _judged_document(result.live),
        "similarity": result.similarity,
        "changed": result.changed,
    }


def to_result(row: Document) -> RunResult:
    replay = row["replay"]
    return RunResult(
        run_id=row["run_id"],
        position=row["position"],
        kind=row["kind"],
        question=row["question"],
        language=row["language"],
        test_id=row["test_id"],
        expectation=_to_expectation(row["expectation"]),
        replay=replay and _known(Replay, replay),
        conversation_id=row["conversation_id"],
        tested_engine=row.get("tested_engine", PRIMARY_ENGINE),
        candidate=_to_judged(row.get("candidate")),
        live=_to_judged(row.get("live")),
        similarity=row.get("similarity"),
        changed=row.get("changed"),
    )


def summary_document(summary: RunSummary) -> Document:
    return asdict(summary)


def _to_summary(row: Document) -> RunSummary:
    live = row.get("live")
    return _known(
        RunSummary, {**row, "candidate": _known(Totals, row["candidate"]), "live": live and _known(Totals, live)}
    )


def _expectation_document(expectation: Expectation) -> Document:
    return {
        "expected": expectation.expected,
        "must_say": [list(group) for group in expectation.must_say],
        "must_not_say": list(expectation.must_not_say),
        "must_cite": [list(group) for group in expectation.must_cite],
    }


def _to_expectation(row: Document) -> Expectation:
    return Expectation(
        row["expected"],
        tuple(map(tuple, row["must_say"])),
        tuple(row["must_not_say"]),
        tuple(map(tuple, row["must_cite"])),
    )


def _judged_document(judged: JudgedAnswer | None) -> Document | None:
    if judged is None:
        return None
    answer = judged.answer
    return {
        "outcome": answer.outcome,
        "text": answer.text,
        "sources": [source.model_dump() for source in answer.sources],
        "seconds": answer.seconds,
        "tokens": answer.tokens,
        "error": answer.error,
        "engine": answer.engine,
        "verdict": judged.verdict,
        "reasons": [asdict(reason) for reason in judged.reasons],
    }


def _to_judged(row: Document | None) -> JudgedAnswer | None:
    if row is None:
        return None
    sources = tuple(MessageSource.model_validate(source) for source in row["sources"])
    answer = _known(GivenAnswer, {**row, "sources": sources})
    return JudgedAnswer(answer, row["verdict"], tuple(_known(Reason, reason) for reason in row["reasons"]))


def _known(kind: type[T], row: dict[str, Any]) -> T:
    """Build a value from the fields that this version knows."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in row.items() if name in names})
