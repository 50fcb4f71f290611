"""Texts as the search compares them: units with their place in the text, the terms of a text, and parsed queries.

A unit is a word without accents and case, or one character of a script that puts no spaces between words. The index
has terms: words, pairs of adjacent characters of such scripts, and parts of telephone numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from parley.chat.conversations.visitor_search import decode_domain, fold
from parley.chat.visitors.phones import phone_digits

MAX_TERM_LENGTH = 24
MIN_PREFIX_LENGTH = 3
"""Shorter words of a query match whole words only: too many words begin with two letters."""

_WORD = re.compile(r"[^\W_]+")
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\U00020000-\U0003134f"
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese; Korean too, whose particles are joined to the word."""
_UNIT = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")
_UNSPACED_LETTER = re.compile(f"[{_UNSPACED}]")
_JOINED = re.compile(r"[^\W_]{1,24}(?:[.\-‐‑/_][^\W_]{1,24}){1,3}")
_JOINT = re.compile(r"[^\W_][.\-‐‑/_][^\W_]")
_RUN = re.compile(r"\d+|[^\W\d_]+")
_NUMBER = re.compile(r"(?<![^\W_])(?<!\+)\+?\(?\d[\d ()/.-]{3,24}\d")
_QUOTED = re.compile('"([^"]*)"')
_QUOTES = str.maketrans(dict.fromkeys("“”„«»「」『』＂", '"'))
_JAMO = re.compile("[\u1160-\u11ff]")
_MAX_RUNS = 4
_MIN_DIGITS = 3
_MIN_PART_LENGTH = 2
_MAX_TERMS = 1000
_MAX_TEXT_LENGTH = 20_000
_MAX_QUERY_UNITS = 40
_MAX_PHRASES = 10


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or an unspaced letter, compared form first, and its position in the text: [start, end)."""

    text: str
    starts: Sequence[int]
    """Where each letter of `text` begins in the original text."""
    end: int

    @property
    def start(self) -> int:
        return self.starts[0]

    def end_of(self, length: int) -> int:
        """Where the first `length` letters end."""
        return self.starts[length] if length < len(self.starts) else self.end


@dataclass(frozen=True, slots=True)
class Term:
    """A term that a document must have. Those that are not `exact` match the beginning of a term."""

    text: str
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Phrase:
    """Units that must be adjacent. With `prefix`, the last one may go on."""

    units: tuple[str, ...]
    prefix: bool

    @property
    def terms(self) -> Iterator[Term]:
        """The terms that every text with the phrase has."""
        for position, unit in enumerate(self.units):
            last = position == len(self.units) - 1
            if not is_unspaced(unit):
                yield Term(unit[:MAX_TERM_LENGTH], not (last and self.prefix))
            elif not last and is_unspaced(self.units[position + 1]):
                yield Term(unit + self.units[position + 1])
            elif position == 0 or not is_unspaced(self.units[position - 1]):
                yield Term(unit, False)


@dataclass(frozen=True, slots=True)
class SearchText:
    """A parsed query: all of the phrases, or one of the numbers."""

    phrases: tuple[Phrase, ...]
    numbers: tuple[str, ...] = ()

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(dict.fromkeys(term for phrase in self.phrases for term in phrase.terms))

    @property
    def to_verify(self) -> bool:
        """Whether a document that has the terms may still not match: the index does not know what is adjacent."""
        return any(len(phrase.units) > 1 for phrase in self.phrases)


def parse(text: str) -> SearchText | None:
    """None for a text without a letter or digit."""
    phrases: list[Phrase] = []
    remaining = _MAX_QUERY_UNITS
    for index, part in enumerate(_QUOTED.split(decode_domain(text.translate(_QUOTES)))):
        quoted = index % 2 == 1
        for units in _quoted_units(part) if quoted else _word_units(part):
            if len(phrases) == _MAX_PHRASES or remaining < len(units):
                break
            remaining -= len(units)
            prefix = not quoted and not is_unspaced(units[-1]) and len(units[-1]) >= MIN_PREFIX_LENGTH
            phrases.append(Phrase(units, prefix))
    if not phrases:
        return None
    return SearchText(tuple(dict.fromkeys(phrases)), tuple(phone_digits(text)))


def message_terms(*texts: str | None) -> list[str]:
    """The terms by which a message or a note is found: those of its text, and of its translation."""
    terms: dict[str, None] = {}
    for text in texts:
        if text:
            terms.update(dict.fromkeys(_text_terms(text[:_MAX_TEXT_LENGTH])))
    return list(terms)[:_MAX_TERMS]


# Every message of a conversation carries its visitor, who changes rarely.
@lru_cache(4096)
def visitor_terms(name: str, email: str, phone: str, external_id: str = "") -> tuple[str, ...]:
    """The terms of a visitor: also the parts of words that begin within them."""
    text = f"{name} {decode_domain(email)} {external_id}"
    terms = [*_text_terms(text), "".join(unit.text for unit in split_units(name))[:MAX_TERM_LENGTH]]
    for unit in split_units(text):
        terms += _parts(unit.text)
    for digits in phone_digits(phone):
        terms += _parts(digits, _MIN_DIGITS)
    return tuple(dict.fromkeys(term for term in terms if term))[:_MAX_TERMS]


def visitor_text(name: str | None, email: str | None, phone: str | None, external_id: str | None = None) -> str:
    """A visitor's contact details, and the id under which the site knows them, as one line."""
    return " · ".join(part for part in (name, email, phone, external_id) if part)


