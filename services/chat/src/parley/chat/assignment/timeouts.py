"""Every timeout, delay and interval of assignment, in seconds."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

SWEEP_SECONDS: Final = 2.0
"""Between two searches for conversations that no event has assigned, and whose next fallback is due."""
RESERVATION_LIFETIME: Final = timedelta(seconds=30)
"""Longer than an assignment takes. Only a replica that has stopped leaves a reservation behind."""
CONTENTION_PAUSE_SECONDS: Final = 0.02
"""Before replicas that were in each other's way try again; longer each time."""
MISSED_PAUSE: Final = timedelta(seconds=60)
"""How long an operator who let a conversation time out is not assigned it again."""
WAIT_WINDOW_SECONDS: Final = 3600
"""Waits of this time make the estimate for visitors."""
