"""Positions in a partition of the event log, and the ids of stream events, which name a position and its log.

A position is a record's offset times a thousand, plus a number within that thousand, counted from the end: the last
event of a record has the last number, and the next position belongs to the next record.

An event's id is one number: the position, the record's checksum, the number of partitions and the partition, from the
most to the least significant digits. So ids of a partition grow with its positions, and an id of another log (the
broker lost its disk, or the number of partitions was changed) is recognized, even when its position exists again.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

NO_POSITION: Final = -1
"""The position before the first of the log."""
POSITIONS_PER_OFFSET: Final = 1000
"""Positions reserved for a record: more than it can have events."""

_ID: Final = re.compile(r"[0-9]{19,40}")
"""Shorter numbers are positions of the single log, which the previous version followed."""
_CHECKSUM_FACTOR: Final = 10**10
_PARTITION_FACTOR: Final = 1000


def to_offset(position: int) -> int:
    """Return the offset of the record that contains a position; -1 for the position before the first record."""
    return position // POSITIONS_PER_OFFSET


def first_position(offset: int) -> int:
    """Return the first position of a record."""
    return offset * POSITIONS_PER_OFFSET


def last_position(offset: int) -> int:
    """Return the last position of a record: that of its last event, however many it has."""
    return offset * POSITIONS_PER_OFFSET + POSITIONS_PER_OFFSET - 1


class Partition(NamedTuple):
    """A partition of the log, and how many there are."""

    number: int
    total: int


class RecordFingerprint(NamedTuple):
    """Identifies a record, and so the log that has it: another log has another record at this offset."""

    offset: int
    checksum: int


class EventId(NamedTuple):
    """What an event's id says."""

    position: int
    checksum: int
    """Of the record with this position."""
    partition: Partition

    def encode(self) -> int:
        identity = self.position * _CHECKSUM_FACTOR + self.checksum
        return (identity * _PARTITION_FACTOR + self.partition.total) * _PARTITION_FACTOR + self.partition.number


def parse_event_id(text: str) -> EventId | None:
    """Return what an event's id says; None for anything else."""
    if not _ID.fullmatch(text):
        return None
    rest, number = divmod(int(text), _PARTITION_FACTOR)
    rest, total = divmod(rest, _PARTITION_FACTOR)
    position, checksum = divmod(rest, _CHECKSUM_FACTOR)
    return EventId(position, checksum, Partition(number, total))
