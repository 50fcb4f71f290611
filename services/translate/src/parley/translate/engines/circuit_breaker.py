"""A circuit breaker: who fails again and again is left alone for a while, then tried with one call."""

from __future__ import annotations

from enum import IntEnum

_FAILURES = 5
_PAUSE_SECONDS = 15.0
_LONGEST_SECONDS = 120.0


class State(IntEnum):
    """Values as the metric shows them."""

    CLOSED = 0
    ON_TRIAL = 1
    OPEN = 2


class Breaker:
    """Of one engine, in one process. Time is given in monotonic seconds."""

    def __init__(self, failures: int = _FAILURES, pause_seconds: float = _PAUSE_SECONDS) -> None:
        self._allowed = failures
        self._pause = pause_seconds
        self._failures = 0
        self._openings = 0
        self._until = 0.0
        self.state = State.CLOSED

    def admits(self, now: float) -> bool:
        """Whether a call may be made now; after a pause one alone may, and its outcome decides."""
        if self.state is State.CLOSED:
            return True
        if self.state is State.ON_TRIAL or now < self._until:
            return False
        self.state = State.ON_TRIAL
        return True

    def pardon(self) -> None:
        """The call that was let through was not made, or not to its end: the next one may try."""
        if self.state is State.ON_TRIAL:
            self.state = State.OPEN

    def succeeded(self) -> None:
        self.state = State.CLOSED
        self._failures = self._openings = 0

    def failed(self, now: float) -> None:
        """One more failure; too many in a row, or one on trial, open it. Each time in a row for longer."""
        self._failures += 1
        if self.state is State.ON_TRIAL or self._failures >= self._allowed:
            self.open(now, min(self._pause * 2**self._openings, _LONGEST_SECONDS))

    def open(self, now: float, seconds: float) -> None:
        """No calls for so long."""
        self.state = State.OPEN
        self._openings += 1
        self._failures = 0
        self._until = now + seconds
