"""How an engine of a site has failed lately: a circuit breaker that all replicas share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from parley.chat.sites.chatbot import AiError

MAX_FAILURES = 3
"""Failures in a row that open the breaker."""
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class EngineState:
    """An engine without a state has not failed since its last answer."""

    failures: int
    """In a row."""
    error: AiError
    since: datetime | None = None
    """When the breaker opened; None: it is closed."""
    retry_at: datetime | None = None
    """From then on, one reply may try the engine again."""

    @property
    def is_open(self) -> bool:
        return self.since is not None


def pause_after(failures: int) -> timedelta | None:
    """How long an engine is left alone after failures in a row; None: it is not."""
    if failures < MAX_FAILURES:
        return None
    doublings: int = min(failures - MAX_FAILURES, 10)
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * float(1 << doublings))
