"""Postings: at which positions of a segment a term is. In memory they are integers used as sets of bits."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Sequence

from parley.chat.search.text import MIN_PREFIX_LENGTH, is_unspaced

SEGMENT_POSITIONS = 8_192
"""Positions per segment: as many documents at most."""
_BITMAP_BYTES = SEGMENT_POSITIONS // 8
_MAX_LISTED = 128
"""Terms at more positions are stored as a bitmap."""


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


def encode_positions(positions: Sequence[int]) -> bytes:
    """Encode ascending positions."""
    if len(positions) > _MAX_LISTED:
        return to_bits(positions).to_bytes(_BITMAP_BYTES, "little")
    listed = array("H", positions)
    if sys.byteorder == "big":
        listed.byteswap()
    return listed.tobytes()


def encode_bits(bits: int) -> bytes:
    return (
        encode_positions(list(iterate_upwards(bits)))
        if bits.bit_count() <= _MAX_LISTED
        else bits.to_bytes(_BITMAP_BYTES, "little")
    )


def decode_bits(data: bytes) -> int:
    """The positions as bits."""
    if len(data) == _BITMAP_BYTES:
        return int.from_bytes(data, "little")
    listed = array("H")
    listed.frombytes(data)
    if sys.byteorder == "big":
        listed.byteswap()
    return to_bits(listed)


def to_bits(positions: Sequence[int] | array[int]) -> int:
    bitmap = bytearray(_BITMAP_BYTES)
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
    data = bits.to_bytes(_BITMAP_BYTES, "little")
    for index, byte in enumerate(data):
        if byte:
            for bit in range(8):
                if byte >> bit & 1:
                    yield index * 8 + bit
