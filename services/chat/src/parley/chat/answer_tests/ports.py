"""What answer tests need: storage, the AI, real answers, and the settings that a candidate changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from parley.chat.answer_tests.model import (
    AnswerTest,
    GivenAnswer,
    Replay,
    ResultKind,
    RunError,
    RunResult,
    RunSummary,
    TestRun,
    Verdict,
)
from parley.chat.conversations.model import Conversation
from parley.chat.messages.model import Message
from parley.chat.sites.chatbot import AiSettings, FallbackEngine
from parley.chat.sites.site_settings import SiteSettings


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """A run that this replica may carry out until its lease ends."""

    run: TestRun
    lease_id: str


@dataclass(frozen=True, slots=True)
class RealAnswer:
    """An answer that a visitor got: what they asked, and the conversation before it."""

    replay: Replay
    question: str
    language: str | None
    context: Sequence[Message]
    answer: GivenAnswer


class AnswerTestRepository(Protocol):
    async def list_page(self, tenant_id: int, site_id: int, after: int, limit: int) -> list[AnswerTest]:
        """Tests with ids above `after`, by id."""

    async def list_enabled(self, tenant_id: int, site_id: int) -> list[AnswerTest]:
        """By id."""

    async def get(self, tenant_id: int, site_id: int, test_id: int) -> AnswerTest:
        """Raises AnswerTestNotFound."""

    async def add(self, tests: Sequence[AnswerTest], limit: int) -> None:
        """Add tests of one site, or none: raises TooManyAnswerTests if it would have more than `limit`."""

    async def replace(self, test: AnswerTest) -> bool:
        """False if there is no such test."""

    async def delete(self, tenant_id: int, site_id: int, test_id: int) -> bool:
        """False if there is no such test."""

    async def remove_site(self, site_id: int) -> None: ...


class TestRunRepository(Protocol):
    """Runs and their results. A run is carried out by the one replica that has its lease."""

    async def add(self, run: TestRun) -> None:
        """Raises TestRunActive."""

    async def get(self, tenant_id: int, site_id: int, run_id: int) -> TestRun:
        """Raises TestRunNotFound."""

    async def list_page(self, tenant_id: int, site_id: int, before: int, limit: int) -> list[TestRun]:
        """Runs with ids below `before`, newest first; all of them for 0."""

    async def find_latest(
        self, site_id: int, candidate_hash: str, since: datetime, *, of_fallback: bool = False
    ) -> TestRun | None:
        """The latest run of a candidate, or of a fallback with this hash, that began after a time."""

    async def claim(self, now: datetime, until: datetime) -> ClaimedRun | None:
        """Take the oldest run that waits, or whose replica has given up its lease."""

    async def renew(self, claimed: ClaimedRun, until: datetime) -> bool:
        """False if the lease was lost, or the run has ended."""

    async def prepare(self, claimed: ClaimedRun, results: Sequence[RunResult]) -> None:
        """Store what the run has to answer."""

    async def next_unanswered(self, run: TestRun, limit: int) -> list[RunResult]: ...

    async def store_result(self, run: TestRun, result: RunResult) -> None:
        """No effect on a result that has been answered already."""

    async def summarize(self, run: TestRun) -> RunSummary: ...

    async def finish(self, claimed: ClaimedRun, error: RunError | None, now: datetime) -> None: ...

    async def cancel(self, run: TestRun, now: datetime) -> None:
        """No effect on a run that has ended."""

    async def list_results(
        self, run: TestRun, kind: ResultKind, verdict: Verdict | None, changed: bool | None, after: int, limit: int
    ) -> list[RunResult]:
        """Results with positions above `after`, in order."""

    async def list_not_right(self, run: TestRun, engine_id: str, limit: int, *, by_itself: bool) -> list[RunResult]:
        """Tests that an engine did not answer right, or that with `by_itself` another one answered for it."""

    async def count_right(self, run: TestRun, engine_id: str, *, by_itself: bool) -> int:
        """How many tests an engine, or without `by_itself` another one for it, answered right."""

    async def remove_site(self, site_id: int) -> None: ...


class Answerer(Protocol):
    """Asks the AI as a visitor would, without a conversation."""

    async def prepare(self, site: SiteSettings, *, candidate: bool, pending_changes: bool) -> None:
        """Have the site's knowledge ready for questions."""

    async def answer(
        self,
        site: SiteSettings,
        question: str,
        language: str | None,
        context: Sequence[Message],
        *,
        candidate: bool,
        pending_changes: bool,
    ) -> GivenAnswer:
        """Raises TokenLimitReached."""


class TokenLimitReached(Exception):
    """The site's tokens of today are used up."""


class AnswerSampler(Protocol):
    async def sample(self, site_id: int, since: datetime, count: int) -> Sequence[Replay]:
        """The AI's answers since a time, evenly spread over it, newest first."""


class RealAnswers(Protocol):
    async def read(self, tenant_id: int, site_id: int, replay: Replay) -> RealAnswer | None:
        """None if the conversation is gone."""


class ConversationReader(Protocol):
    async def find(self, tenant_id: int, conversation_id: int) -> Conversation | None: ...


class MessageReader(Protocol):
    async def list_for_conversation(
        self,
        conversation: Conversation,
        *,
        before_seq: int | None = None,
        after_seq: int | None = None,
        limit: int = 50,
    ) -> Sequence[Message]: ...


class AiSettingsChanger(Protocol):
    async def apply(self, site_id: int, before: AiSettings, fields: Mapping[str, Any]) -> AiSettings:
        """Raises ValidationFailed."""

    async def apply_fallbacks(
        self, site_id: int, before: Sequence[FallbackEngine], items: Sequence[Mapping[str, Any]]
    ) -> tuple[FallbackEngine, ...]:
        """Raises ValidationFailed."""


class EntriesReader(Protocol):
    async def find_version(self, site_id: int) -> str:
        """A value that changes with each change of the site's knowledge entries."""
