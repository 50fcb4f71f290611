"""The hub: who is written to, who is cut, and that nobody is left behind."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from parley.common.auth.identity import OperatorCaller, Permission, VisitorCaller
from parley.common.errors import TooMany, Unauthenticated, Unavailable
from parley.common.events import Event
from parley.common.runtime.clock import utc_now
from parley.notify.push.triggers import EVERYONE
from parley.notify.streaming.frames import operator_frame, visitor_frame
from parley.notify.streaming.hub import Hub
from parley.notify.streaming.replay_buffer import Entry
from parley.notify.streaming.subscriber import Stream

CALLER = OperatorCaller(
    operator_id=7,
    tenant_id=1,
    name="Alex",
    sites={1: frozenset(Permission), 2: frozenset({Permission.VIEW}), 3: frozenset({Permission.CHAT})},
    session_id="s1",
    access_version=5,
    needs=Permission.VIEW,
)
VISITOR = VisitorCaller(1, 1, "sess_a")


CLOSED = operator_frame(
    Event(
        id="e1",
        type="conversation.closed",
        tenant_id=1,
        site_id=1,
        occurred_at=utc_now(),
        request_id="r",
        traceparent="t",
        data={"mode": "closed", "conversation": {"id": 3}},
    ),
    7,
)


class Socket:
    """A transport that keeps what is written for as long as its client does not read."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.unread = 0
        self.reads = True
        self.aborted = False

    def write(self, data: bytes) -> None:
        if self.aborted:
            raise RuntimeError("closed")
        self.written.append(data)
        if not self.reads:
            self.unread += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def abort(self) -> None:
        self.aborted = True


def entry(site: int = 1, session: str | None = None, calls: int | None = None, frame: bytes = b"event") -> Entry:
    return Entry(0, "e1", site, (site, session) if session else None, 0.0, frame, calls)


def hub(**changes: Any) -> Hub:
    return Hub(**{"buffer_bytes": 1000, "comment_seconds": 1, "operator_streams": 3, "visitor_streams": 1, **changes})


def live(hub: Hub, caller: OperatorCaller | VisitorCaller) -> tuple[Stream, Socket]:
    stream, socket = hub.admit(caller), Socket()
    stream.attach(socket, chunked=True)  # type: ignore[arg-type]
    hub.go_live(stream)
    return stream, socket


async def test_an_event_reaches_operators_of_its_site_who_have_the_permission() -> None:
    streams = hub()
    _, socket = live(streams, CALLER)
    for site in (1, 2, 3, 4):
        streams.deliver(entry(site, frame=b"%d" % site))
    assert socket.written == [b"1", b"2"]


async def test_a_visitor_is_given_the_view_and_operators_the_whole() -> None:
    streams = hub()
    _, operator = live(streams, CALLER)
    _, visitor = live(streams, VISITOR)
    for session in ("sess_a", "sess_b"):
        streams.deliver(entry(session=session, frame=CLOSED))
    streams.deliver(entry())
    assert operator.written == [CLOSED, CLOSED, b"event"]
    assert visitor.written == [visitor_frame(CLOSED)]


async def test_a_stream_sees_nothing_before_it_is_live() -> None:
    streams = hub()
    stream, socket = streams.admit(CALLER), Socket()
    stream.attach(socket, chunked=True)  # type: ignore[arg-type]
    streams.deliver(entry())
    assert socket.written == []


async def test_who_does_not_read_is_cut_at_the_bound_and_the_others_go_on() -> None:
    streams = hub()
    stream, socket = live(streams, CALLER)
    _, other = live(streams, replace(CALLER, operator_id=8))
    socket.reads = False
    for _ in range(30):
        streams.deliver(entry(frame=b"x" * 100))
    assert socket.aborted
    assert len(socket.written) == 10
    assert stream.reason == "slow"
    assert stream.ended.done()
    assert len(other.written) == 30
    assert len(streams) == 1


async def test_who_owes_the_same_at_two_looks_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    streams = hub()
    stream, socket = live(streams, CALLER)
    slow, reading = live(streams, CALLER)
    socket.unread = reading.unread = 500
    now += 1
    streams.tick()
    reading.unread = 400
    now += 1
    streams.tick()
    assert stream.reason == "stalled"
    assert socket.aborted
    assert not slow.reason


