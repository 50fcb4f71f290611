"""The hub: recipients of an event, slow clients, ended streams, cleanup."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from parley.common.auth.identity import OperatorCaller, Permission, VisitorCaller
from parley.common.errors import TooManyRequests, Unauthenticated, Unavailable
from parley.common.events import Event
from parley.common.runtime.clock import utc_now
from parley.notify.push.triggers import ALL_OPERATORS
from parley.notify.streaming.frames import operator_frame, visitor_frame
from parley.notify.streaming.hub import Hub
from parley.notify.streaming.replay_buffer import BufferedEvent
from parley.notify.streaming.subscriber import Subscriber

OPERATOR = OperatorCaller(
    operator_id=7,
    tenant_id=1,
    name="Alex",
    sites={1: frozenset(Permission), 2: frozenset({Permission.VIEW}), 3: frozenset({Permission.CHAT})},
    login_session_id="s1",
    access_version=5,
    required_permission=Permission.VIEW,
)
OTHER_OPERATOR = replace(OPERATOR, operator_id=8)
VISITOR = VisitorCaller(1, 1, "sess_a")

CLOSED_FRAME = operator_frame(
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


class FakeTransport:
    """A transport that buffers what is written while its client does not read."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.buffered_bytes = 0
        self.client_reads = True
        self.aborted = False

    def write(self, data: bytes) -> None:
        if self.aborted:
            raise RuntimeError("closed")
        self.written.append(data)
        if not self.client_reads:
            self.buffered_bytes += len(data)

    def get_write_buffer_size(self) -> int:
        return self.buffered_bytes

    def abort(self) -> None:
        self.aborted = True


def make_event(
    site_id: int = 1, session: str | None = None, push_recipient: int | None = None, frame: bytes = b"event"
) -> BufferedEvent:
    visitor = (site_id, session) if session else None
    return BufferedEvent(0, "e1", site_id, visitor, 0.0, frame, push_recipient)


def make_hub(**changes: Any) -> Hub:
    return Hub(**{"buffer_bytes": 1000, "comment_seconds": 1, "operator_streams": 3, "visitor_streams": 1, **changes})


def open_stream(hub: Hub, caller: OperatorCaller | VisitorCaller) -> tuple[Subscriber, FakeTransport]:
    subscriber, transport = hub.register(caller), FakeTransport()
    subscriber.attach(transport, chunked=True)  # type: ignore[arg-type]
    hub.go_live(subscriber)
    return subscriber, transport


async def test_an_event_reaches_operators_of_its_site_who_have_the_permission() -> None:
    hub = make_hub()
    _, transport = open_stream(hub, OPERATOR)
    for site_id in (1, 2, 3, 4):
        hub.dispatch(make_event(site_id, frame=b"%d" % site_id))
    assert transport.written == [b"1", b"2"]


async def test_a_visitor_gets_the_redacted_event_and_operators_the_full_one() -> None:
    hub = make_hub()
    _, operator = open_stream(hub, OPERATOR)
    _, visitor = open_stream(hub, VISITOR)
    for session in ("sess_a", "sess_b"):
        hub.dispatch(make_event(session=session, frame=CLOSED_FRAME))
    hub.dispatch(make_event())
    assert operator.written == [CLOSED_FRAME, CLOSED_FRAME, b"event"]
    assert visitor.written == [visitor_frame(CLOSED_FRAME)]


async def test_a_stream_gets_no_events_before_it_is_live() -> None:
    hub = make_hub()
    subscriber, transport = hub.register(OPERATOR), FakeTransport()
    subscriber.attach(transport, chunked=True)  # type: ignore[arg-type]
    hub.dispatch(make_event())
    assert transport.written == []


async def test_a_client_that_does_not_read_is_cut_at_the_bound_and_others_are_not_affected() -> None:
    hub = make_hub()
    slow, slow_transport = open_stream(hub, OPERATOR)
    _, other_transport = open_stream(hub, OTHER_OPERATOR)
    slow_transport.client_reads = False
    for _ in range(30):
        hub.dispatch(make_event(frame=b"x" * 100))
    assert slow_transport.aborted
    assert len(slow_transport.written) == 10
    assert slow.end_reason == "slow"
    assert slow.ended.done()
    assert len(other_transport.written) == 30
    assert len(hub) == 1


async def test_a_client_whose_buffer_does_not_shrink_between_two_checks_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    hub = make_hub()
    stalled, stalled_transport = open_stream(hub, OPERATOR)
    reading, reading_transport = open_stream(hub, OPERATOR)
    stalled_transport.buffered_bytes = reading_transport.buffered_bytes = 500
    now += 1
    hub.run_maintenance()
    reading_transport.buffered_bytes = 400
    now += 1
    hub.run_maintenance()
    assert stalled.end_reason == "stalled"
    assert stalled_transport.aborted
    assert not reading.end_reason


