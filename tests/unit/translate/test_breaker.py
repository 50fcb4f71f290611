"""The breaker: closed until too many failures in a row, then one trial after each pause."""

from __future__ import annotations

from parley.translate.engines.circuit_breaker import Breaker, State


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker(failures=3, pause_seconds=10)
    for _ in range(3):
        assert breaker.admits(now)
        breaker.failed(now)
    return breaker


def test_failures_in_a_row_open_it() -> None:
    breaker = opened()
    assert breaker.state is State.OPEN
    assert not breaker.admits(9.9)


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = Breaker(failures=2)
    for _ in range(5):
        breaker.failed(0)
        breaker.succeeded()
    assert breaker.admits(0)


def test_after_the_pause_one_call_alone_is_let_through() -> None:
    breaker = opened()
    assert breaker.admits(10)
    assert breaker.state is State.ON_TRIAL
    assert not breaker.admits(10)


def test_a_trial_that_succeeds_closes_it() -> None:
    breaker = opened()
    breaker.admits(10)
    breaker.succeeded()
    assert breaker.admits(10)
    assert breaker.admits(10)


def test_each_failed_trial_makes_the_pause_longer_up_to_two_minutes() -> None:
    breaker, now = opened(), 10.0
    pauses = []
    for _ in range(6):
        assert breaker.admits(now)
        breaker.failed(now)
        pause = 1
        while not breaker.admits(now + pause):
            pause += 1
        breaker.pardon()
        pauses.append(pause)
        now += pause
    assert pauses == [20, 40, 80, 120, 120, 120]


def test_a_trial_that_was_not_made_leaves_the_next_one_free() -> None:
    breaker = opened()
    assert breaker.admits(10)
    breaker.pardon()
    assert breaker.admits(10)


def test_it_can_be_opened_for_as_long_as_a_quota_needs() -> None:
    breaker = Breaker()
    breaker.open(0, 60)
    assert not breaker.admits(59)
    assert breaker.admits(60)
