"""The newest part of a partition of the event log, in memory: what a resuming stream can still be given.

Events are indexed by site and by visitor, so that a replay costs only what it returns. A buffer is bounded by age, and
all buffers of a replica together by size.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from parley.common.events import Event, is_visible_to_visitor
from parley.notify.push.triggers import push_recipient
from parley.notify.streaming.frames import operator_frame, visitor_frame
from parley.notify.streaming.positions import NO_POSITION, EventId, Partition, RecordFingerprint, to_offset

_EVENT_OVERHEAD_BYTES = 600
"""Memory of a buffered event besides its frame: objects, three queue entries, its id (measured with tracemalloc)."""

MAX_EARLIER_RECORDS = 10_000
"""Records from before the retention that are remembered: an idle client holds the id of one of them for a long time."""

EventQueue = deque["BufferedEvent"]
VisitorKey = tuple[int, str]
"""A visitor: site id and session handle."""
KeyT = TypeVar("KeyT")


@dataclass(frozen=True, slots=True)
class BufferedEvent:
    """An encoded event at its position.

    `visitor` is the visitor who may see the event, if any. `timestamp` is when it happened, in seconds since 1970.
    `push_recipient` is whom a push notification would reach if no stream shows the event.
    """

    position: int
    event_id: str
    site_id: int
    visitor: VisitorKey | None
    timestamp: float
    frame: bytes
    push_recipient: int | None = None

    @property
    def size(self) -> int:
        return _EVENT_OVERHEAD_BYTES + len(self.frame)

    def encode_for_visitor(self) -> bytes:
        """Encode on demand, since most replicas have no stream of this visitor."""
        return visitor_frame(self.frame)


class MemoryBudget:
    """The memory that all replay buffers of a replica may use together."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.used_bytes = 0
        self._buffers: list[ReplayBuffer] = []

    def add(self, buffer: ReplayBuffer) -> None:
        self._buffers.append(buffer)

    def remove(self, buffer: ReplayBuffer) -> None:
        """Remove a buffer that is used no more, and its events."""
        buffer.reset(buffer.last_position)
        self._buffers.remove(buffer)

    def enforce(self) -> None:
        """Evict the oldest events of all buffers until the bound is kept; the last event of a buffer stays."""
        while self.used_bytes > self.max_bytes:
            evictable = [buffer for buffer in self._buffers if len(buffer) > 1]
            if not evictable:
                return
            min(evictable, key=lambda buffer: buffer.oldest_timestamp).evict_oldest()


