"""Which language a visitor writes, guessed from their words when nobody said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from parley.translate.languages.tags import same_language

_SURE = 0.75
_LIKELY = 0.35
_ENOUGH_LETTERS = 12
"""Below it a guess may name a language, but not overturn one: «ok» and «taxi» are words of many."""
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Guess:
    """A language, and how sure the detector is of it (0 to 1)."""

    lang: str
    confidence: float


class Detector(Protocol):
    """Names the language of a text, without asking anybody outside."""

    def detect(self, text: str) -> Guess | None: ...


def guess_language(detector: Detector, text: str, known: str | None, browser: str | None) -> str | None:
    """The language to go by after this text: the known one, unless the text is plainly another.

    `browser` is what the visitor's browser asks for: used where the text says too little.
    """
    guess = detector.detect(text[:_LONGEST])
    letters = sum(map(str.isalpha, text[:_LONGEST]))
    if guess is None or not letters:
        return known or browser
    # One character of these scripts says more than a Latin letter; six of them are a sentence.
    sure = guess.confidence >= _SURE and (letters >= _ENOUGH_LETTERS or (letters >= 6 and not text.isascii()))
    if known is not None:
        return guess.lang if sure and not same_language(guess.lang, known) else known
    if browser is not None and (same_language(guess.lang, browser) or not sure):
        return browser
    return guess.lang if sure or guess.confidence >= _LIKELY else None