async def test_a_stream_ends_in_the_second_in_which_its_token_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    hub = make_hub()
    expiring, _ = open_stream(hub, replace(OPERATOR, expires_at=1_000_010))
    permanent, _ = open_stream(hub, OPERATOR)
    now += 9
    hub.run_maintenance()
    assert [expiring.end_reason, permanent.end_reason] == ["", ""]
    now += 1.5
    hub.run_maintenance()
    assert expiring.end_reason == "expired"
    assert not permanent.end_reason
    with pytest.raises(Unauthenticated):
        hub.register(replace(OPERATOR, expires_at=1_000_010))


async def test_a_change_of_access_ends_older_streams_and_refuses_older_callers() -> None:
    hub = make_hub()
    outdated, _ = open_stream(hub, OPERATOR)
    current, _ = open_stream(hub, replace(OPERATOR, access_version=6))
    other, _ = open_stream(hub, OTHER_OPERATOR)
    hub.revoke(7, None, 6)
    assert (outdated.end_reason, current.end_reason, other.end_reason) == ("revoked", "", "")
    with pytest.raises(Unavailable) as refused:
        hub.register(OPERATOR)
    assert refused.value.details["retry_after"] == 1
    hub.register(replace(OPERATOR, access_version=6))


async def test_the_end_of_a_login_session_ends_only_its_streams() -> None:
    hub = make_hub()
    ended, _ = open_stream(hub, OPERATOR)
    other, _ = open_stream(hub, replace(OPERATOR, login_session_id="s2"))
    hub.revoke(7, "s1", 5)
    assert (ended.end_reason, other.end_reason) == ("revoked", "")
    with pytest.raises(Unauthenticated):
        hub.register(OPERATOR)


async def test_limits_count_only_open_streams() -> None:
    hub = make_hub()
    subscribers = [hub.register(OPERATOR) for _ in range(3)]
    with pytest.raises(TooManyRequests):
        hub.register(OPERATOR)
    hub.register(OTHER_OPERATOR)
    hub.unregister(subscribers[0])
    hub.unregister(subscribers[0])
    hub.register(OPERATOR)
    hub.register(VISITOR)
    with pytest.raises(TooManyRequests):
        hub.register(VISITOR)


async def test_ended_streams_leave_no_entry_in_any_index() -> None:
    hub = make_hub(operator_streams=1000, visitor_streams=1000)
    callers = (replace(OPERATOR, expires_at=2**33), VISITOR)
    subscribers = [open_stream(hub, caller)[0] for caller in callers for _ in range(200)]
    assert len(hub) == 400
    for subscriber in subscribers:
        hub.unregister(subscriber)
    assert len(hub) == 0
    assert not any((hub._by_site, hub._by_visitor, hub._by_caller, hub._by_expiry))


async def test_a_socket_that_has_just_closed_does_not_affect_others() -> None:
    hub = make_hub()
    closed, closed_transport = open_stream(hub, OPERATOR)
    _, other_transport = open_stream(hub, OTHER_OPERATOR)
    closed_transport.aborted = True
    hub.dispatch(make_event())
    assert closed.end_reason == "left"
    assert other_transport.written == [b"event"]


async def test_delivery_to_a_push_recipient_is_reported() -> None:
    reported: list[tuple[str, set[int]]] = []

    def on_delivered(event_id: str, operator_ids: Iterable[int]) -> None:
        reported.append((event_id, set(operator_ids)))

    hub = make_hub()
    hub.on_delivered = on_delivered
    subscriber, _ = open_stream(hub, OPERATOR)
    open_stream(hub, OTHER_OPERATOR)
    hub.dispatch(make_event())
    hub.dispatch(make_event(push_recipient=9))
    assert reported == []
    hub.dispatch(make_event(push_recipient=7))
    hub.dispatch(make_event(push_recipient=ALL_OPERATORS))
    hub.record_replayed(subscriber, make_event(push_recipient=7))
    hub.record_replayed(subscriber, make_event(push_recipient=8))
    assert reported == [("e1", {7}), ("e1", {7, 8}), ("e1", {7})]


async def test_draining_sends_varied_reconnection_delays_and_refuses_new_streams() -> None:
    hub = make_hub(operator_streams=50)
    transports = [open_stream(hub, OPERATOR)[1] for _ in range(20)]
    hub.drain()
    delays = {int(transport.written[-1].split(b"retry: ")[1].split(b"\n")[0]) for transport in transports}
    assert len(delays) > 5
    assert all(500 <= delay <= 3000 for delay in delays)
    assert not any(transport.aborted for transport in transports)
    assert len(hub) == 0
    with pytest.raises(Unavailable):
        hub.register(OPERATOR)