class ReplayBuffer:
    """Positions `first_position` to `last_position` of a partition.

    `last_position` is the newest position that was read, whether or not an event is stored there.
    """

    def __init__(self, partition: Partition, retention_seconds: float, budget: MemoryBudget) -> None:
        self.partition = partition
        self.retention_seconds = retention_seconds
        self.first_position = 0
        self.last_position = NO_POSITION
        self.size_bytes = 0
        self._budget = budget
        self._events: EventQueue = deque()
        self._by_site: dict[int, EventQueue] = {}
        self._by_visitor: dict[VisitorKey, EventQueue] = {}
        self._event_ids: set[str] = set()
        self._checksums: dict[int, int] = {}
        """By the offset of each record from which a stream can resume, in the log's order."""
        self._checkpoint = (0.0, -1)
        """A time, in seconds since 1970, and the last offset read before it."""
        self._earlier_offset = -1
        """The record at this offset was read before the retention began, and so were those before it."""
        budget.add(self)

    def __len__(self) -> int:
        return len(self._events)

    @property
    def oldest_timestamp(self) -> float:
        """When the oldest event happened."""
        return self._events[0].timestamp

    def reset(self, position: int) -> None:
        """Empty the buffer. The next event comes after `position`."""
        for container in (self._events, self._by_site, self._by_visitor, self._event_ids, self._checksums):
            container.clear()
        self._budget.used_bytes -= self.size_bytes
        self.size_bytes = 0
        self.first_position, self.last_position = position + 1, position
        self._checkpoint, self._earlier_offset = (0.0, -1), -1

    def advance(self, first: int, last: int, fingerprint: RecordFingerprint) -> None:
        """Record that the positions of a record were read, whether or not they hold an event."""
        self.first_position = min(self.first_position, first)
        self.last_position = max(self.last_position, last)
        self._checksums[fingerprint.offset] = fingerprint.checksum

    def add(self, event: Event, position: int) -> BufferedEvent | None:
        """Store an event. Return None for a duplicate of an event that is stored at an earlier position."""
        if event.id in self._event_ids:
            return None
        visitor = (event.site_id, event.session) if event.session is not None and is_visible_to_visitor(event) else None
        buffered = BufferedEvent(
            position,
            event.id,
            event.site_id,
            visitor,
            event.occurred_at.timestamp(),
            operator_frame(event, self.event_id(position)),
            push_recipient(event),
        )
        self._event_ids.add(event.id)
        self._events.append(buffered)
        self._by_site.setdefault(buffered.site_id, deque()).append(buffered)
        if visitor is not None:
            self._by_visitor.setdefault(visitor, deque()).append(buffered)
        self.size_bytes += buffered.size
        self._budget.used_bytes += buffered.size
        self._budget.enforce()
        return buffered

    def evict_before(self, timestamp: float) -> None:
        """Remove events that happened before a time, in seconds since 1970."""
        while self._events and self._events[0].timestamp < timestamp:
            self.evict_oldest()
        self._remove_earlier_records(timestamp)

    def can_replay_after(self, position: int) -> bool:
        """Whether the position exists and every later event is still here."""
        return self.first_position - 1 <= position <= self.last_position

    def event_id(self, position: int) -> int | None:
        """Return the id of a position; None if it was not read or cannot be resumed from."""
        checksum = self._checksums.get(to_offset(position))
        return None if checksum is None else EventId(position, checksum, self.partition).encode()

    def is_of_this_log(self, event_id: EventId) -> bool:
        """Whether the record that an id names is in this log; False too for one that is not remembered any more."""
        return (
            event_id.partition == self.partition
            and self._checksums.get(to_offset(event_id.position)) == event_id.checksum
        )

    def events_for_sites(self, site_ids: Iterable[int], after: int) -> list[BufferedEvent]:
        """Return the events of these sites after a position, in the log's order."""
        events: list[BufferedEvent] = []
        sites_with_events = 0
        for site_id in site_ids:
            newer = _newer_than(self._by_site.get(site_id), after)
            if newer:
                sites_with_events += 1
                events += newer
        if sites_with_events > 1:
            events.sort(key=_position)
        return events

    def events_for_visitor(self, visitor: VisitorKey, after: int) -> list[BufferedEvent]:
        """Return the events that a visitor may see after a position, in the log's order."""
        return _newer_than(self._by_visitor.get(visitor), after)

    def evict_oldest(self) -> None:
        """Remove the oldest event. A stream can resume from its position, and from no earlier one."""
        event = self._events.popleft()
        self._event_ids.discard(event.event_id)
        self.size_bytes -= event.size
        self._budget.used_bytes -= event.size
        self.first_position = event.position + 1
        oldest_offset = to_offset(event.position)
        while (offset := next(iter(self._checksums), oldest_offset)) < oldest_offset:
            del self._checksums[offset]
        _pop_first(self._by_site, event.site_id)
        if event.visitor is not None:
            _pop_first(self._by_visitor, event.visitor)

    def _remove_earlier_records(self, retained_from: float) -> None:
        """Bound what is kept of records that were read before the retention and have no event here any more."""
        time, offset = self._checkpoint
        if retained_from >= time:
            self._earlier_offset = offset
            self._checkpoint = (retained_from + self.retention_seconds, to_offset(self.last_position))
        excess = len(self._checksums) - MAX_EARLIER_RECORDS
        for offset in list(islice(self._checksums, max(0, excess))):
            if offset > self._earlier_offset:
                return
            del self._checksums[offset]


def _pop_first(queues: dict[KeyT, EventQueue], key: KeyT) -> None:
    queue = queues[key]
    queue.popleft()
    if not queue:
        del queues[key]


def _newer_than(queue: EventQueue | None, position: int) -> list[BufferedEvent]:
    newer: list[BufferedEvent] = []
    for event in reversed(queue or ()):
        if event.position <= position:
            break
        newer.append(event)
    newer.reverse()
    return newer


def _position(event: BufferedEvent) -> int:
    return event.position