async def test_a_stream_ends_in_the_second_its_token_does(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    streams = hub()
    stream, _ = live(streams, replace(CALLER, expires_at=1_000_010))
    never, _ = live(streams, CALLER)
    now += 9
    streams.tick()
    assert [stream.reason, never.reason] == ["", ""]
    now += 1.5
    streams.tick()
    assert stream.reason == "expired"
    assert not never.reason
    with pytest.raises(Unauthenticated):
        streams.admit(replace(CALLER, expires_at=1_000_010))


async def test_a_change_of_access_ends_older_streams_and_refuses_older_callers() -> None:
    streams = hub()
    old, _ = live(streams, CALLER)
    fresh, _ = live(streams, replace(CALLER, access_version=6))
    other, _ = live(streams, replace(CALLER, operator_id=8))
    streams.revoke(7, None, 6)
    assert (old.reason, fresh.reason, other.reason) == ("revoked", "", "")
    with pytest.raises(Unavailable) as refused:
        streams.admit(CALLER)
    assert refused.value.details["retry_after"] == 1
    streams.admit(replace(CALLER, access_version=6))


async def test_the_end_of_a_login_ends_its_streams_alone() -> None:
    streams = hub()
    one, _ = live(streams, CALLER)
    two, _ = live(streams, replace(CALLER, session_id="s2"))
    streams.revoke(7, "s1", 5)
    assert (one.reason, two.reason) == ("revoked", "")
    with pytest.raises(Unauthenticated):
        streams.admit(CALLER)


async def test_limits_count_open_streams_alone() -> None:
    streams = hub()
    opened = [streams.admit(CALLER) for _ in range(3)]
    with pytest.raises(TooMany):
        streams.admit(CALLER)
    streams.admit(replace(CALLER, operator_id=8))
    streams.leave(opened[0])
    streams.leave(opened[0])
    streams.admit(CALLER)
    streams.admit(VISITOR)
    with pytest.raises(TooMany):
        streams.admit(VISITOR)


async def test_nothing_is_left_of_streams_that_are_gone() -> None:
    streams = hub(operator_streams=1000, visitor_streams=1000)
    opened = [live(streams, caller)[0] for caller in (replace(CALLER, expires_at=2**33), VISITOR) for _ in range(200)]
    assert len(streams) == 400
    for stream in opened:
        streams.leave(stream)
    assert len(streams) == 0
    indexes = (streams._by_site, streams._by_session, streams._by_owner, streams._expiring)
    assert not any(indexes)


async def test_a_socket_that_has_just_gone_harms_no_other() -> None:
    streams = hub()
    stream, socket = live(streams, CALLER)
    _, other = live(streams, replace(CALLER, operator_id=8))
    socket.aborted = True
    streams.deliver(entry())
    assert stream.reason == "left"
    assert other.written == [b"event"]


async def test_who_was_shown_what_calls_for_them_is_noted() -> None:
    noted: list[tuple[str, set[int]]] = []

    def written(event_id: str, operators: Iterable[int]) -> None:
        noted.append((event_id, set(operators)))

    streams = hub(written=written)
    stream, _ = live(streams, CALLER)
    live(streams, replace(CALLER, operator_id=8))
    streams.deliver(entry())
    streams.deliver(entry(calls=9))
    assert noted == []
    streams.deliver(entry(calls=7))
    streams.deliver(entry(calls=EVERYONE))
    streams.replayed(stream, entry(calls=7))
    streams.replayed(stream, entry(calls=8))
    assert noted == [("e1", {7}), ("e1", {7, 8}), ("e1", {7})]


async def test_draining_tells_when_to_come_back_and_admits_nobody() -> None:
    streams = hub(operator_streams=50)
    sockets = [live(streams, CALLER)[1] for _ in range(20)]
    streams.drain()
    waits = {int(socket.written[-1].split(b"retry: ")[1].split(b"\n")[0]) for socket in sockets}
    assert len(waits) > 5
    assert all(500 <= wait <= 3000 for wait in waits)
    assert not any(socket.aborted for socket in sockets)
    assert len(streams) == 0
    with pytest.raises(Unavailable):
        streams.admit(CALLER)
