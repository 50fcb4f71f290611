"""A circuit breaker: stops calls to an engine that keeps failing, then tries again with one call."""

from __future__ import annotations

from enum import IntEnum

from parley.common.runtime.backoff import backoff_seconds
from parley.translate.timeouts import BREAKER_PAUSE_SECONDS, MAX_BREAKER_PAUSE_SECONDS

_MAX_FAILURES = 5


class BreakerState(IntEnum):
    """The values are those of the metric."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class CircuitBreaker:
    """The breaker of one engine in one process. Times are monotonic seconds."""

    def __init__(self, max_failures: int = _MAX_FAILURES, pause_seconds: float = BREAKER_PAUSE_SECONDS) -> None:
        self._max_failures = max_failures
        self._pause_seconds = pause_seconds
        self._failures = 0
        self._times_opened = 0
        self._open_until = 0.0
        self.state = BreakerState.CLOSED

    def allow_request(self, now: float) -> bool:
        """Return whether a call may be made. After the pause, one call is allowed as a trial."""
        if self.state is BreakerState.CLOSED:
            return True
        if self.state is BreakerState.HALF_OPEN or now < self._open_until:
            return False
        self.state = BreakerState.HALF_OPEN
        return True

    def cancel_trial(self) -> None:
        """The allowed call was not made or not completed: the next call may be the trial."""
        if self.state is BreakerState.HALF_OPEN:
            self.state = BreakerState.OPEN

    def record_success(self) -> None:
        """Close the breaker."""
        self.state = BreakerState.CLOSED
        self._failures = self._times_opened = 0

    def record_failure(self, now: float) -> None:
        """Open the breaker after too many failures in a row or a failed trial, each time for longer."""
        self._failures += 1
        if self.state is BreakerState.HALF_OPEN or self._failures >= self._max_failures:
            pause_seconds = backoff_seconds(
                self._times_opened + 1,
                initial_seconds=self._pause_seconds,
                max_seconds=MAX_BREAKER_PAUSE_SECONDS,
                jitter=0,
            )
            self.open(now, pause_seconds)

    def open(self, now: float, seconds: float) -> None:
        """Allow no call for some time."""
        self.state = BreakerState.OPEN
        self._times_opened += 1
        self._failures = 0
        self._open_until = now + seconds
