"""The replay buffer: which events can be replayed, to whom, and from which positions."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from parley.common.events import Event
from parley.common.runtime.clock import utc_now
from parley.notify.streaming.positions import (
    NO_POSITION,
    EventId,
    Partition,
    RecordFingerprint,
    parse_event_id,
    to_offset,
)
from parley.notify.streaming.replay_buffer import MAX_EARLIER_RECORDS, MemoryBudget, ReplayBuffer

PARTITION = Partition(3, 16)


def make_event(number: int, site_id: int = 1, session: str | None = None, age: float = 0, **changes: Any) -> Event:
    return Event(
        **{
            "id": f"e{number}",
            "type": "conversation.closed" if session else "operator.online",
            "tenant_id": 1,
            "site_id": site_id,
            "conversation_id": 3,
            "session": session,
            "occurred_at": utc_now() - timedelta(seconds=age),
            "request_id": "r",
            "traceparent": "t",
            "data": {"mode": "closed", "conversation": {}, "operator_id": 1},
            **changes,
        }
    )


@pytest.fixture
def budget() -> MemoryBudget:
    return MemoryBudget(1_000_000)


@pytest.fixture
def buffer(budget: MemoryBudget) -> ReplayBuffer:
    buffer = ReplayBuffer(PARTITION, 600, budget)
    buffer.reset(NO_POSITION)
    return buffer


def add(buffer: ReplayBuffer, *events: Event) -> None:
    for event in events:
        position = buffer.last_position + 1
        buffer.advance(position, position, RecordFingerprint(to_offset(position), 17))
        buffer.add(event, position)


def test_an_empty_log_can_be_resumed_from_before_its_first_position(buffer: ReplayBuffer) -> None:
    assert buffer.can_replay_after(NO_POSITION)
    assert not buffer.can_replay_after(0)
    assert not buffer.can_replay_after(-2)


def test_positions_from_just_before_the_oldest_to_the_last_can_be_resumed_from(buffer: ReplayBuffer) -> None:
    buffer.reset(41)
    add(buffer, *(make_event(number) for number in range(3)))
    assert [position for position in range(38, 48) if buffer.can_replay_after(position)] == [41, 42, 43, 44]


def test_advancing_to_older_positions_changes_the_first_position_and_not_the_last(buffer: ReplayBuffer) -> None:
    buffer.reset(100)
    buffer.advance(90, 95, RecordFingerprint(0, 17))
    assert buffer.can_replay_after(89)
    assert buffer.can_replay_after(100)
    assert not buffer.can_replay_after(88)
    assert not buffer.can_replay_after(101)


def test_a_replay_returns_only_events_of_the_given_sites_in_the_logs_order(buffer: ReplayBuffer) -> None:
    add(buffer, *(make_event(number, site_id=number % 3) for number in range(9)))
    assert [event.position for event in buffer.events_for_sites([1, 2], after=2)] == [4, 5, 7, 8]
    assert [event.position for event in buffer.events_for_sites([0], after=0)] == [3, 6]
    assert buffer.events_for_sites([7], after=0) == []


def test_a_visitor_gets_the_events_of_their_session_on_their_site(buffer: ReplayBuffer) -> None:
    add(
        buffer,
        make_event(0, session="a"),
        make_event(1, session="b"),
        make_event(2, site_id=2, session="a"),
        make_event(3),
        make_event(4, session="a"),
    )
    assert [event.position for event in buffer.events_for_visitor((1, "a"), after=-1)] == [0, 4]


def test_an_event_that_visitors_may_not_see_is_replayed_only_to_operators(buffer: ReplayBuffer) -> None:
    add(buffer, make_event(0, session="a", type="note.created"))
    assert buffer.events_for_visitor((1, "a"), after=-1) == []
    assert len(buffer.events_for_sites([1], after=-1)) == 1


def test_a_duplicate_event_is_stored_once(buffer: ReplayBuffer) -> None:
    add(buffer, make_event(0), make_event(0), make_event(1))
    assert [event.position for event in buffer.events_for_sites([1], after=-1)] == [0, 2]


def test_the_oldest_events_and_their_positions_are_evicted_above_the_size_limit(
    buffer: ReplayBuffer, budget: MemoryBudget
) -> None:
    budget.max_bytes = 5000
    add(buffer, *(make_event(number, session="a") for number in range(50)))
    assert buffer.size_bytes <= 5000
    remaining = buffer.events_for_sites([1], after=-1)
    assert 1 < len(remaining) < 10
    assert remaining == buffer.events_for_visitor((1, "a"), after=-1)
    assert buffer.can_replay_after(remaining[0].position - 1)
    assert not buffer.can_replay_after(remaining[0].position - 2)
    assert buffer.size_bytes == sum(event.size for event in remaining)


def test_events_that_are_too_old_are_evicted(buffer: ReplayBuffer) -> None:
    add(buffer, make_event(0, age=100, session="a"), make_event(1, age=50), make_event(2))
    buffer.evict_before(time.time() - 75)
    assert [event.position for event in buffer.events_for_sites([1], after=-1)] == [1, 2]
    assert buffer.events_for_visitor((1, "a"), after=-1) == []
    assert buffer.can_replay_after(0)
    assert not buffer.can_replay_after(-1)
    buffer.evict_before(time.time() + 10)
    assert len(buffer) == 0
    assert buffer.size_bytes == 0
    assert buffer.can_replay_after(2)


def test_a_reset_removes_everything(buffer: ReplayBuffer) -> None:
    add(buffer, make_event(0), make_event(1))
    buffer.reset(NO_POSITION)
    assert len(buffer) == 0
    assert not buffer.can_replay_after(0)
    add(buffer, make_event(0))
    assert len(buffer) == 1


def test_an_id_names_a_position_in_one_log(buffer: ReplayBuffer) -> None:
    """Ids grow with positions; another partition, number of partitions or log has other ids."""
    buffer.advance(5000, 5999, RecordFingerprint(5, 4_294_967_295))
    buffer.advance(6000, 6999, RecordFingerprint(6, 1))
    older, newer = buffer.event_id(5999), buffer.event_id(6999)
    assert older is not None
    assert newer is not None
    assert older < newer
    event_id = parse_event_id(str(older))
    assert event_id == EventId(5999, 4_294_967_295, PARTITION)
    assert buffer.is_of_this_log(event_id)
    for other in (
        event_id._replace(checksum=2),
        event_id._replace(position=6999),
        event_id._replace(partition=Partition(4, 16)),
        event_id._replace(partition=Partition(3, 32)),
    ):
        assert not buffer.is_of_this_log(other)
    assert buffer.event_id(7999) is None


@pytest.mark.parametrize("text", ["", "-1", "999", "123456789012345678", "x", "1" * 41, "１" * 20])
def test_other_texts_are_no_ids(text: str) -> None:
    """Among them the positions of the previous version, which name no log."""
    assert parse_event_id(text) is None


def test_the_oldest_position_that_can_be_resumed_from_keeps_its_id(buffer: ReplayBuffer) -> None:
    for offset in range(4):
        position = offset * 1000 + 999
        buffer.advance(position - 999, position, RecordFingerprint(offset, offset))
        buffer.add(make_event(offset), position)
    buffer.evict_oldest()
    buffer.evict_oldest()
    assert buffer.event_id(999) is None
    assert buffer.can_replay_after(1999)
    assert buffer.event_id(1999) == EventId(1999, 1, PARTITION).encode()


def test_what_is_remembered_of_records_without_visible_events_is_bounded(buffer: ReplayBuffer) -> None:
    def read(offsets: range) -> None:
        for offset in offsets:
            buffer.advance(offset * 1000, offset * 1000 + 999, RecordFingerprint(offset, 17))

    def is_remembered(offset: int) -> bool:
        return buffer.is_of_this_log(EventId(offset * 1000 + 999, 17, PARTITION))

    now, records = time.time(), 2 * MAX_EARLIER_RECORDS
    read(range(1))
    buffer.evict_before(now - 600)
    assert is_remembered(0), "an idle client holds the id of an old record"
    read(range(1, records))
    for seconds in (60, 300, 599):
        buffer.evict_before(now + seconds - 600)
    assert is_remembered(0), "within the retention, all are kept"
    buffer.evict_before(now + 601 - 600)
    read(range(records, records + 10))
    buffer.evict_before(now + 1202 - 600)
    assert [is_remembered(offset) for offset in (0, records // 2, records, records + 9)] == [False, False, True, True]
    assert is_remembered(records - MAX_EARLIER_RECORDS + 10)


def test_the_oldest_event_of_all_buffers_is_evicted_first(budget: MemoryBudget) -> None:
    quiet, busy = (ReplayBuffer(Partition(number, 2), 600, budget) for number in range(2))
    for number, age in enumerate((90, 80, 70)):
        add(quiet, make_event(number, age=age))
    for number in range(50):
        add(busy, make_event(100 + number, age=60 - number))
    budget.max_bytes = budget.used_bytes - 1
    budget.enforce()
    assert (len(quiet), len(busy)) == (2, 50)
    budget.remove(busy)
    assert budget.used_bytes == quiet.size_bytes > 0
