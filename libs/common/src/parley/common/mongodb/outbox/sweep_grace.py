"""How old an entry must be before the sweeper takes it: a multiple of the time that entries take at present.

Replicas under load process their entries later. If the others took these entries meanwhile, everything would be
published by each replica, and that work would delay all of them further.
"""

from __future__ import annotations

import time
from datetime import timedelta

from parley.common.mongodb.timeouts import OUTBOX_DELAY_INTERVAL_SECONDS

_DELAYS = 3
"""The grace, in delays of this process. The other replicas share its database and broker, so theirs are similar."""
_MAX_MINIMUMS = 8
"""The longest grace, in minimums: what a crash leaves behind does not wait longer, however slow everything is."""


class SweepGrace:
    """The longest delay of the current and the previous interval decides."""

    def __init__(self, minimum: timedelta) -> None:
        self._minimum_seconds = minimum.total_seconds()
        self._interval_ends = 0.0
        self._longest, self._longest_before = 0.0, 0.0

    def observe(self, delay_seconds: float) -> None:
        """Count the time from the write of an entry to its removal."""
        self._advance()
        self._longest = max(self._longest, delay_seconds)

    def current(self) -> timedelta:
        """Return the grace: the minimum, unless entries take longer than a third of it."""
        self._advance()
        adapted = _DELAYS * max(self._longest, self._longest_before)
        longest = _MAX_MINIMUMS * self._minimum_seconds
        return timedelta(seconds=min(max(adapted, self._minimum_seconds), longest))

    def _advance(self) -> None:
        now = time.monotonic()
        if now < self._interval_ends:
            return
        is_next = now < self._interval_ends + OUTBOX_DELAY_INTERVAL_SECONDS
        self._longest_before = self._longest if is_next else 0.0
        self._longest, self._interval_ends = 0.0, now + OUTBOX_DELAY_INTERVAL_SECONDS
