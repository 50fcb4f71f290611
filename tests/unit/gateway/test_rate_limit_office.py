"""The default limits let an office behind one address work: nobody in it waits longer than 10 s."""

from __future__ import annotations

import pytest

from parley.common.errors import TooManyRequests
from parley.gateway.rate_limit.limiter import RateLimiter
from parley.gateway.rate_limit.limits import DEFAULT_LIMITS, RateLimitScope
from parley.gateway.rate_limit.new_session_limiter import NewSessionLimiter
from parley.gateway.settings import GatewaySettings

WIDGETS = 300
OPENING = ("session", "read", "read", "read", "read", "beat", "write", "upload")
"""The first minute of a widget: session, configuration, history, block status, events, heartbeat, message, image."""


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


Request = tuple[float, str, tuple[tuple[RateLimitScope, str], ...]]
"""When, of which rate class, and the buckets that count it."""


def simulate(requests: list[Request]) -> float:
    """Send requests at their times, again after `Retry-After` if rejected. Return the longest wait."""
    clock = Clock()
    limiter = RateLimiter(DEFAULT_LIMITS, clock)
    waiting = [(at, at, rate, keys) for at, rate, keys in requests]
    longest = 0.0
    while waiting:
        waiting.sort(key=lambda one: one[0])
        clock.now, first_at, rate, keys = waiting.pop(0)
        try:
            for scope, key in keys:
                limiter.acquire(scope, rate, key)
        except TooManyRequests as exc:
            waiting.append((clock.now + exc.retry_after, first_at, rate, keys))
            assert clock.now - first_at < 60
        else:
            longest = max(longest, clock.now - first_at)
    return longest


@pytest.mark.parametrize("seconds_to_open", [0.0, 5.0, 45.0])
def test_300_widgets_of_one_address_open_and_send_an_image_within_10_seconds(seconds_to_open: float) -> None:
    requests: list[Request] = []
    for widget in range(WIDGETS):
        keys = (
            (RateLimitScope.ADDRESS, "office"),
            (RateLimitScope.SESSION, f"session {widget}"),
            (RateLimitScope.SITE, "site"),
        )
        requests += [(widget * seconds_to_open / WIDGETS, rate, keys) for rate in OPENING]
    assert simulate(requests) <= 10


def test_an_address_that_changes_its_session_for_every_request_is_slowed_down() -> None:
    limiter = RateLimiter(DEFAULT_LIMITS, Clock())
    sessions = NewSessionLimiter(limiter)
    for number in range(1000):
        sessions.admit("stranger", f"session {number}")
    with pytest.raises(TooManyRequests):
        sessions.admit("stranger", "session 1000")
    sessions.admit("stranger", "session 0")
    sessions.admit("office", "session of somebody else")


def test_25_operators_log_in_at_nine_and_use_the_panel() -> None:
    address = (RateLimitScope.ADDRESS, "office")
    requests: list[Request] = []
    for operator in range(25):
        requests.append((0.0, "login", (address,)))
        requests += [(1.0, "read", (address, (RateLimitScope.OPERATOR, str(operator))))] * 40
    assert simulate(requests) == 0


def test_every_widget_and_panel_of_an_office_has_a_stream() -> None:
    assert GatewaySettings.model_fields["streams_per_address"].default >= 2 * WIDGETS
    assert GatewaySettings.model_fields["connections_per_address"].default >= 6 * WIDGETS
