"""Request bodies and responses of the endpoints of answer tests."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from parley.chat.answer_tests.errors import MAX_REPLAYS, MAX_TESTS
from parley.chat.answer_tests.model import (
    AnswerTest,
    AnswerTestDraft,
    Expectation,
    Expected,
    JudgedAnswer,
    OriginKind,
    Outcome,
    ReasonKind,
    RunResult,
    RunState,
    TestRun,
    Totals,
    Verdict,
)
from parley.chat.answer_tests.transfer import from_csv
from parley.chat.common_fields import Language
from parley.chat.paging.schemas import PageQuery
from parley.chat.sites.settings_schemas import (
    MAX_FALLBACKS,
    AiSettingsBody,
    EngineName,
    FallbackBody,
    ModelName,
)
from parley.common.errors import ValidationFailed
from parley.common.events.schemas import MessageSource, OperatorRef, Timestamp
from parley.common.http import Id, Query, RequestBody, SuccessResponse

MAX_CSV_CHARACTERS = 120_000

Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=r"[^\s*]")]
Alternatives = Annotated[list[Phrase], Field(min_length=1, max_length=10)]
Requirements = Annotated[list[Alternatives], Field(max_length=20)]


class AnswerTestBody(RequestBody):
    """What the AI must answer to a question, asked as a visitor's first message.

    Of each list in `must_say` and `must_cite`, one is enough; every list must be met. Texts are compared without case,
    accents, markup and spacing, as whole words; a `*` at an end stands for the rest of a word. `must_cite` has titles
    or addresses of sources; a `*` at the end of an address stands for all pages below it.
    """

    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    language: Language | None = Field(None, description="The visitor's language; null for that of the site.")
    expected: Expected = Field(
        "answer", description="That it answers, says that it does not know (decline), or hands over to a person."
    )
    must_say: Requirements = Field(default_factory=list)
    must_not_say: Annotated[list[Phrase], Field(max_length=20)] = Field(default_factory=list)
    must_cite: Requirements = Field(default_factory=list)
    enabled: bool = True

    def to_draft(self) -> AnswerTestDraft:
        expectation = Expectation(
            self.expected,
            tuple(map(tuple, self.must_say)),
            tuple(self.must_not_say),
            tuple(map(tuple, self.must_cite)),
        )
        return AnswerTestDraft(self.question, self.language, expectation, self.enabled)


class NewAnswerTestBody(AnswerTestBody):
    """With a conversation: a test that was made from the AI's message `seq` in it."""

    conversation_id: Id | None = None
    seq: Id | None = None


class ImportBody(RequestBody):
    """Either `tests`, or `csv` with the columns of the export, of which only `question` is needed.

    A test with the question and language of an existing one replaces it.
    """

    tests: Annotated[list[AnswerTestBody], Field(max_length=MAX_TESTS)] | None = None
    csv: Annotated[str, StringConstraints(max_length=MAX_CSV_CHARACTERS)] | None = None

    def to_drafts(self) -> list[AnswerTestDraft]:
        """Raises ValidationFailed."""
        if (self.tests is None) == (self.csv is None):
            raise ValidationFailed({"tests": "either tests or csv is required"})
        if self.tests is not None:
            return [test.to_draft() for test in self.tests]
        try:
            rows = from_csv(self.csv or "")
        except ValueError as exc:
            raise ValidationFailed({"csv": str(exc)}) from exc
        if len(rows) > MAX_TESTS:
            raise ValidationFailed({"csv": f"should have at most {MAX_TESTS} lines"})
        return [_parse_row(number, row) for number, row in enumerate(rows, start=2)]


def _parse_row(number: int, row: dict[str, Any]) -> AnswerTestDraft:
    try:
        return AnswerTestBody.model_validate(row).to_draft()
    except ValidationError as exc:
        error = exc.errors()[0]
        raise ValidationFailed({"csv": f"row {number}, {error['loc'][0]}: {error['msg']}"}) from exc


class ExportQuery(Query):
    format: Literal["csv", "json"] = "csv"


