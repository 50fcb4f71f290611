"""Answer tests, candidates, and runs with their results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from parley.chat.sites.chatbot import AiSettings, ChatbotSettings, FallbackEngine
from parley.chat.sites.engine_check import PRIMARY_ENGINE
from parley.chat.sites.site_settings import SiteSettings
from parley.common.events.schemas import MessageSource, OperatorRef

Expected = Literal["answer", "decline", "handoff"]
"""What the AI must do: answer, say that it does not know, or hand over to a person."""
OriginKind = Literal["manual", "chat", "knowledge", "import"]
Outcome = Literal["answered", "declined", "handed_over", "failed"]
Verdict = Literal["right", "wrong", "unknown"]
"""`unknown`: the AI gave no answer where one was expected."""
ReasonKind = Literal["missing", "forbidden", "not_cited", "declined", "not_declined", "not_handed_over", "failed"]
RunState = Literal["waiting", "running", "done", "failed", "cancelled"]
ResultKind = Literal["test", "replay"]

_TESTED_AI_SETTINGS = ("base_url", "temperature", "answer_tokens", "embedding_choice", "embedding_model")
"""The AI settings that change what is answered; not who pays for it."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an answer must be. Each group of texts is met by any one of them; all groups must be met."""

    expected: Expected = "answer"
    must_say: tuple[tuple[str, ...], ...] = ()
    must_not_say: tuple[str, ...] = ()
    must_cite: tuple[tuple[str, ...], ...] = ()
    """Titles or addresses of sources."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a test comes from. Of a chat: the AI's message, and whether the question is what the visitor wrote."""

    kind: OriginKind = "manual"
    conversation_id: int | None = None
    seq: int | None = None
    verbatim: bool = False


@dataclass(frozen=True, slots=True)
class AnswerTest:
    id: int
    tenant_id: int
    site_id: int
    question: str
    language: str | None
    expectation: Expectation
    created_at: datetime
    updated_at: datetime
    enabled: bool = True
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True, slots=True)
class AnswerTestDraft:
    """A test as an operator describes it."""

    question: str
    language: str | None
    expectation: Expectation
    enabled: bool = True


_EMBEDDINGS = ("embeddings", "embedding_model")
_BUILTIN = "builtin"


@dataclass(frozen=True, slots=True)
class TestedFallback:
    """A fallback that is asked the tests by itself. `hash`: the same for fallbacks that answer the same."""

    id: str
    hash: str
    engine: str
    model: str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Settings of the AI that may not be saved yet. With `pending_changes`, the knowledge has all that waits."""

    engine: str
    model: str | None
    instructions: str
    ai: AiSettings
    pending_changes: bool = False
    fallbacks: tuple[FallbackEngine, ...] | None = None
    """None: the site's, in a run of a version that did not test them."""

    @classmethod
    def from_settings(cls, bot: ChatbotSettings, *, pending_changes: bool = False) -> Candidate:
        return cls(bot.engine, bot.model, bot.instructions, bot.ai, pending_changes, bot.fallbacks)

    def apply_to(self, site: SiteSettings) -> SiteSettings:
        fallbacks = site.fallbacks if self.fallbacks is None else self.fallbacks
        return replace(
            site,
            engine=self.engine,
            model=self.model,
            instructions=self.instructions,
            ai=self.ai,
            fallbacks=fallbacks,
        )

    def list_changed_fallbacks(self, live: Candidate) -> list[TestedFallback]:
        """The fallbacks that would give other answers than every live engine."""
        known = {live.hash, *(live._hash_fallback(one) for one in live.fallbacks or ())}
        tested = [
            TestedFallback(one.id, self._hash_fallback(one), one.engine, one.model) for one in self.fallbacks or ()
        ]
        return [one for one in tested if one.hash not in known]

    def _hash_fallback(self, fallback: FallbackEngine) -> str:
        """That of the same settings with this engine as the only one."""
        ai = replace(self.ai, base_url=fallback.base_url)
        alone = replace(self, engine=fallback.engine, model=fallback.model, ai=ai)
        if fallback.engine == _BUILTIN:
            # It has no instructions, and no length of replies.
            alone = replace(
                alone, model=None, instructions="", ai=AiSettings(**{name: getattr(ai, name) for name in _EMBEDDINGS})
            )
        return alone.hash

    @property
    def hash(self) -> str:
        """The same for settings whose first engine answers the same."""
        ai = [getattr(self.ai, name) for name in _TESTED_AI_SETTINGS]
        return _digest([self.engine, self.model or None, self.instructions, self.pending_changes, *ai])


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What the AI said to a question. `error` is a code, of a failure."""

    outcome: Outcome
    text: str
    sources: tuple[MessageSource, ...] = ()
    seconds: float = 0.0
    tokens: int = 0
    error: str | None = None
    engine: str = PRIMARY_ENGINE
    """The id of the site's engine that answered."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an answer is not right. `text` is what was to be said, not to be said, or to be cited."""

    kind: ReasonKind
    text: str = ""


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    answer: GivenAnswer
    verdict: Verdict | None = None
    """None for a real question, of which nobody has said what is right."""
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Replay:
    """A real question and the answer it got, named by its conversation: its texts stay where they are."""

    conversation_id: int
    question_seq: int
    reply_seq: int


