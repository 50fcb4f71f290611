"""The circuit breaker: closed until too many failures in a row, then one trial after each pause."""

from __future__ import annotations

from parley.translate.engines.circuit_breaker import BreakerState, CircuitBreaker


def open_breaker(now: float = 0.0) -> CircuitBreaker:
    breaker = CircuitBreaker(max_failures=3, pause_seconds=10)
    for _ in range(3):
        assert breaker.allow_request(now)
        breaker.record_failure(now)
    return breaker


def test_failures_in_a_row_open_the_breaker() -> None:
    breaker = open_breaker()
    assert breaker.state is BreakerState.OPEN
    assert not breaker.allow_request(9.9)


def test_success_between_failures_keeps_the_breaker_closed() -> None:
    breaker = CircuitBreaker(max_failures=2)
    for _ in range(5):
        breaker.record_failure(0)
        breaker.record_success()
    assert breaker.allow_request(0)


def test_one_call_is_allowed_after_the_pause() -> None:
    breaker = open_breaker()
    assert breaker.allow_request(10)
    assert breaker.state is BreakerState.HALF_OPEN
    assert not breaker.allow_request(10)


def test_successful_trial_closes_the_breaker() -> None:
    breaker = open_breaker()
    breaker.allow_request(10)
    breaker.record_success()
    assert breaker.allow_request(10)
    assert breaker.allow_request(10)


def test_each_failed_trial_doubles_the_pause_up_to_two_minutes() -> None:
    breaker, now = open_breaker(), 10.0
    pauses = []
    for _ in range(6):
        assert breaker.allow_request(now)
        breaker.record_failure(now)
        pause = 1
        while not breaker.allow_request(now + pause):
            pause += 1
        breaker.cancel_trial()
        pauses.append(pause)
        now += pause
    assert pauses == [20, 40, 80, 120, 120, 120]


def test_cancelled_trial_allows_the_next_call() -> None:
    breaker = open_breaker()
    assert breaker.allow_request(10)
    breaker.cancel_trial()
    assert breaker.allow_request(10)


def test_breaker_can_be_opened_for_a_given_time() -> None:
    breaker = CircuitBreaker()
    breaker.open(0, 60)
    assert not breaker.allow_request(59)
    assert breaker.allow_request(60)