class RunBody(RequestBody):
    """Settings of the AI to test; those that are absent are the site's present ones."""

    engine: EngineName | None = None
    model: ModelName | None = None
    instructions: Annotated[str, StringConstraints(max_length=8000)] | None = None
    ai: AiSettingsBody | None = None
    fallbacks: Annotated[list[FallbackBody], Field(max_length=MAX_FALLBACKS)] | None = Field(
        None,
        description="The engines after the first one. Those that would give other answers than the live engines, also"
        " as other settings change, are asked each test by themselves.",
    )
    pending_changes: bool = Field(
        False, description="Whether the knowledge has the changes that wait to be approved, instead of what is live."
    )
    replays: Annotated[int, Field(ge=0, le=MAX_REPLAYS)] = Field(
        0,
        description="How many real answers of the last 30 days are compared with what the AI would answer. Needs the "
        "permission to see the site's conversations.",
    )

    def to_fields(self) -> dict[str, Any]:
        fields = self.model_dump(exclude_none=True, exclude={"ai", "fallbacks", "pending_changes", "replays"})
        if self.fallbacks is not None:
            fields["fallbacks"] = [fallback.model_dump(exclude_unset=True) for fallback in self.fallbacks]
        if self.ai is not None:
            fields["ai"] = self.ai.to_fields()
        return fields


class ResultsQuery(PageQuery):
    verdict: Verdict | None = None


class ReplaysQuery(PageQuery):
    changed: bool | None = None


class ExpectationSchema(BaseModel):
    expected: Expected
    must_say: list[list[str]]
    must_not_say: list[str]
    must_cite: list[list[str]]


class AnswerTestSchema(ExpectationSchema):
    id: int
    question: str
    language: str | None
    enabled: bool
    origin: OriginKind
    conversation_id: int | None = Field(description="The chat that it was made from.")
    created_at: Timestamp
    updated_at: Timestamp


class AnswerTestResponse(SuccessResponse):
    test: AnswerTestSchema


class AnswerTestListResponse(SuccessResponse):
    tests: list[AnswerTestSchema]
    next_cursor: str | None


class GeneratedResponse(SuccessResponse):
    created: int


class ImportedResponse(SuccessResponse):
    created: int
    replaced: int


class TotalsSchema(BaseModel):
    """`seconds` of all answers together."""

    right: int
    wrong: int
    unknown: int
    tokens: int
    seconds: float


class RunSummarySchema(BaseModel):
    """`live` is null where the candidate is what is live. `changed` of the `replays` would be answered differently."""

    candidate: TotalsSchema
    live: TotalsSchema | None
    replays: int
    changed: int


class RunErrorSchema(BaseModel):
    code: str
    message: str


class TestedFallbackSchema(BaseModel):
    """A fallback that is asked the tests by itself."""

    id: str
    engine: str
    model: str | None


class TestRunSchema(BaseModel):
    """A run. `passed`: it is done, and every test was answered right.

    With `entries_changed`, it no longer allows a change: the knowledge entries were others when it was started.
    """

    id: int
    state: RunState
    passed: bool
    entries_changed: bool
    is_live: bool
    engine: str
    model: str | None
    instructions: str
    pending_changes: bool
    tested_fallbacks: list[TestedFallbackSchema] = Field(
        description="Fallbacks that the tested settings change. Each is asked every test by itself."
    )
    total: int
    done: int
    created_at: Timestamp
    created_by: OperatorRef
    started_at: Timestamp | None
    finished_at: Timestamp | None
    error: RunErrorSchema | None
    summary: RunSummarySchema | None


class TestRunResponse(SuccessResponse):
    run: TestRunSchema


class TestRunListResponse(SuccessResponse):
    runs: list[TestRunSchema]
    next_cursor: str | None


class ReasonSchema(BaseModel):
    """Why an answer is not right; `text` is what it should have said or cited, or should not have said."""

    kind: ReasonKind
    text: str


class GivenAnswerSchema(BaseModel):
    outcome: Outcome
    text: str
    sources: list[MessageSource]
    seconds: float
    tokens: int
    error: str | None
    engine: str = Field(description="The engine that answered: the id of a fallback, or `primary`.")
    verdict: Verdict | None
    reasons: list[ReasonSchema]


