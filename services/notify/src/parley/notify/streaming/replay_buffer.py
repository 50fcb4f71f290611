"""The newest part of the log, in memory: what a stream that comes back can still be given.

Kept by site and by visitor's session, so that a replay costs what it gives. Bounded in age and in bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from parley.common.events import Event, for_visitors
from parley.notify import metrics
from parley.notify.push.triggers import called_by
from parley.notify.streaming.frames import operator_frame, visitor_frame

NOWHERE = -1
"""The position before the log's first."""

_ENTRY_BYTES = 600
"""What an entry takes beside its frames: objects, places in three queues, its id (measured with tracemalloc)."""

Shelf = deque["Entry"]
Session = tuple[int, str]
KeyT = TypeVar("KeyT")


@dataclass(frozen=True, slots=True)
class Entry:
    """One event at its position, encoded. `session` is the visitor's who may see it, if any may."""

    position: int
    event_id: str
    site_id: int
    session: Session | None
    at: float
    for_operators: bytes
    calls: int | None = None
    """Whom a push would tell of it, if no stream does (`occasions.called_by`)."""

    @property
    def size(self) -> int:
        return _ENTRY_BYTES + len(self.for_operators)

    def for_visitor(self) -> bytes:
        """The same as its visitor may see it: made when asked for, since most replicas have no stream of theirs."""
        return visitor_frame(self.for_operators)


class Window:
    """Positions `floor` to `last` of the log. Not ready for streams before it has reached the log's end once."""

    def __init__(self, seconds: float, largest: int) -> None:
        self.seconds = seconds
        self.largest = largest
        self.last = NOWHERE
        self.floor = 0
        self.bytes = 0
        self._entries: Shelf = deque()
        self._sites: dict[int, Shelf] = {}
        self._sessions: dict[Session, Shelf] = {}
        self._ids: set[str] = set()

    def __len__(self) -> int:
        return len(self._entries)

    def begin(self, position: int) -> None:
        """Empty, with `position` as the newest that is known to exist: what comes after it will be seen."""
        for shelf in (self._entries, self._sites, self._sessions, self._ids):
            shelf.clear()
        self.bytes = 0
        self.last, self.floor = position, position + 1

    def reach(self, start: int, end: int) -> None:
        """The log has come to these positions, whatever stands there."""
        self.floor = min(self.floor, start)
        self.last = max(self.last, end)

    def add(self, event: Event, position: int) -> Entry | None:
        """Keep an event; None for one that is kept already, under an earlier position."""
        if event.id in self._ids:
            return None
        session = (event.site_id, event.session) if event.session is not None and for_visitors(event) else None
        entry = Entry(
            position,
            event.id,
            event.site_id,
            session,
            event.occurred_at.timestamp(),
            operator_frame(event, position),
            called_by(event),
        )
        self._ids.add(event.id)
        self._entries.append(entry)
        self._sites.setdefault(entry.site_id, deque()).append(entry)
        if session is not None:
            self._sessions.setdefault(session, deque()).append(entry)
        self.bytes += entry.size
        while self.bytes > self.largest and len(self._entries) > 1:
            self._drop_oldest()
        return entry

    def forget(self, before: float) -> None:
        """Let go of what happened before a moment (seconds since 1970)."""
        while self._entries and self._entries[0].at < before:
            self._drop_oldest()
        metrics.WINDOW_EVENTS.set(len(self._entries))
        metrics.WINDOW_BYTES.set(self.bytes)

    def covers(self, position: int) -> bool:
        """Whether everything after a position, and nothing but what exists, can be given."""
        return self.floor - 1 <= position <= self.last

    def for_sites(self, sites: Iterable[int], after: int) -> list[Entry]:
        """What operators of these sites have not seen, in the log's order."""
        found: list[Entry] = []
        shelves = 0
        for site in sites:
            missed = _newer(self._sites.get(site), after)
            if missed:
                shelves += 1
                found += missed
        if shelves > 1:
            found.sort(key=_position)
        return found

    def for_session(self, session: Session, after: int) -> list[Entry]:
        """What a visitor has not seen, in the log's order."""
        return _newer(self._sessions.get(session), after)

    def _drop_oldest(self) -> None:
        entry = self._entries.popleft()
        self._ids.discard(entry.event_id)
        self.bytes -= entry.size
        self.floor = entry.position + 1
        _take_first(self._sites, entry.site_id)
        if entry.session is not None:
            _take_first(self._sessions, entry.session)


def _take_first(shelves: dict[KeyT, Shelf], key: KeyT) -> None:
    shelf = shelves[key]
    shelf.popleft()
    if not shelf:
        del shelves[key]


def _newer(shelf: Shelf | None, after: int) -> list[Entry]:
    found: list[Entry] = []
    for entry in reversed(shelf or ()):
        if entry.position <= after:
            break
        found.append(entry)
    found.reverse()
    return found


def _position(entry: Entry) -> int:
    return entry.position
