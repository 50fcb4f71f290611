"""Detection of a visitor's language from their messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from parley.translate.languages.tags import is_same_language

_SURE_CONFIDENCE = 0.75
_MIN_CONFIDENCE = 0.35
_MIN_LETTERS = 12
"""Shorter texts may name a language but not replace a known one: "ok" and "taxi" are words of many languages."""
_MIN_LETTERS_NON_ASCII = 6
"""For other scripts: one of their characters carries more information than a Latin letter."""
_MAX_TEXT_LENGTH = 400


@dataclass(frozen=True, slots=True)
class DetectedLanguage:
    """A language tag and the detector's confidence, from 0 to 1."""

    lang: str
    confidence: float


class LanguageDetector(Protocol):
    """Detects the language of a text offline."""

    def detect(self, text: str) -> DetectedLanguage | None: ...


def choose_language(detector: LanguageDetector, text: str, known: str | None, browser: str | None) -> str | None:
    """Return the language to use after this text: the known one, unless the text is clearly in another.

    `browser` is the language that the visitor's browser requests. It is used if the text is too short for detection.
    """
    detected = detector.detect(text[:_MAX_TEXT_LENGTH])
    letters = sum(map(str.isalpha, text[:_MAX_TEXT_LENGTH]))
    if detected is None or not letters:
        return known or browser
    long_enough = letters >= _MIN_LETTERS or (letters >= _MIN_LETTERS_NON_ASCII and not text.isascii())
    sure = detected.confidence >= _SURE_CONFIDENCE and long_enough
    if known is not None:
        return detected.lang if sure and not is_same_language(detected.lang, known) else known
    if browser is not None and (is_same_language(detected.lang, browser) or not sure):
        return browser
    return detected.lang if sure or detected.confidence >= _MIN_CONFIDENCE else None
