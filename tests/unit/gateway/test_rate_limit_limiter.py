"""Rate limits: token buckets, and the text form of their configuration."""

from __future__ import annotations

import pytest

from parley.common.errors import TooManyRequests
from parley.common.http import RateLimitClass
from parley.gateway.rate_limit.limiter import RateLimiter, Usage
from parley.gateway.rate_limit.limits import (
    DEFAULT_LIMITS,
    NEW_SESSIONS,
    RATE_CLASSES,
    RateLimit,
    RateLimitScope,
    parse_limits,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def build_limiter(limit: RateLimit, clock: Clock, max_buckets: int = 100) -> RateLimiter:
    return RateLimiter({scope: {"read": limit} for scope in RateLimitScope}, clock, max_buckets)


def count_accepted(
    limiter: RateLimiter, attempts: int, key: str = "a", scope: RateLimitScope = RateLimitScope.ADDRESS
) -> int:
    """Return how many requests are accepted before the first rejection."""
    for accepted in range(attempts):
        try:
            limiter.acquire(scope, "read", key)
        except TooManyRequests:
            return accepted
    return attempts


def test_burst_is_accepted_and_then_the_rate() -> None:
    clock = Clock()
    limiter = build_limiter(RateLimit(2, 5), clock)
    assert count_accepted(limiter, 10) == 5
    clock.now += 1
    assert count_accepted(limiter, 10) == 2
    clock.now += 100
    assert count_accepted(limiter, 10) == 5


def test_rejection_has_a_retry_time_and_is_not_counted() -> None:
    clock = Clock()
    limiter = build_limiter(RateLimit(0.1, 1), clock)
    assert count_accepted(limiter, 1) == 1
    for _ in range(50):
        with pytest.raises(TooManyRequests) as raised:
            limiter.acquire(RateLimitScope.ADDRESS, "read", "a")
        assert raised.value.retry_after == 10
    clock.now += 10
    assert count_accepted(limiter, 5) == 1


def test_each_key_and_scope_has_its_own_bucket() -> None:
    limiter = build_limiter(RateLimit(1, 2), Clock())
    assert count_accepted(limiter, 5, "a") == 2
    assert count_accepted(limiter, 5, "b") == 2
    assert count_accepted(limiter, 5, "a", RateLimitScope.SITE) == 2


def test_class_without_a_limit_is_not_limited() -> None:
    limiter = build_limiter(RateLimit(1, 1), Clock())
    for _ in range(100):
        limiter.acquire(RateLimitScope.ADDRESS, "write", "a")


def test_least_recently_used_bucket_is_dropped_first() -> None:
    limiter = build_limiter(RateLimit(1, 1), Clock(), max_buckets=2)
    assert count_accepted(limiter, 1, "a") == 1
    assert count_accepted(limiter, 1, "b") == 1
    assert count_accepted(limiter, 1, "c") == 1
    assert count_accepted(limiter, 1, "c") == 0
    assert count_accepted(limiter, 1, "a") == 1


def test_limits_are_parsed() -> None:
    assert parse_limits("read=100/400, login=0.5/20") == {"read": RateLimit(100, 400), "login": RateLimit(0.5, 20)}
    assert parse_limits("off") == {}


@pytest.mark.parametrize("text", ["", "read", "read=1", "read=0/5", "read=1/0", "read=inf/5", "eat=1/2", "read=a/b"])
def test_malformed_limits_are_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"class must be|does not have the form|positive"):
        parse_limits(text)


def test_rate_classes_equal_those_of_the_route_tables() -> None:
    assert set(RATE_CLASSES) == {*RateLimitClass, NEW_SESSIONS}
    assert set(DEFAULT_LIMITS[RateLimitScope.ADDRESS]) == set(RATE_CLASSES)


def build_pair(limit: RateLimit, clock: Clock) -> tuple[RateLimiter, RateLimiter]:
    """Return the limiters of two gateways that report to each other immediately what they took."""
    one, other = build_limiter(limit, clock), build_limiter(limit, clock)
    one.on_usage, other.on_usage = other.add_usage, one.add_usage
    return one, other


@pytest.mark.parametrize("limit", [RateLimit(1, 10), RateLimit(100, 1000), RateLimit(1 / 6, 3)])
def test_two_gateways_share_a_burst(limit: RateLimit) -> None:
    one, other = build_pair(limit, Clock())
    accepted = 0
    for _ in range(2 * limit.burst):
        accepted += count_accepted(one, 1) + count_accepted(other, 1)
    assert limit.burst <= accepted <= limit.burst * 17 / 16 + 1


def test_two_gateways_share_a_rate() -> None:
    """A12: a client that divides its requests over two gateways gets no more than through one."""
    clock, limit = Clock(), RateLimit(5, 50)
    one, other = build_pair(limit, clock)
    accepted = 0
    for _ in range(6000):
        clock.now += 0.1
        accepted += count_accepted(one, 1) + count_accepted(other, 1)
    assert accepted <= 600 * limit.per_second + 1.2 * limit.burst


def test_one_gateway_alone_gives_a_client_its_whole_limit() -> None:
    one, _ = build_pair(RateLimit(5, 50), Clock())
    assert count_accepted(one, 100) == 50


def test_usage_of_a_class_without_a_limit_is_ignored() -> None:
    reported: list[Usage] = []
    limiter, unlimited = build_limiter(RateLimit(1, 1), Clock()), RateLimiter({scope: {} for scope in RateLimitScope})
    limiter.on_usage = reported.append
    count_accepted(limiter, 1)
    unlimited.add_usage(reported[0])
    assert count_accepted(unlimited, 5) == 5
