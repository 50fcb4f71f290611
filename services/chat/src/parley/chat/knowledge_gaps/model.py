"""Questions without an answer, and the gaps that they are grouped into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Outcome = Literal["declined", "handed_over"]
"""What happened to a question that the AI could not answer: it said so, or it asked for a person as well."""

GapState = Literal["open", "answered", "dismissed"]

MAX_QUESTION_CHARACTERS = 500
"""Of a question as it is kept, as many as that of a knowledge entry."""


@dataclass(frozen=True, slots=True)
class UnansweredQuestion:
    """A visitor's message that the AI had no answer to."""

    tenant_id: int
    site_id: int
    conversation_id: int
    seq: int
    text: str
    language: str | None
    outcome: Outcome
    at: datetime

    @property
    def id(self) -> str:
        """The same for the same message, so that it is never counted twice."""
        return f"{self.conversation_id}:{self.seq}"


@dataclass(frozen=True, slots=True)
class GapLeader:
    """The question with which others are compared to find out whether they belong to a gap."""

    gap_id: int
    question: str
    language: str | None
    vector: bytes | None = None
    model: str = ""
    """Of the vector; empty without one."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that mean the same, and what was decided about them."""

    id: int
    tenant_id: int
    site_id: int
    state: GapState
    question: str
    language: str | None
    count: int
    last_asked_at: datetime
    languages: Sequence[str]
    entry_id: int | None = None
    """The knowledge entry that was made from it."""
    answered_at: datetime | None = None
    reopened_at: datetime | None = None
    """When it was asked again after it had been answered."""


@dataclass(frozen=True, slots=True)
class WeekCount:
    """How often a gap was asked about in a week, which begins on Monday (UTC)."""

    week: datetime
    count: int
    total: int
    """All questions without an answer of the site in this week."""


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """What a new knowledge entry begins with: nobody has read it yet."""

    question: str
    answer: str
    """What an operator answered in one of the conversations; empty if nobody did."""
    conversation_id: int | None = None
    """Where that was."""


@dataclass(frozen=True, slots=True)
class GapDetails:
    gap: Gap
    examples: Sequence[UnansweredQuestion]
    """The newest questions."""
    weeks: Sequence[WeekCount]
    draft: EntryDraft
