"""Pages of postings: the terms of a segment with the same beginning, and at which positions each is.

A page is one text of its terms and a few arrays, so that reading it costs the same with one term and with a thousand,
and a beginning of terms is found by searching the text.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parley.chat.search.postings import BITMAP_BYTES, iterate_upwards, to_bits
from parley.chat.search.text import Term

Span = tuple[int, int]
"""[first, end) of a page's terms."""
_MAX_LISTED = 128
"""Terms at more positions have a bitmap."""
_SEPARATOR = "\n"


@dataclass(frozen=True, slots=True)
class Page:
    """Terms in order, with their positions as lists that follow each other or, of frequent ones, as bitmaps."""

    terms: str
    """Each between two line feeds."""
    ends: array[int]
    """Where in `listed` the list of each term ends. That of a frequent one is empty."""
    listed: array[int]
    frequent: array[int]
    """Which of the terms are frequent, in order."""
    bitmaps: bytes

    @classmethod
    def build(cls, positions: Mapping[str, Sequence[int]]) -> Page:
        """Build a page of terms and their ascending positions."""
        terms = sorted(positions)
        ends, listed, frequent = array("I"), array("H"), array("I")
        bitmaps = []
        for place, term in enumerate(terms):
            if len(positions[term]) > _MAX_LISTED:
                frequent.append(place)
                bitmaps.append(to_bits(positions[term]).to_bytes(BITMAP_BYTES, "little"))
            else:
                listed.extend(positions[term])
            ends.append(len(listed))
        text = _SEPARATOR + "".join(term + _SEPARATOR for term in terms)
        return cls(text, ends, listed, frequent, b"".join(bitmaps))

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Page:
        """Read what `to_fields` has written."""
        return cls(
            fields["terms"],
            _from_bytes("I", fields["ends"]),
            _from_bytes("H", fields["listed"]),
            _from_bytes("I", fields["frequent"]),
            fields["bitmaps"],
        )

    def to_fields(self) -> dict[str, str | bytes]:
        """The page as it is stored."""
        return {
            "terms": self.terms,
            "ends": _to_bytes(self.ends),
            "listed": _to_bytes(self.listed),
            "frequent": _to_bytes(self.frequent),
            "bitmaps": self.bitmaps,
        }

    def find(self, term: Term) -> Span:
        """The terms that match: contiguous, because they are in order."""
        prefix = _SEPARATOR + term.text + (_SEPARATOR if term.exact else "")
        start = self.terms.find(prefix)
        if start == -1:
            return 0, 0
        first = self.terms.count(_SEPARATOR, 0, start)
        if term.exact:
            return first, first + 1
        # Separators between the first and the last that match, and the last itself.
        return first, first + 1 + self.terms.count(_SEPARATOR, start, self.terms.rfind(prefix))

    def size(self, span: Span) -> int:
        """How many bytes decoding these terms reads."""
        listed, frequent = self._listed(span), self._frequent(span)
        return 2 * len(listed) + BITMAP_BYTES * len(frequent)

    def bits(self, span: Span) -> int:
        """The positions of any of these terms, as bits."""
        listed = self._listed(span)
        bits = to_bits(self.listed[listed.start : listed.stop]) if listed else 0
        for place in self._frequent(span):
            bits |= int.from_bytes(self._bitmap(place), "little")
        return bits

    def without(self, removed: Mapping[str, int]) -> Page | None:
        """The page without these positions, given as bits by term. None if no term remains."""
        positions: dict[str, Sequence[int]] = {}
        for term, at in self._positions():
            bits = removed.get(term, 0)
            remaining = [position for position in at if not bits >> position & 1] if bits else at
            if remaining:
                positions[term] = remaining
        return Page.build(positions) if positions else None

    def _positions(self) -> Iterator[tuple[str, Sequence[int]]]:
        bitmaps = {place: self._bitmap(index) for index, place in enumerate(self.frequent)}
        start = 0
        for place, (term, end) in enumerate(zip(self.terms.split(_SEPARATOR)[1:-1], self.ends, strict=True)):
            if place in bitmaps:
                yield term, list(iterate_upwards(int.from_bytes(bitmaps[place], "little")))
            else:
                yield term, self.listed[start:end]
            start = end

    def _listed(self, span: Span) -> range:
        first, end = span
        if first == end:
            return range(0)
        return range(self.ends[first - 1] if first else 0, self.ends[end - 1])

    def _frequent(self, span: Span) -> list[int]:
        """Which bitmaps are of these terms."""
        first, end = span
        return [index for index, place in enumerate(self.frequent) if first <= place < end]

    def _bitmap(self, index: int) -> bytes:
        return self.bitmaps[index * BITMAP_BYTES : (index + 1) * BITMAP_BYTES]


def _to_bytes(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _from_bytes(typecode: str, data: bytes) -> array[int]:
    numbers = array(typecode, data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
