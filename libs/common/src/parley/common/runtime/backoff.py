"""Exponential backoff with a cap and jitter, for loops and deliveries that try again after a failure."""

from __future__ import annotations

import random

_MAX_DOUBLINGS = 32
"""Keeps the power in the range of a float, whatever the number of attempts."""


def backoff_seconds(attempt: int, *, initial_seconds: float, max_seconds: float, jitter: float = 0.5) -> float:
    """Seconds to wait before trying again after failed attempt number `attempt` (the first is 1).

    The delay doubles from `initial_seconds` up to `max_seconds`. Up to the share `jitter` (0 to 1) of it is then
    taken off at random, so that processes that failed together do not try again together.
    """
    doublings = min(max(attempt - 1, 0), _MAX_DOUBLINGS)
    delay = min(max_seconds, initial_seconds * 2.0**doublings)
    return delay * (1 - jitter * random.random())  # noqa: S311 - spreads load, protects nothing


class Backoff:
    """The state of a retry loop: consecutive failures, and the delay that follows from their number."""

    def __init__(self, *, initial_seconds: float, max_seconds: float, jitter: float = 0.5) -> None:
        self.failures = 0
        self._initial_seconds = initial_seconds
        self._max_seconds = max_seconds
        self._jitter = jitter

    def next_delay(self) -> float:
        """Count a failure and return the seconds to wait before the next attempt."""
        self.failures += 1
        return backoff_seconds(
            self.failures, initial_seconds=self._initial_seconds, max_seconds=self._max_seconds, jitter=self._jitter
        )

    def reset(self) -> None:
        """Start over after a success."""
        self.failures = 0
