"""The part of a file that a request asks for (RFC 9110, section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SINGLE_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})\Z")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """`length` bytes from `start`."""

    start: int
    length: int

    def content_range(self, size: int) -> str:
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


class RangeNotSatisfiable(Exception):
    """The range begins after the end of the file."""


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Return the range; None for the whole file, also if the header has several ranges or is malformed.

    Raises RangeNotSatisfiable.
    """
    match = _SINGLE_RANGE.match(header.strip()) if header else None
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        suffix = min(int(match[2]), size)
        if suffix == 0:
            raise RangeNotSatisfiable
        return ByteRange(size - suffix, suffix)
    start = int(match[1])
    end = min(int(match[2]), size - 1) if match[2] else size - 1
    if match[2] and int(match[2]) < start:
        return None
    if start >= size:
        raise RangeNotSatisfiable
    return ByteRange(start, end - start + 1)