@dataclass(frozen=True, slots=True)
class RunResult:
    """A test or a real question in a run. `live` is what the present settings answer, or what was really answered."""

    run_id: int
    position: int
    kind: ResultKind
    question: str
    language: str | None
    test_id: int | None = None
    expectation: Expectation = field(default_factory=Expectation)
    replay: Replay | None = None
    conversation_id: int | None = None
    """Whose visitor's words the question is."""
    tested_engine: str = PRIMARY_ENGINE
    """The id of a fallback that is asked by itself; otherwise all engines are asked in their order."""
    candidate: JudgedAnswer | None = None
    """None until it is answered."""
    live: JudgedAnswer | None = None
    """None where the candidate is what is live."""
    similarity: float | None = None
    """Of the texts of both answers, from 0 to 1."""
    changed: bool | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """Of one column of the results."""

    right: int = 0
    wrong: int = 0
    unknown: int = 0
    tokens: int = 0
    seconds: float = 0.0
    """Of all answers together."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    candidate: Totals = field(default_factory=Totals)
    live: Totals | None = None
    replays: int = 0
    changed: int = 0
    """Replays that would be answered in another way."""


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run ended early. `code` is part of the API."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class TestRun:
    id: int
    tenant_id: int
    site_id: int
    candidate: Candidate
    is_live: bool
    """Whether the candidate is what the site had when the run began."""
    replays: int
    """How many real answers are asked for."""
    created_at: datetime
    created_by: OperatorRef
    tests_hash: str
    state: RunState = "waiting"
    prepared: bool = False
    total: int = 0
    done: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: RunError | None = None
    summary: RunSummary | None = None
    attempts: int = 0
    """How often a replica has taken it over."""
    tested_fallbacks: tuple[TestedFallback, ...] = ()
    """Those that the candidate changes."""
    entries_version: str | None = None
    """Of the knowledge entries when it was started; None in a run of a version that did not store it."""

    def is_older_than(self, entries_version: str) -> bool:
        """Whether somebody has changed the knowledge entries since the run was started."""
        return self.entries_version not in (None, entries_version)

    @property
    def passed(self) -> bool:
        """Whether every test was answered right."""
        if self.state != "done" or self.summary is None:
            return False
        return not (self.summary.candidate.wrong or self.summary.candidate.unknown)


def hash_tests(tests: Sequence[AnswerTest]) -> str:
    """Changes when a test that is on is added, removed or changed."""
    rows = [[test.id, test.question, test.language, *_expectation_row(test.expectation)] for test in tests]
    return _digest(sorted(rows, key=lambda row: str(row[0])))


def _expectation_row(expectation: Expectation) -> list[object]:
    return [expectation.expected, expectation.must_say, expectation.must_not_say, expectation.must_cite]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()[:32]
