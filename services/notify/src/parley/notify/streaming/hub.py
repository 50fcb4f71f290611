"""All open streams of this replica: who gets an event, whose stream ends, which clients do not read.

Subscribers are indexed by site, visitor, session, operator, and the second in which they expire, so that an event costs
only its recipients. No method awaits, so no event can slip in between two steps of one.
"""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import Unauthenticated
from parley.common.events import Event, is_visible_to_visitor
from parley.common.log_partitions import get_partition
from parley.notify import metrics
from parley.notify.push.triggers import ALL_OPERATORS
from parley.notify.streaming.errors import AccessOutdated, Draining, TooManyStreams
from parley.notify.streaming.frames import COMMENT, operator_frame, retry_frame, visitor_frame
from parley.notify.streaming.positions import Partition
from parley.notify.streaming.replay_buffer import BufferedEvent, VisitorKey
from parley.notify.streaming.subscriber import Subscriber

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")
OnDelivered = Callable[[str, Iterable[int]], None]
"""Called with the id of an event that would cause a push, and the operators whose streams were given it."""

_CACHE_SIZE = 50_000
_MAX_BUFFERED_FOR_EPHEMERAL = 16_384
_RETRY_MILLISECONDS = (500, 3000)
_ABORT_REASONS = frozenset({"slow", "stalled"})
"""The client does not read, so its buffer is dropped with the connection."""

_WRITTEN = {kind: metrics.FRAMES_WRITTEN.labels(kind) for kind in ("operator", "visitor", "own", "comment")}
"""Resolved once: a label lookup for each event costs as much as a write."""


