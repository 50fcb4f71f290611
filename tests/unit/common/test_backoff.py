"""Retry delays: exponential, capped, with jitter, and started over after a success."""

from __future__ import annotations

import pytest

from parley.common.runtime.backoff import Backoff, backoff_seconds


def test_delay_doubles_up_to_the_cap() -> None:
    delays = [backoff_seconds(n, initial_seconds=0.5, max_seconds=3.0, jitter=0) for n in range(1, 6)]
    assert delays == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert backoff_seconds(10**6, initial_seconds=0.5, max_seconds=3.0, jitter=0) == 3.0


@pytest.mark.parametrize("attempt", [1, 2, 10])
def test_jitter_takes_off_at_most_its_share(attempt: int) -> None:
    full = backoff_seconds(attempt, initial_seconds=1.0, max_seconds=60.0, jitter=0)
    delays = {backoff_seconds(attempt, initial_seconds=1.0, max_seconds=60.0, jitter=0.25) for _ in range(200)}
    assert len(delays) > 1
    assert all(0.75 * full <= delay <= full for delay in delays)


def test_backoff_starts_over_after_a_reset() -> None:
    backoff = Backoff(initial_seconds=1.0, max_seconds=10.0, jitter=0)
    assert [backoff.next_delay() for _ in range(3)] == [1.0, 2.0, 4.0]
    assert backoff.failures == 3
    backoff.reset()
    assert backoff.next_delay() == 1.0
