"""All open streams of this replica: who sees an event, who must go, who does not read.

Streams are found by site, by visitor's session, by operator, and by the second in which they expire: an event looks
only at those it is for. Everything here runs without awaiting, so no event can slip between two steps.
"""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import TooMany, Unauthenticated, Unavailable
from parley.common.events import Event, for_visitors
from parley.notify import metrics
from parley.notify.push.triggers import EVERYONE
from parley.notify.streaming.frames import COMMENT, operator_frame, retry_frame, visitor_frame
from parley.notify.streaming.replay_buffer import Entry, Session
from parley.notify.streaming.subscriber import Stream

KeyT = TypeVar("KeyT")
Written = Callable[[str, Iterable[int]], None]
"""Told of an event that calls for a person, and of the operators whose streams were given it."""

_REMEMBERED = 50_000
_WHISPER_BACKLOG = 16_384
_RETRY_MS = (500, 3000)
_CUT = frozenset({"slow", "stalled"})
"""Reasons for which what stands in a client's buffer is thrown away: it would not read it."""

_WRITTEN = {kind: metrics.FRAMES_WRITTEN.labels(kind) for kind in ("operator", "visitor", "own", "comment")}
"""Found once: looking a label up for each event costs as much as a write."""


class StreamsTooMany(TooMany):
    code = "too_many_streams"
    sentence = "There are too many open streams. Close one, or wait a little."


class AccessOutdated(Unavailable):
    code = "access_outdated"
    sentence = "What you may do has just changed. Please try again."


class Draining(Unavailable):
    code = "draining"
    sentence = "This server is about to stop. Please connect again."


