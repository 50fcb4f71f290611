"""Postings: at which positions of a segment a term is. In memory they are integers used as sets of bits."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Sequence

from parley.chat.search.text import MIN_PREFIX_LENGTH, is_unspaced

SEGMENT_POSITIONS = 8_192
"""Positions per segment: as many documents at most."""
BITMAP_BYTES = SEGMENT_POSITIONS // 8


def page_of(term: str) -> str:
    """The page of a segment that has a term, and all terms that begin with it if it is long enough."""
    if term.startswith("#"):
        return term
    return term[0] if is_unspaced(term[0]) else term[:MIN_PREFIX_LENGTH]


def site_term(site_id: int) -> str:
    """The term that all documents of a site have; no text has it."""
    return f"#s{site_id}"


def kind_term(kind: str) -> str:
    """The term that all documents of a kind have; no text has it."""
    return f"#k{kind}"


def decode_positions(data: bytes) -> list[int]:
    """The positions of a term in a page that was written before pages had the form of `pages.Page`."""
    if len(data) == BITMAP_BYTES:
        return list(iterate_upwards(int.from_bytes(data, "little")))
    listed = array("H", data)
    if sys.byteorder == "big":
        listed.byteswap()
    return list(listed)


def to_bits(positions: Sequence[int] | array[int]) -> int:
    bitmap = bytearray(BITMAP_BYTES)
    for position in positions:
        bitmap[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(bitmap, "little")


def iterate_downwards(bits: int) -> Iterator[int]:
    """The positions, highest first."""
    while bits:
        position = bits.bit_length() - 1
        yield position
        bits ^= 1 << position


def iterate_upwards(bits: int) -> Iterator[int]:
    """The positions, lowest first."""
    data = bits.to_bytes(BITMAP_BYTES, "little")
    for index, byte in enumerate(data):
        if byte:
            for bit in range(8):
                if byte >> bit & 1:
                    yield index * 8 + bit
