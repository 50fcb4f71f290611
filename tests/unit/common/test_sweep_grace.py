"""The sweeper's grace follows the delay of entries, between its minimum and eight times as long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from parley.common.mongodb.outbox.sweep_grace import SweepGrace

MINIMUM = timedelta(seconds=2)


@pytest.mark.parametrize(
    ("delays", "expected_seconds"),
    [([], 2), ([0.6], 2), ([1.5], 4.5), ([3.0, 0.6], 9), ([60.0], 16)],
)
def test_grace_is_three_times_the_longest_delay_within_its_bounds(delays: list[float], expected_seconds: float) -> None:
    grace = SweepGrace(MINIMUM)
    for delay in delays:
        grace.observe(delay)
    assert grace.current() == timedelta(seconds=expected_seconds)


def test_grace_returns_to_its_minimum_when_entries_are_fast_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    grace = SweepGrace(MINIMUM)
    grace.observe(3.0)
    now += 6
    grace.observe(0.6)
    assert grace.current() == timedelta(seconds=9), "the interval before counts"
    now += 6
    assert grace.current() == MINIMUM