class Hub:
    """The open streams of this replica.

    Each stream gets a comment every `comment_seconds`; clients that do not read are disconnected at the same interval.
    """

    def __init__(
        self,
        *,
        buffer_bytes: int,
        comment_seconds: int,
        operator_streams: int,
        visitor_streams: int,
    ) -> None:
        self._max_buffered_bytes = buffer_bytes
        self._max_operator_streams = operator_streams
        self._max_visitor_streams = visitor_streams
        self.on_delivered: OnDelivered | None = None
        self._by_site: dict[int, set[Subscriber]] = {}
        self._by_visitor: dict[VisitorKey, set[Subscriber]] = {}
        self._by_caller: dict[int | VisitorKey, set[Subscriber]] = {}
        self._by_expiry: dict[int, set[Subscriber]] = {}
        self._by_session: dict[str, set[Subscriber]] = {}
        self._slots: list[set[Subscriber]] = [set() for _ in range(comment_seconds)]
        """Every subscriber is in one slot; each second one slot is maintained."""
        self._access_versions: OrderedDict[int, int] = OrderedDict()
        self._ended_sessions: OrderedDict[str, None] = OrderedDict()
        self._revoked_secrets: OrderedDict[int, None] = OrderedDict()
        self._ended_visitor_sessions: OrderedDict[str, None] = OrderedDict()
        self._maintained_at = int(time.time())
        self._draining = False

    def __len__(self) -> int:
        return sum(map(len, self._slots))

    # Register and unregister.

    def register(self, caller: OperatorCaller | VisitorCaller) -> Subscriber:
        """Add a subscriber. It gets no events before `go_live`.

        Raises TooManyStreams, AccessOutdated, Unauthenticated, Draining.
        """
        if self._draining:
            raise Draining(retry_after=1)
        subscriber = Subscriber(caller)
        owner = _caller_key(subscriber)
        if 0 < subscriber.expires_at <= int(time.time()):
            raise Unauthenticated
        if isinstance(caller, OperatorCaller):
            self._check_access(caller)
        elif (
            caller.identity_secret_id in self._revoked_secrets
            or subscriber.session_fingerprint in self._ended_visitor_sessions
        ):
            raise Unauthenticated
        max_streams = self._max_visitor_streams if subscriber.visitor is not None else self._max_operator_streams
        if len(self._by_caller.get(owner, ())) >= max_streams:
            raise TooManyStreams(5)
        _add(self._by_caller, owner, subscriber)
        if subscriber.expires_at:
            _add(self._by_expiry, subscriber.expires_at, subscriber)
        if subscriber.session_fingerprint:
            _add(self._by_session, subscriber.session_fingerprint, subscriber)
        subscriber.slot = random.randrange(len(self._slots))  # noqa: S311 - spreads the comments; no security use
        self._slots[subscriber.slot].add(subscriber)
        metrics.STREAMS.labels(subscriber.kind).inc()
        return subscriber

    def _check_access(self, caller: OperatorCaller) -> None:
        if caller.access_version < self._access_versions.get(caller.operator_id, 0):
            raise AccessOutdated(retry_after=1)
        if caller.login_session_id is not None and caller.login_session_id in self._ended_sessions:
            raise Unauthenticated

    def go_live(self, subscriber: Subscriber) -> None:
        """From now on the subscriber gets every event it may see."""
        if subscriber.ended.done():
            return
        subscriber.live = True
        if subscriber.visitor is not None:
            _add(self._by_visitor, subscriber.visitor, subscriber)
        else:
            for site_id in subscriber.site_ids:
                _add(self._by_site, site_id, subscriber)

    def unregister(self, subscriber: Subscriber, reason: str = "left") -> None:
        """Remove a subscriber and end its stream. Idempotent."""
        if subscriber not in self._slots[subscriber.slot]:
            return
        subscriber.end(reason, abort=reason in _ABORT_REASONS)
        self._slots[subscriber.slot].discard(subscriber)
        _discard(self._by_caller, _caller_key(subscriber), subscriber)
        if subscriber.expires_at:
            _discard(self._by_expiry, subscriber.expires_at, subscriber)
        if subscriber.session_fingerprint:
            _discard(self._by_session, subscriber.session_fingerprint, subscriber)
        if subscriber.visitor is not None:
            _discard(self._by_visitor, subscriber.visitor, subscriber)
        else:
            for site_id in subscriber.site_ids:
                _discard(self._by_site, site_id, subscriber)
        metrics.STREAMS.labels(subscriber.kind).dec()
        metrics.STREAMS_ENDED.labels(subscriber.end_reason).inc()

    # Deliver events.

    def dispatch(self, event: BufferedEvent) -> int:
        """Write an event to every live stream that may see it. Return how many those are."""
        recipients = 0
        operators = self._by_site.get(event.site_id)
        if operators:
            recipients += len(operators)
            self._write(event.frame, operators, "operator")
            if event.push_recipient is not None and self.on_delivered is not None:
                self._report_delivered(event, operators, self.on_delivered)
        if event.visitor is not None:
            visitors = self._by_visitor.get(event.visitor)
            if visitors:
                recipients += len(visitors)
                self._write(event.encode_for_visitor(), visitors, "visitor")
        return recipients

    def record_replayed(self, subscriber: Subscriber, event: BufferedEvent) -> None:
        """Report that a replay has written an event to a subscriber."""
        recipients = (ALL_OPERATORS, subscriber.operator_id)
        if event.push_recipient in recipients and subscriber.operator_id and self.on_delivered is not None:
            self.on_delivered(event.event_id, (subscriber.operator_id,))

    def dispatch_ephemeral(self, event: Event) -> None:
        """Write an ephemeral event to the other participants. Streams that lag behind do not get it."""
        author = event.actor.id if event.actor.kind == "operator" else None
        operators = [
            subscriber
            for subscriber in self._by_site.get(event.site_id, ())
            if subscriber.operator_id != author and subscriber.buffered_bytes() < _MAX_BUFFERED_FOR_EPHEMERAL
        ]
        frame = operator_frame(event, None)
        if operators:
            self._write(frame, operators, "operator")
        if event.session is None or not is_visible_to_visitor(event) or event.data.get("role") == "visitor":
            return
        visitors = self._by_visitor.get((event.site_id, event.session))
        if visitors:
            self._write(visitor_frame(frame), visitors, "visitor")

    def broadcast(self, frame: bytes, partition: Partition) -> None:
        """Write a frame to every live stream of a partition's tenants."""
        subscribers = [
            subscriber
            for slot in self._slots
            for subscriber in slot
            if subscriber.live and get_partition(subscriber.tenant_id, partition.total) == partition.number
        ]
        self._write(frame, subscribers, "own")

    def _write(self, frame: bytes, subscribers: Collection[Subscriber], kind: str) -> None:
        max_buffered = self._max_buffered_bytes - len(frame)
        failed: list[tuple[Subscriber, str]] = []
        for subscriber in subscribers:
            try:
                if subscriber.buffered_bytes() > max_buffered:
                    failed.append((subscriber, "slow"))
                else:
                    subscriber.send(frame)
            except Exception:
                # The socket has just closed; its handler is about to be cancelled.
                failed.append((subscriber, "left"))
        for subscriber, reason in failed:
            self.unregister(subscriber, reason)
        _WRITTEN[kind].inc(len(subscribers))

    def _report_delivered(
        self, event: BufferedEvent, operators: Iterable[Subscriber], on_delivered: OnDelivered
    ) -> None:
        operator_ids = {subscriber.operator_id for subscriber in operators}
        if event.push_recipient != ALL_OPERATORS:
            operator_ids &= {event.push_recipient} if event.push_recipient is not None else set()
        if operator_ids:
            on_delivered(event.event_id, operator_ids)

    # End streams.

    def revoke(self, operator_id: int, session_id: str | None, version: int) -> None:
        """Apply a change of an operator's access.

        End the streams that were opened with an older access version, or (with `session_id`) in an ended login
        session, and refuse new ones of that kind.
        """
        _remember(self._access_versions, operator_id, max(version, self._access_versions.get(operator_id, 0)))
        if session_id is not None:
            _remember(self._ended_sessions, session_id, None)
        for subscriber in tuple(self._by_caller.get(operator_id, ())):
            if session_id is not None:
                revoked = subscriber.login_session_id == session_id
            else:
                revoked = subscriber.access_version < version or version == 0
            if revoked:
                self.unregister(subscriber, "revoked")

    def revoke_identity_secret(self, site_id: int, secret_id: int) -> None:
        """End the streams of people who were identified by a secret of a site, and refuse new ones."""
        _remember(self._revoked_secrets, secret_id, None)
        for slot in self._slots:
            for subscriber in [one for one in slot if one.identity_secret_id == secret_id and site_id in one.site_ids]:
                self.unregister(subscriber, "revoked")

    def end_visitor_session(self, fingerprint: str) -> None:
        """End the streams of a visitor's session id, and refuse new ones."""
        _remember(self._ended_visitor_sessions, fingerprint, None)
        for subscriber in tuple(self._by_session.get(fingerprint, ())):
            self.unregister(subscriber, "revoked")

    def close_site(self, site_id: int) -> None:
        """End every stream of a deleted site."""
        for slot in self._slots:
            for subscriber in [subscriber for subscriber in slot if site_id in subscriber.site_ids]:
                self.unregister(subscriber, "site_deleted")

    def run_maintenance(self) -> None:
        """End expired streams; write comments to the slots that are due, and disconnect their clients that do not read.

        Call at least once a second.
        """
        now = int(time.time())
        for second in range(self._maintained_at + 1, now + 1):
            for subscriber in tuple(self._by_expiry.get(second, ())):
                self.unregister(subscriber, "expired")
        if now == self._maintained_at:
            return
        for index in {second % len(self._slots) for second in range(self._maintained_at + 1, now + 1)}:
            slot = self._slots[index]
            self._drop_slow_clients(slot)
            self._write(COMMENT, [subscriber for subscriber in slot if subscriber.transport is not None], "comment")
        self._maintained_at = now

    def _drop_slow_clients(self, slot: set[Subscriber]) -> None:
        stalled: list[Subscriber] = []
        for subscriber in slot:
            buffered = subscriber.buffered_bytes()
            if buffered and subscriber.last_buffered and buffered >= subscriber.last_buffered:
                stalled.append(subscriber)
            subscriber.last_buffered = buffered
        for subscriber in stalled:
            self.unregister(subscriber, "stalled")

    def drain(self) -> None:
        """End all streams before the service stops. Each client gets another reconnection delay, to spread the load."""
        self._draining = True
        for slot in self._slots:
            for subscriber in tuple(slot):
                subscriber.send(retry_frame(random.randint(*_RETRY_MILLISECONDS)))  # noqa: S311 - no security use
                self.unregister(subscriber, "drained")


def _caller_key(subscriber: Subscriber) -> int | VisitorKey:
    """Return the key of the stream limit: an operator's id or a visitor."""
    return subscriber.visitor or subscriber.operator_id


def _add(index: dict[KeyT, set[Subscriber]], key: KeyT, subscriber: Subscriber) -> None:
    index.setdefault(key, set()).add(subscriber)


def _discard(index: dict[KeyT, set[Subscriber]], key: KeyT, subscriber: Subscriber) -> None:
    subscribers = index.get(key)
    if subscribers is not None:
        subscribers.discard(subscriber)
        if not subscribers:
            del index[key]


def _remember(cache: OrderedDict[KeyT, ValueT], key: KeyT, value: ValueT) -> None:
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > _CACHE_SIZE:
        cache.popitem(last=False)
