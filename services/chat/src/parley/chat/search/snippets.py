"""Where a text matches a query, and the part of the text that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parley.chat.search.text import Phrase, SearchText, Unit, find_numbers, split_units

SNIPPET_LENGTH = 200
_CONTEXT_BEFORE = 60
_ELLIPSIS = "…"
_MAX_MARKS = 50

Range = tuple[int, int]
"""[start, end) in code points."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a text. `marks` are what matches, in order, without overlaps."""

    text: str
    marks: tuple[Range, ...] = ()


def find_marks(text: str, query: SearchText, *, within_words: bool = False) -> list[Range] | None:
    """What of a text matches; None if a phrase of adjacent units is missing.

    `within_words` marks what begins within a word as well, as visitors are found by.
    """
    units = split_units(text)
    ranges: list[Range] = []
    missing = False
    for phrase in query.phrases:
        phrase_ranges = list(_find_phrase(units, phrase, within_words))
        missing = missing or (not phrase_ranges and len(phrase.units) > 1)
        ranges += phrase_ranges
    if query.numbers:
        numbers = list(_find_numbers(text, query.numbers))
        missing = missing and not numbers
        ranges += numbers
    return None if missing else _merge(ranges)


def build_snippet(text: str, marks: Sequence[Range]) -> Snippet:
    """The part of a text around its first mark, on one line."""
    first = marks[0][0] if marks else 0
    start = 0 if len(text) <= SNIPPET_LENGTH else min(max(0, first - _CONTEXT_BEFORE), len(text) - SNIPPET_LENGTH)
    if start > 0:
        # Not in the middle of a word, if one begins soon.
        space = text.find(" ", start, first)
        start = space + 1 if space != -1 else start
    end = min(len(text), start + SNIPPET_LENGTH)
    before = _ELLIPSIS if start > 0 else ""
    after = _ELLIPSIS if end < len(text) else ""
    shift = len(before) - start
    shown = tuple(
        (max(mark_start, start) + shift, min(mark_end, end) + shift)
        for mark_start, mark_end in marks
        if mark_start < end and mark_end > start
    )
    # One space for each: the places of the marks stay.
    line = "".join(" " if letter.isspace() else letter for letter in text[start:end])
    return Snippet(before + line + after, shown[:_MAX_MARKS])


def _find_phrase(units: Sequence[Unit], phrase: Phrase, within_words: bool) -> Iterator[Range]:
    expected = phrase.units
    last = len(expected) - 1
    for position in range(len(units) - last):
        first = units[position]
        if last == 0:
            start = _find_in(first.text, expected[0], phrase.prefix, within_words)
            if start is not None:
                yield first.starts[start], first.end_of(start + len(expected[0]))
            continue
        if first.text != expected[0]:
            continue
        if all(units[position + offset].text == expected[offset] for offset in range(1, last)):
            end = units[position + last]
            if end.text == expected[last] or (phrase.prefix and end.text.startswith(expected[last])):
                yield first.start, end.end_of(len(expected[last]))


def _find_in(unit: str, wanted: str, prefix: bool, within: bool) -> int | None:
    if unit == wanted or (prefix and unit.startswith(wanted)):
        return 0
    if within and prefix and (start := unit.find(wanted)) != -1:
        return start
    return None


def _find_numbers(text: str, wanted: Sequence[str]) -> Iterator[Range]:
    for start, end, forms in find_numbers(text):
        if any(digits in form for digits in wanted for form in forms):
            yield start, end


def _merge(ranges: Sequence[Range]) -> list[Range]:
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
