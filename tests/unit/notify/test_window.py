"""The window: what can be replayed, to whom, and from where."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from parley.common.events import Event
from parley.common.runtime.clock import utc_now
from parley.notify.streaming.replay_buffer import NOWHERE, Window


def event(number: int, site: int = 1, session: str | None = None, age: float = 0, **more: Any) -> Event:
    return Event(
        **{
            "id": f"e{number}",
            "type": "conversation.closed" if session else "operator.online",
            "tenant_id": 1,
            "site_id": site,
            "conversation_id": 3,
            "session": session,
            "occurred_at": utc_now() - timedelta(seconds=age),
            "request_id": "r",
            "traceparent": "t",
            "data": {"mode": "closed", "conversation": {}, "operator_id": 1},
            **more,
        }
    )


@pytest.fixture
def window() -> Window:
    window = Window(600, 1_000_000)
    window.begin(NOWHERE)
    return window


def add(window: Window, *events: Event) -> None:
    for found in events:
        position = window.last + 1
        window.reach(position, position)
        window.add(found, position)


def test_an_empty_log_can_be_resumed_from_before_its_first_position(window: Window) -> None:
    assert window.covers(NOWHERE)
    assert not window.covers(0)
    assert not window.covers(-2)


def test_positions_from_just_before_the_oldest_to_the_last_are_covered(window: Window) -> None:
    window.begin(41)
    add(window, *(event(number) for number in range(3)))
    assert [position for position in range(38, 48) if window.covers(position)] == [41, 42, 43, 44]


def test_reading_backwards_moves_the_floor_and_not_the_end(window: Window) -> None:
    window.begin(100)
    window.reach(90, 95)
    assert window.covers(89)
    assert window.covers(100)
    assert not window.covers(88)
    assert not window.covers(101)


def test_a_replay_gives_only_the_sites_asked_for_in_the_logs_order(window: Window) -> None:
    add(window, *(event(number, site=number % 3) for number in range(9)))
    assert [entry.position for entry in window.for_sites([1, 2], after=2)] == [4, 5, 7, 8]
    assert [entry.position for entry in window.for_sites([0], after=0)] == [3, 6]
    assert window.for_sites([7], after=0) == []


def test_a_visitor_is_given_their_own_sessions_events_of_their_own_site(window: Window) -> None:
    add(
        window,
        event(0, session="a"),
        event(1, session="b"),
        event(2, site=2, session="a"),
        event(3),
        event(4, session="a"),
    )
    assert [entry.position for entry in window.for_session((1, "a"), after=-1)] == [0, 4]


def test_what_visitors_may_not_see_is_on_no_visitors_shelf(window: Window) -> None:
    add(window, event(0, session="a", type="note.created"))
    assert window.for_session((1, "a"), after=-1) == []
    assert len(window.for_sites([1], after=-1)) == 1


def test_an_event_is_kept_once(window: Window) -> None:
    add(window, event(0), event(0), event(1))
    assert [entry.position for entry in window.for_sites([1], after=-1)] == [0, 2]


def test_the_oldest_go_when_there_are_too_many_bytes_and_their_positions_with_them(window: Window) -> None:
    window.largest = 5000
    add(window, *(event(number, session="a") for number in range(50)))
    assert window.bytes <= 5000
    kept = window.for_sites([1], after=-1)
    assert 1 < len(kept) < 10
    assert kept == window.for_session((1, "a"), after=-1)
    assert window.covers(kept[0].position - 1)
    assert not window.covers(kept[0].position - 2)
    assert window.bytes == sum(entry.size for entry in kept)


def test_the_oldest_go_when_they_are_too_old(window: Window) -> None:
    add(window, event(0, age=100, session="a"), event(1, age=50), event(2))
    window.forget(time.time() - 75)
    assert [entry.position for entry in window.for_sites([1], after=-1)] == [1, 2]
    assert window.for_session((1, "a"), after=-1) == []
    assert window.covers(0)
    assert not window.covers(-1)
    window.forget(time.time() + 10)
    assert len(window) == 0
    assert window.bytes == 0
    assert window.covers(2)


def test_beginning_anew_forgets_everything(window: Window) -> None:
    add(window, event(0), event(1))
    window.begin(NOWHERE)
    assert len(window) == 0
    assert not window.covers(0)
    add(window, event(0))
    assert len(window) == 1
