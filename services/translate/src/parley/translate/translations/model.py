"""A request for a translation, and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TranslationStatus = Literal["done", "failed", "unsupported"]


@dataclass(frozen=True, slots=True)
class TranslationRequest:
    """A text to translate for a site. A `source` of None is detected by the engine."""

    site_id: int
    text: str
    source: str | None
    target: str
    conversation_id: int | None = field(default=None, compare=False)
    """The conversation it belongs to, for erasure. Equal requests of several conversations share one translation."""


@dataclass(frozen=True, slots=True)
class Translation:
    """The text in `lang`, or the reason why there is none."""

    lang: str
    status: TranslationStatus
    content: str | None = None
