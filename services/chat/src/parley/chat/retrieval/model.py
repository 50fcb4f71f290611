"""Passages, and what a search finds among them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Intent = Literal["greeting", "thanks", "person"]
"""What a text asks for that no passage answers: nothing (a greeting, thanks), or a person."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a source that can answer a question by itself."""

    id: str
    """Unique in the site, and the same as long as the passage exists; begins with the kind of its source."""
    title: str
    """Of the source; for a knowledge entry, its question."""
    text: str
    heading_path: tuple[str, ...] = ()
    """The headings above the passage in its source, outermost first."""
    url: str | None = None
    language: str | None = None

    @property
    def heading(self) -> str:
        """What the passage is about, in a line."""
        return " – ".join((self.title, *self.heading_path))

    @property
    def whole(self) -> str:
        return f"{self.heading}\n{self.text}"

    @property
    def reference(self) -> str:
        """Names the source and what it says here: with another text it is another reference."""
        source = ":".join(self.id.split(":")[:2])
        return f"{source}:{hashlib.sha256(self.whole.encode('utf-8', 'replace')).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class FoundPassage:
    passage: Passage
    confidence: float
    """The estimated probability, 0 to 1, that it answers the question."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a search found."""

    passages: Sequence[FoundPassage] = ()
    """The nearest passages, best first."""
    answers: Sequence[FoundPassage] = ()
    """Those that answer the question; several if it asks for several facts, none if it cannot be answered."""
    intent: Intent | None = None
    """None for any other text."""


@dataclass(frozen=True, slots=True)
class EmbeddedPassage:
    """A passage with its vectors, as the worker's index takes it. Without vectors: only words are compared."""

    passage: Passage
    vectors: bytes | None = None
    """As many float16 vectors as the model makes of a passage, one after the other."""


@dataclass(frozen=True, slots=True)
class ComparedQuestion:
    """A question that is compared with others. Without a vector, words are compared."""

    text: str
    language: str | None
    vector: bytes | None = None
    """Of float16."""
    model: str = ""
    """Of the vector; empty without one."""


@dataclass(frozen=True, slots=True)
class QuestionGroups:
    """Questions that were grouped, with the vectors by which they were compared."""

    leaders: Sequence[ComparedQuestion]
    """Those of the groups that there were, in their order."""
    questions: Sequence[ComparedQuestion]
    nearest: Sequence[int]
    """The group of each question: its position among the leaders; new groups follow them in the order of their
    first question."""
