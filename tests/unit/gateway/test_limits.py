"""Token buckets count what they should, and no more."""

from __future__ import annotations

import pytest

from parley.common.errors import TooMany
from parley.common.http import Rate
from parley.gateway.rate_limit.limiter import DEFAULTS, RATES, Limit, Limits, Scope, read_limits


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def limits(limit: Limit, clock: Clock, remembered: int = 100) -> Limits:
    everything = {scope: {"read": limit} for scope in Scope}
    return Limits(everything, clock, remembered)


def taken(bucket: Limits, times: int, who: str = "a", scope: Scope = Scope.ADDRESS) -> int:
    count = 0
    for _ in range(times):
        try:
            bucket.take(scope, "read", who)
        except TooMany:
            break
        count += 1
    return count


def test_burst_is_let_through_and_then_the_rate() -> None:
    clock = Clock()
    bucket = limits(Limit(2, 5), clock)
    assert taken(bucket, 10) == 5
    clock.now += 1
    assert taken(bucket, 10) == 2
    clock.now += 100
    assert taken(bucket, 10) == 5


def test_refusal_says_when_to_try_again_and_is_not_counted() -> None:
    clock = Clock()
    bucket = limits(Limit(0.1, 1), clock)
    assert taken(bucket, 1) == 1
    for _ in range(50):
        with pytest.raises(TooMany) as refused:
            bucket.take(Scope.ADDRESS, "read", "a")
        assert refused.value.retry_after == 10
    clock.now += 10
    assert taken(bucket, 5) == 1


def test_everybody_and_every_scope_has_a_bucket_of_its_own() -> None:
    bucket = limits(Limit(1, 2), Clock())
    assert taken(bucket, 5, "a") == 2
    assert taken(bucket, 5, "b") == 2
    assert taken(bucket, 5, "a", Scope.SITE) == 2


def test_class_without_a_limit_has_none() -> None:
    bucket = limits(Limit(1, 1), Clock())
    for _ in range(100):
        bucket.take(Scope.ADDRESS, "write", "a")


def test_least_recently_used_is_forgotten_first() -> None:
    bucket = limits(Limit(1, 1), Clock(), remembered=2)
    assert taken(bucket, 1, "a") == 1
    assert taken(bucket, 1, "b") == 1
    assert taken(bucket, 1, "c") == 1
    assert taken(bucket, 1, "c") == 0
    assert taken(bucket, 1, "a") == 1


def test_limits_are_read_from_text() -> None:
    assert read_limits("read=100/400, login=0.5/20") == {"read": Limit(100, 400), "login": Limit(0.5, 20)}
    assert read_limits("off") == {}


@pytest.mark.parametrize("text", ["", "read", "read=1", "read=0/5", "read=1/0", "read=inf/5", "eat=1/2", "read=a/b"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"classes are|is not like|positive"):
        read_limits(text)


def test_rate_classes_are_those_of_the_route_tables() -> None:
    assert set(RATES) == set(Rate)
    assert set(DEFAULTS[Scope.ADDRESS]) == set(Rate)
