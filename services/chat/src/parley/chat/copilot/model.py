"""What the copilot writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

RewriteStyle = Literal["shorter", "friendlier", "correct", "translate"]
"""`correct` mends spelling and grammar; `translate` writes the text in another language."""


@dataclass(frozen=True, slots=True)
class Source:
    """A knowledge entry that a suggestion is based on."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A draft of the operator's next reply."""

    text: str
    sources: Sequence[Source]
