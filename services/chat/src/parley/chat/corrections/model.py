"""Corrections of the AI's answers, and the passages that answers cite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from parley.chat.conversations.model import Conversation
from parley.common.events.schemas import OperatorRef

PassageKind = Literal["knowledge", "document"]
PassageState = Literal["current", "changed", "gone"]
"""Whether the cited passage is still in the site's knowledge."""

MAX_TEXT_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class CitedPassage:
    """A passage that an answer cites."""

    reference: str
    """As `Passage.reference`."""
    kind: PassageKind
    source_id: int
    """Of the knowledge entry, or of the page or file."""
    state: PassageState
    title: str = ""
    text: str = ""
    """What it says now; empty for a page or file that says something else now."""
    url: str | None = None
    version: str | None = None
    """Of a knowledge entry, as it is now."""


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """An answer of the AI with the question before it, and what it was based on."""

    conversation: Conversation
    seq: int
    """Of the answer."""
    question: str
    answer: str
    cited: Sequence[str]


@dataclass(frozen=True, slots=True)
class Correction:
    id: int
    tenant_id: int
    site_id: int
    conversation_id: int | None
    """None once the visitor was erased; the texts of the conversation are empty then."""
    seq: int | None
    question: str
    wrong_answer: str
    note: str
    """What was wrong, in an operator's words."""
    right_answer: str
    cited: Sequence[str]
    by: OperatorRef
    at: datetime
    entry_id: int | None = None
    """The knowledge entry that says the right answer now."""


@dataclass(frozen=True, slots=True)
class AffectedConversation:
    """A conversation in which the AI has cited what was corrected."""

    conversation: Conversation
    seqs: Sequence[int]
    """Of the answers, oldest first."""


@dataclass(frozen=True, slots=True)
class AffectedPage:
    rows: Sequence[AffectedConversation]
    next_before: int | None
    """With which the next page is read; None on the last page."""