class RunResultSchema(ExpectationSchema):
    """A test in a run. `live` is what the present settings answer; null where they are what is tested."""

    test_id: int | None
    question: str
    language: str | None
    tested_engine: str = Field(
        description="The id of a fallback that was asked by itself, or `primary`: all engines in their order."
    )
    candidate: GivenAnswerSchema | None
    live: GivenAnswerSchema | None
    changed: bool | None


class RunResultsResponse(SuccessResponse):
    results: list[RunResultSchema]
    next_cursor: str | None


class ReplaySchema(BaseModel):
    """A real question with the answer that it got (`live`; null if the chat is gone) and the candidate's.

    `similarity` of the two texts, from 0 to 1.
    """

    conversation_id: int
    seq: int
    question: str
    language: str | None
    live: GivenAnswerSchema | None
    candidate: GivenAnswerSchema | None
    changed: bool | None
    similarity: float | None


class ReplaysResponse(SuccessResponse):
    replays: list[ReplaySchema]
    next_cursor: str | None


def serialize_test(test: AnswerTest) -> AnswerTestSchema:
    return AnswerTestSchema(
        id=test.id,
        question=test.question,
        language=test.language,
        enabled=test.enabled,
        origin=test.origin.kind,
        conversation_id=test.origin.conversation_id,
        created_at=test.created_at,
        updated_at=test.updated_at,
        **_expectation_fields(test.expectation),
    )


def serialize_run(run: TestRun, entries_version: str) -> TestRunSchema:
    """`entries_version`: of the site's knowledge entries as they are now."""
    summary = run.summary
    return TestRunSchema(
        id=run.id,
        state=run.state,
        passed=run.passed,
        entries_changed=run.is_older_than(entries_version),
        is_live=run.is_live,
        engine=run.candidate.engine,
        model=run.candidate.model,
        instructions=run.candidate.instructions,
        pending_changes=run.candidate.pending_changes,
        tested_fallbacks=[
            TestedFallbackSchema(id=one.id, engine=one.engine, model=one.model) for one in run.tested_fallbacks
        ],
        total=run.total,
        done=run.done,
        created_at=run.created_at,
        created_by=run.created_by,
        started_at=run.started_at,
        finished_at=run.finished_at,
        error=run.error and RunErrorSchema(code=run.error.code, message=run.error.message),
        summary=summary
        and RunSummarySchema(
            candidate=_totals(summary.candidate),
            live=summary.live and _totals(summary.live),
            replays=summary.replays,
            changed=summary.changed,
        ),
    )


def serialize_result(result: RunResult) -> RunResultSchema:
    return RunResultSchema(
        test_id=result.test_id,
        question=result.question,
        language=result.language,
        tested_engine=result.tested_engine,
        candidate=_answer(result.candidate),
        live=_answer(result.live),
        changed=result.changed,
        **_expectation_fields(result.expectation),
    )


def serialize_replay(result: RunResult) -> ReplaySchema:
    assert result.replay is not None
    return ReplaySchema(
        conversation_id=result.replay.conversation_id,
        seq=result.replay.reply_seq,
        question=result.question,
        language=result.language,
        live=_answer(result.live),
        candidate=_answer(result.candidate),
        changed=result.changed,
        similarity=result.similarity,
    )


def _totals(totals: Totals) -> TotalsSchema:
    return TotalsSchema.model_validate(totals, from_attributes=True)


def _expectation_fields(expectation: Expectation) -> dict[str, Any]:
    return {
        "expected": expectation.expected,
        "must_say": [list(group) for group in expectation.must_say],
        "must_not_say": list(expectation.must_not_say),
        "must_cite": [list(group) for group in expectation.must_cite],
    }


def _answer(judged: JudgedAnswer | None) -> GivenAnswerSchema | None:
    if judged is None:
        return None
    answer = judged.answer
    return GivenAnswerSchema(
        outcome=answer.outcome,
        text=answer.text,
        sources=list(answer.sources),
        seconds=round(answer.seconds, 3),
        tokens=answer.tokens,
        error=answer.error,
        engine=answer.engine,
        verdict=judged.verdict,
        reasons=[ReasonSchema(kind=reason.kind, text=reason.text) for reason in judged.reasons],
    )