def split_units(text: str) -> list[Unit]:
    """The units of a text, in order."""
    folded, starts = _fold_with_places(text)
    if starts is None:
        return [Unit(match[0], range(match.start(), match.end()), match.end()) for match in _UNIT.finditer(folded)]
    ends = [*starts[1:], len(text)]
    units = []
    for match in _UNIT.finditer(folded):
        places = starts[match.start() : match.end()]
        end = ends[match.end() - 1]
        units.append(Unit(match[0], places, end if end > places[-1] else places[-1] + 1))
    return units


def find_numbers(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """The telephone numbers of a text: start, end, and the digits of each form."""
    for match in _NUMBER.finditer(text):
        yield match.start(), match.end(), phone_digits(match[0])


def _fold_with_places(text: str) -> tuple[str, list[int] | None]:
    """The folded text, and where each of its letters begins in the text; None: at the same place."""
    if text.isascii() and "'" not in text and "`" not in text:
        return text.lower(), None
    letters: list[str] = []
    starts: list[int] = []
    length, position = len(text), 0
    while position < length:
        end = position + 1
        while end < length and (unicodedata.combining(text[end]) or _JAMO.match(text[end])):
            end += 1
        for letter in _fold_cluster(text[position:end]):
            letters.append(letter)
            starts.append(position)
        position = end
    return "".join(letters), starts


@lru_cache(8192)
def _fold_cluster(cluster: str) -> str:
    return fold(cluster)


def _text_terms(text: str) -> Iterator[str]:
    units = _UNIT.findall(fold(text))
    if text.isascii():  # Most texts in many languages: without unspaced letters.
        for unit in units:
            yield from _runs(unit)
    else:
        yield from _unit_terms(units)
    if _JOINT.search(text):
        for joined in _JOINED.findall(text):
            yield "".join(_WORD.findall(fold(joined)))[:MAX_TERM_LENGTH]
    for _, _, forms in find_numbers(text):
        for digits in forms:
            yield from _parts(digits, _MIN_DIGITS)


def _unit_terms(units: Sequence[str]) -> Iterator[str]:
    for position, unit in enumerate(units):
        if not is_unspaced(unit):
            yield from _runs(unit)
            continue
        # Alone where no pair begins with it, so that the letter itself is found.
        following = units[position + 1] if position + 1 < len(units) else ""
        yield unit + following if is_unspaced(following) else unit


def _runs(word: str) -> Iterator[str]:
    """The word; where digits follow letters or letters digits, also its remainder and its first letters alone."""
    yield word[:MAX_TERM_LENGTH]
    if word.isalpha() or word.isdecimal():
        return
    runs = [run.start() for run in _RUN.finditer(word)]
    if 1 < len(runs) <= _MAX_RUNS:
        for start in runs[1:]:
            yield word[start : start + MAX_TERM_LENGTH]


def _parts(word: str, min_length: int = _MIN_PART_LENGTH) -> Iterator[str]:
    """The word, and its remainder from every later letter on."""
    yield word[:MAX_TERM_LENGTH]
    for start in range(1, len(word) - min_length + 1):
        yield word[start : start + MAX_TERM_LENGTH]


def _quoted_units(text: str) -> Iterator[tuple[str, ...]]:
    if units := tuple(unit.text for unit in split_units(text)):
        yield units


def _word_units(text: str) -> Iterator[tuple[str, ...]]:
    """Each word, and each run of unspaced letters."""
    for word in _WORD.findall(fold(text)):
        run: list[str] = []
        for unit in _UNIT.findall(word):
            if is_unspaced(unit):
                run.append(unit)
                continue
            if run:
                yield tuple(run)
                run = []
            yield (unit,)
        if run:
            yield tuple(run)


def is_unspaced(unit: str) -> bool:
    """Whether a unit is one letter of a script that puts no spaces between words."""
    return len(unit) == 1 and _UNSPACED_LETTER.match(unit) is not None
