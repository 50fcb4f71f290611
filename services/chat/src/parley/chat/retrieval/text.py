"""Texts as retrieval compares them: stems without case and accents, and pairs of characters for unspaced scripts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import islice

import Stemmer

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese; Korean too, whose particles are joined to the word."""
_UNIT = re.compile(f"[{_UNSPACED}]+|[^\\W_{_UNSPACED}]+")
_UNSPACED_START = re.compile(f"[{_UNSPACED}]")
_MAX_UNITS = 2000
_MAX_CLAUSES = 3
_MIN_CLAUSE_WORDS = 2
_MIN_UNSPACED_CLAUSE = 6
"""Characters of a clause in a script without spaces."""

_LANGUAGES = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}

_AND = r"(?:and|und|et|y|och|og|и|й|та|ve|oraz|و|e)"
_CLAUSE_END = re.compile(rf"[?？؟!！.。;\n]|,? {_AND} | i (?=czy|jak|ile|kiedy|gdzie)| en (?=hoe|wat|wie|wa)|还有|以及")


def fold(text: str) -> str:
    """A text without case and accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def normalize_text(text: str) -> str:
    """A text as its words, for comparison with another as a whole."""
    return " ".join(_UNIT.findall(fold(text)))


def normalize_language(language: str | None) -> str:
    """The language whose stems are compared; English, whose stems do little harm, for one without stems."""
    base = (language or "en").split("-")[0].lower()
    return base if base in _LANGUAGES else "en"


def split_terms(text: str, languages: Sequence[str]) -> Iterator[frozenset[str]]:
    """The informative terms of a text, in order: for each, its stems in any of the languages."""
    for unit in _split_units(text):
        yield from map(frozenset, zip(*(_to_stems(unit, language) for language in languages), strict=True))


def split_stems(text: str, language: str) -> list[str]:
    """The stems of the informative terms of a text, in order."""
    return [stem for unit in _split_units(text) for stem in _to_stems(unit, language)]


def _split_units(text: str) -> Iterator[str]:
    return (match[0] for match in islice(_UNIT.finditer(fold(text)), _MAX_UNITS))


def split_clauses(text: str) -> list[str]:
    """The parts of a text that may ask for a fact each; nothing if there is only one."""
    # One space at most in a row, so that the pattern takes linear time.
    lines = "\n".join(" ".join(line.split()) for line in text[:1000].splitlines())
    parts = [part.strip(" ,:-") for part in _CLAUSE_END.split(lines)]
    parts = [part for part in parts if part]
    clauses = [part for part in parts if _is_clause(part)]
    return clauses[:_MAX_CLAUSES] if len(clauses) > 1 or (clauses and len(parts) > 1) else []


def _is_clause(part: str) -> bool:
    if _UNSPACED_START.search(part):
        return len(part) >= _MIN_UNSPACED_CLAUSE
    return len(part.split()) >= _MIN_CLAUSE_WORDS


@lru_cache(maxsize=50_000)
def _to_stems(unit: str, language: str) -> tuple[str, ...]:
    """The stem of a word, the pairs of characters of an unspaced text, nothing for a function word."""
    if _UNSPACED_START.match(unit):
        return tuple(unit[start : start + 2] for start in range(max(1, len(unit) - 1)))
    return () if unit in _function_words() else (str(_stemmer(language).stemWord(unit)),)


@lru_cache
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(_LANGUAGES[language], 0)


@lru_cache
def _function_words() -> frozenset[str]:
    text = files("parley.chat.retrieval").joinpath("function_words.txt").read_text("utf-8")
    return frozenset(_split(text.splitlines()))


def _split(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("#"):
            yield from fold(line).split()