class Hub:
    """The subscribers and their indexes. `comment_seconds` between comments and looks at stalls, per stream."""

    def __init__(
        self,
        *,
        buffer_bytes: int,
        comment_seconds: int,
        operator_streams: int,
        visitor_streams: int,
        written: Written | None = None,
    ) -> None:
        self._buffer_bytes = buffer_bytes
        self._operator_streams = operator_streams
        self._visitor_streams = visitor_streams
        self._written = written
        self._by_site: dict[int, set[Stream]] = {}
        self._by_session: dict[Session, set[Stream]] = {}
        self._by_owner: dict[int | Session, set[Stream]] = {}
        self._expiring: dict[int, set[Stream]] = {}
        self._slots: list[set[Stream]] = [set() for _ in range(comment_seconds)]
        self._versions: OrderedDict[int, int] = OrderedDict()
        self._ended_sessions: OrderedDict[str, None] = OrderedDict()
        self._ticked = int(time.time())
        self._draining = False

    def __len__(self) -> int:
        return sum(map(len, self._slots))

    # Coming and going.

    def admit(self, caller: OperatorCaller | VisitorCaller) -> Stream:
        """A place for a stream; it sees nothing before `go_live`. Raises StreamsTooMany, AccessOutdated, Draining."""
        if self._draining:
            raise Draining(retry_after=1)
        stream = Stream(caller)
        owner: int | Session = stream.session or stream.operator_id
        if 0 < stream.expires_at <= int(time.time()):
            raise Unauthenticated
        if isinstance(caller, OperatorCaller):
            self._check_access(caller)
        most = self._visitor_streams if stream.session is not None else self._operator_streams
        if len(self._by_owner.get(owner, ())) >= most:
            raise StreamsTooMany(5)
        _put(self._by_owner, owner, stream)
        if stream.expires_at:
            _put(self._expiring, stream.expires_at, stream)
        stream.slot = random.randrange(len(self._slots))  # noqa: S311 - spreads the comments, guards nothing
        self._slots[stream.slot].add(stream)
        metrics.STREAMS.labels(stream.kind).inc()
        return stream

    def _check_access(self, caller: OperatorCaller) -> None:
        if caller.access_version < self._versions.get(caller.operator_id, 0):
            raise AccessOutdated(retry_after=1)
        if caller.session_id is not None and caller.session_id in self._ended_sessions:
            raise Unauthenticated

    def go_live(self, stream: Stream) -> None:
        """From here on it is given every event it may see."""
        if stream.ended.done():
            return
        stream.live = True
        if stream.session is not None:
            _put(self._by_session, stream.session, stream)
        else:
            for site in stream.sites:
                _put(self._by_site, site, stream)

    def leave(self, stream: Stream, reason: str = "left") -> None:
        """Forget a stream; once is enough, twice does no harm."""
        if stream not in self._slots[stream.slot]:
            return
        stream.end(reason, cut=reason in _CUT)
        self._slots[stream.slot].discard(stream)
        _drop(self._by_owner, stream.session or stream.operator_id, stream)
        if stream.expires_at:
            _drop(self._expiring, stream.expires_at, stream)
        if stream.session is not None:
            _drop(self._by_session, stream.session, stream)
        else:
            for site in stream.sites:
                _drop(self._by_site, site, stream)
        metrics.STREAMS.labels(stream.kind).dec()
        metrics.STREAMS_ENDED.labels(stream.reason).inc()

    # What streams are given.

    def deliver(self, entry: Entry) -> int:
        """Give an event to every live stream that may see it. Returns how many those are."""
        given = 0
        operators = self._by_site.get(entry.site_id)
        if operators:
            given += len(operators)
            self._write(entry.for_operators, operators, "operator")
            if entry.calls is not None and self._written is not None:
                self._note(entry, operators, self._written)
        if entry.session is not None:
            visitors = self._by_session.get(entry.session)
            if visitors:
                given += len(visitors)
                self._write(entry.for_visitor(), visitors, "visitor")
        return given

    def replayed(self, stream: Stream, entry: Entry) -> None:
        """An event was given to a stream that is catching up."""
        if entry.calls in (EVERYONE, stream.operator_id) and stream.operator_id and self._written is not None:
            self._written(entry.event_id, (stream.operator_id,))

    def whisper(self, event: Event) -> None:
        """Show an ephemeral event to the other side; whoever is behind does without."""
        author = event.actor.id if event.actor.kind == "operator" else None
        operators = [
            stream
            for stream in self._by_site.get(event.site_id, ())
            if stream.operator_id != author and stream.backlog() < _WHISPER_BACKLOG
        ]
        frame = operator_frame(event, None)
        if operators:
            self._write(frame, operators, "operator")
        if event.session is None or not for_visitors(event) or event.data.get("role") == "visitor":
            return
        visitors = self._by_session.get((event.site_id, event.session))
        if visitors:
            self._write(visitor_frame(frame), visitors, "visitor")

    def tell_all(self, frame: bytes) -> None:
        """Write a frame to every live stream."""
        self._write(frame, [stream for slot in self._slots for stream in slot if stream.live], "own")

    def _write(self, frame: bytes, streams: Collection[Stream], kind: str) -> None:
        room = self._buffer_bytes - len(frame)
        lost: list[tuple[Stream, str]] = []
        for stream in streams:
            try:
                if stream.backlog() > room:
                    lost.append((stream, "slow"))
                else:
                    stream.send(frame)
            except Exception:
                # Its socket went this very moment; the handler's cancellation is on its way.
                lost.append((stream, "left"))
        for stream, reason in lost:
            self.leave(stream, reason)
        _WRITTEN[kind].inc(len(streams))

    def _note(self, entry: Entry, operators: Iterable[Stream], written: Written) -> None:
        seen = {stream.operator_id for stream in operators}
        if entry.calls != EVERYONE:
            seen &= {entry.calls} if entry.calls is not None else set()
        if seen:
            written(entry.event_id, seen)

    # Who must go.

    def revoke(self, operator_id: int, session_id: str | None, version: int) -> None:
        """An operator's access changed: end the streams that were opened under the old one, refuse new such ones."""
        _remember(self._versions, operator_id, max(version, self._versions.get(operator_id, 0)))
        if session_id is not None:
            _remember(self._ended_sessions, session_id, None)
        for stream in tuple(self._by_owner.get(operator_id, ())):
            if session_id is not None:
                outdated = stream.session_id == session_id
            else:
                outdated = stream.access_version < version or version == 0
            if outdated:
                self.leave(stream, "revoked")

    def close_site(self, site_id: int) -> None:
        """A site was deleted: nobody watches it any more."""
        for slot in self._slots:
            for stream in [stream for stream in slot if site_id in stream.sites]:
                self.leave(stream, "site_deleted")

    def tick(self) -> None:
        """Once a second: end what has expired, then comment to one slot's streams and cut those that do not read."""
        now = int(time.time())
        for second in range(self._ticked + 1, now + 1):
            for stream in tuple(self._expiring.get(second, ())):
                self.leave(stream, "expired")
        if now == self._ticked:
            return
        for second in {at % len(self._slots) for at in range(self._ticked + 1, now + 1)}:
            self._look_at(self._slots[second])
        self._ticked = now

    def _look_at(self, slot: set[Stream]) -> None:
        silent: list[Stream] = []
        for stream in slot:
            owed = stream.backlog()
            if owed and stream.owed and owed >= stream.owed:
                silent.append(stream)
            stream.owed = owed
        for stream in silent:
            self.leave(stream, "stalled")
        self._write(COMMENT, [stream for stream in slot if stream.transport is not None], "comment")

    def drain(self) -> None:
        """The service stops: tell every client when to come back, each at another moment, and end its stream."""
        self._draining = True
        for slot in self._slots:
            for stream in tuple(slot):
                stream.send(retry_frame(random.randint(*_RETRY_MS)))  # noqa: S311 - spreads reconnects
                self.leave(stream, "drained")


def _put(index: dict[KeyT, set[Stream]], key: KeyT, stream: Stream) -> None:
    index.setdefault(key, set()).add(stream)


def _drop(index: dict[KeyT, set[Stream]], key: KeyT, stream: Stream) -> None:
    found = index.get(key)
    if found is not None:
        found.discard(stream)
        if not found:
            del index[key]


ValueT = TypeVar("ValueT")


def _remember(memory: OrderedDict[KeyT, ValueT], key: KeyT, value: ValueT) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)
